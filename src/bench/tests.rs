//! Figures of runs that were never measured.

use std::time::Duration;

use common::ledger::Ledger;
use common::limits::{PartLimit, Shape};

use super::limits::Limits;
use super::meter::Metered;
use super::plan::{Amount, Load};
use super::report::Report;
use super::run::{Ratio, Run, Summary, gained};
use super::servers::ServersUsed;
use super::usage::Usage;

fn run(secs: u64, ticks: u64) -> Run {
    let ledger = Ledger {
        received: ticks,
        accepted: ticks,
        settled: ticks,
        ticks,
        stored: ticks / 4,
        superseded: ticks - ticks / 4,
        ..Ledger::default()
    };
    Run {
        offered: ticks,
        ticks,
        metered: Metered { elapsed: Duration::from_secs(secs), busy_us: Some(secs * 1_900_000), ..Metered::default() },
        gained: ledger.clone(),
        after: ledger,
        workers: Usage { cpu_us: 1_500_000, memory_peak: 40 << 20 },
        ..Run::default()
    }
}

fn load(workers: u32) -> Load {
    Load { symbols: 1_000, workers, amount: Amount::Ticks(100_000) }
}

fn report(queue: &[Run], websocket: &[Run]) -> Report {
    Report {
        schema: 2,
        version: "0.0.0",
        pair: "configured",
        broker: "redis://cache:6379/0".to_owned(),
        store: "postgres://db/market".to_owned(),
        cores: 2,
        ticks: 100_000,
        seconds: None,
        symbols: vec![1_000],
        batch_tasks: 1_000,
        concurrency: 4,
        history: false,
        queue_to_rows: Summary::of(load(2), queue).into_iter().collect(),
        websocket_to_rows: Summary::of(load(4), websocket).into_iter().collect(),
        websocket_to_queue: Vec::new(),
        paced: Vec::new(),
        limits: Vec::new(),
        skipped: Vec::new(),
    }
}

#[test]
fn the_median_run_is_shown_between_the_slowest_and_the_fastest() {
    let summary = Summary::of(load(1), &[run(4, 100_000), run(1, 100_000), run(2, 100_000)]).unwrap();
    assert_eq!((summary.ticks_per_s_min, summary.ticks_per_s, summary.ticks_per_s_max), (25_000, 50_000, 100_000));
    assert_eq!((summary.worker_cpu_us_per_1000, summary.machine_millicores), (15_000, Some(1_900)));
    assert_eq!(Summary::of(load(1), &[]), None);
}

#[test]
fn one_bad_run_among_good_ones_is_not_hidden() {
    let mut bad = run(1, 100_000);
    bad.after.settled -= 3;
    let report_of = |bad: &Run| report(&[run(1, 100_000), bad.clone(), run(1, 100_000)], &[]);
    assert!(report_of(&run(2, 100_000)).is_lossless() && report_of(&run(2, 100_000)).is_stored());
    assert!(!report_of(&bad).is_lossless());
    assert_eq!(report_of(&bad).queue_to_rows[0].lost, 3);

    let mut missing = run(1, 100_000);
    missing.offered += 1;
    assert!(!report_of(&missing).is_lossless());

    let mut skipped = run(1, 100_000);
    skipped.gained.stored -= 1;
    skipped.gained.skipped.insert("no_value".into(), 1);
    assert!(report_of(&skipped).is_lossless() && !report_of(&skipped).is_stored());
}

#[test]
fn a_run_counts_only_what_it_has_gained() {
    let before = Ledger { shed: [("merge".into(), 5)].into(), ..run(1, 100).gained };
    let mut after = Ledger { shed: [("merge".into(), 7)].into(), ..run(1, 300).gained };
    after.dead = 1;
    let gained = gained(&before, &after);
    assert_eq!((gained.ticks, gained.received, gained.stored), (200, 200, 50));
    assert_eq!((gained.dead, gained.shed["merge"]), (1, 2));
}

