//! Servers that stand still: connections stay open, nothing answers, nothing fails.

use std::time::Duration;

use common::clock;
use common::testing::eventually;

use super::rig::{Pair, Rig, SOON};

/// How long they stand still.
const AWAY: Duration = Duration::from_secs(6);

/// What is promised is two seconds; a busy machine gets more.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// Of one core, by a worker that waits. What is promised is 2 % of a release build.
const CPU_PERCENT_MAX: u128 = 15;

async fn working() -> Rig {
    let mut rig = Rig::new(Pair::Servers).await;
    rig.processes.set("TIDEMILL_WORKER__LEASE", "15s");
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "1000"]).await;
    rig.processes.start("worker", &["worker"]);
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT", "trade,bookTicker");
    eventually("ticks are stored", SOON, async || 1_000 < rig.ledger().of("settled")).await;
    rig
}

/// CPU time of the worker so far, by the operating system.
fn cpu_us(rig: &Rig) -> u128 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", rig.processes.id("worker"))).expect("it runs");
    let fields: Vec<&str> = stat.rsplit_once(')').expect("a name").1.split_whitespace().collect();
    let ticks = |field: usize| fields[field].parse::<u128>().expect("a number");
    (ticks(11) + ticks(12)) * 10_000
}

/// Work goes on in time and nothing was lost; `before` tasks were settled when it stood still.
async fn goes_on(mut rig: Rig, name: &str, before: u64) {
    let back = clock::monotonic();
    eventually("work goes on", SOON, async || before < rig.ledger().of("settled")).await;
    let took = back.elapsed();
    eprintln!("{name} stood still for {AWAY:?}; the next settlement was seen {took:?} after it went on");
    assert!(took < BACK_WITHIN, "{took:?}");
    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.ended(0).await;
    rig.assert_all_is_well();
}

#[tokio::test]
async fn a_frozen_postgresql_is_named_in_status_and_used_again_when_it_goes_on() {
    let rig = working().await;
    let postgres = rig.postgres.as_ref().expect("the pair has PostgreSQL");
    postgres.freeze();
    let (frozen, cpu) = (clock::monotonic(), cpu_us(&rig));
    eventually("the worker says what it waits for", SOON, async || {
        let said = rig.status()["workers"][0]["trouble"].take();
        said.as_str().is_some_and(|said| said.contains("no answer for")) && AWAY < frozen.elapsed()
    })
    .await;
    let percent = (cpu_us(&rig) - cpu) * 100 / frozen.elapsed().as_micros();
    eprintln!("the waiting worker used {percent} % of a core");
    assert!(percent <= CPU_PERCENT_MAX, "{percent} %");
    let settled = rig.ledger().of("settled");
    postgres.thaw();
    goes_on(rig, "PostgreSQL", settled).await;
}

#[tokio::test]
async fn a_frozen_redis_is_used_again_when_it_goes_on() {
    let rig = working().await;
    let redis = rig.redis.as_ref().expect("the pair has Redis");
    let settled = rig.ledger().of("settled");
    redis.pause();
    let (frozen, cpu) = (clock::monotonic(), cpu_us(&rig));
    eventually("it stood still for long", SOON, async || AWAY < frozen.elapsed()).await;
    let percent = (cpu_us(&rig) - cpu) * 100 / frozen.elapsed().as_micros();
    eprintln!("the waiting worker used {percent} % of a core");
    assert!(percent <= CPU_PERCENT_MAX, "{percent} %");
    redis.resume();
    goes_on(rig, "Redis", settled + 500).await;
}