#[test]
fn servers_of_our_own_are_counted_per_tick_and_others_not_at_all() {
    let used = |cpu_us| ServersUsed {
        redis: Usage { cpu_us, memory_peak: 10 << 20 },
        postgres: Usage { cpu_us: 4 * cpu_us, memory_peak: 80 << 20 },
    };
    let with =
        |cpu_us| Run { metered: Metered { servers: Some(used(cpu_us)), ..run(1, 100_000).metered }, ..run(1, 100_000) };
    let cost = Summary::of(load(1), &[with(90_000), with(70_000), with(80_000)]).unwrap().servers.unwrap();
    assert_eq!((cost.redis_cpu_us_per_1000, cost.postgres_cpu_us_per_1000), (800, 3_200));
    assert_eq!((cost.redis_memory, cost.postgres_memory), (10 << 20, 80 << 20));
    assert_eq!(Summary::of(load(1), &[with(1), run(1, 1)]).unwrap().servers, None);
}

#[test]
fn what_was_measured_is_held_against_the_limits_of_as_many_symbols() {
    let mut report = report(&[run(1, 100_000)], &[run(2, 100_000)]);
    let part = |part, client_ns| PartLimit { part, ticks_per_s: 1, client_ns, server_ns: 0 };
    let limits = |symbols| Limits::of(2, Shape { symbols, batch: 1 }, &[part("push", 5_000)], &[part("take", 5_000)]);
    report.limits.push(limits(5));
    report.hold_against_limits();
    assert_eq!(report.queue_to_rows[0].ratio_to_limits, None);
    report.limits.push(limits(1_000));
    report.hold_against_limits();
    let (queue, socket) = (&report.queue_to_rows[0], &report.websocket_to_rows[0]);
    assert_eq!((queue.limit_ticks_per_s, queue.ratio_to_limits), (Some(400_000), Some(Ratio(250))));
    assert_eq!((socket.limit_ticks_per_s, socket.ratio_to_limits), (Some(200_000), Some(Ratio(250))));
    assert_eq!(report.text().matches("OF LIMITS").count(), 2, "{}", report.text());
    assert_eq!(serde_json::to_value(&report).unwrap()["queue_to_rows"][0]["ratio_to_limits"], 0.25);
}

#[test]
fn the_table_says_what_the_limit_is() {
    let mut waiting = run(2, 100_000);
    waiting.metered.busy_us = Some(1_600_000);
    waiting.received_per_s = 60_000;
    waiting.listener = Usage { cpu_us: 500_000, memory_peak: 30 << 20 };
    waiting.gained.shed.insert("merge".into(), 12);
    insta::assert_snapshot!(report(&[run(1, 100_000)], &[waiting]).text(), @r#"
    tidemill 0.0.0 · 2 cores · batches of 1,000 · 4 at once per worker
    queue redis://cache:6379/0
    store postgres://db/market

    queue to rows, from a full queue

    SYMBOLS  WORKERS  TICKS/S  SLOWEST..FASTEST  SCALE  CPU S/1,000  MEMORY  STORED  LOST
      1,000        2  100,000  100,000..100,000   1.00       0.0150  40 MiB  25,000     0

    1,000 symbols, 2 workers: the limit is the processors: our processes used 1.50, all others 0.40 of 2 cores

    WebSocket to rows, from a simulated exchange as fast as it is read

    SYMBOLS  WORKERS  TICKS/S  SLOWEST..FASTEST  SCALE  CPU S/1,000  MEMORY  RECEIVED/S  LISTENER CPU  LISTENER MEM  EXCHANGE CPU  SHED  STORED  LOST
      1,000        4   50,000    50,000..50,000   1.00       0.0150  40 MiB      60,000        0.0050        30 MiB        0.0000    12  25,000     0

    1,000 symbols, 4 workers: the limit is waiting, not the processors: our processes used 1.00, all others 0.00 of 2 cores
    "#);
}
