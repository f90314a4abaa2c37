//! At a given rate: how long ticks take, and what they cost.

use std::time::Duration;

use common::latency::{Latencies, LatencySummary, Stage};
use listener::exchange::Stamp;
use serde::Serialize;

use super::choice::PacedRate;
use super::logs::Logs;
use super::plan::{Amount, Load, Plan};
use super::run::{Run, per};
use super::stream::{self, Stream};
use super::usage::Usage;
use crate::failure::Failure;

/// One rate, all its runs together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Paced {
    /// Symbols.
    pub(crate) symbols: usize,
    /// Worker processes.
    pub(crate) workers: u32,
    /// Messages a second that were asked for; 0 is silence.
    pub(crate) rate: u64,
    /// Messages a second that were sent while it lasted.
    pub(crate) rate_achieved: u64,
    /// Runs.
    pub(crate) runs: u64,
    /// Messages sent.
    pub(crate) sent: u64,
    /// Ticks settled.
    pub(crate) ticks: u64,
    /// Messages sent that were not settled, or twice, at worst.
    pub(crate) missing: u64,
    /// Messages given up under the overflow policy.
    pub(crate) shed: u64,
    /// Settled ticks that are neither stored nor superseded.
    pub(crate) otherwise: u64,
    /// Tasks given up.
    pub(crate) dead: u64,
    /// Accepted tasks that are nowhere, at worst.
    pub(crate) lost: u64,
    /// Whether both equations of the ledger held after every run.
    pub(crate) balanced: bool,
    /// How long ticks took; empty in silence.
    pub(crate) latency: Stages,
    /// What each process used.
    pub(crate) processes: Processes,
    /// Thousandths of a core that listener and workers used together.
    pub(crate) our_millicores: u64,
}

/// Latencies of each stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Stages {
    /// From the receipt to the answer of the queue.
    pub(crate) received_to_accepted: Option<LatencySummary>,
    /// From the receipt to the begin of work on its batch.
    pub(crate) received_to_taken: Option<LatencySummary>,
    /// From the receipt to the commit.
    pub(crate) received_to_committed: Option<LatencySummary>,
    /// From the moment at which it was due to the receipt: how late exchange and network were. Trades only.
    pub(crate) scheduled_to_received: Option<LatencySummary>,
    /// From the moment at which it was due to the commit. Trades only.
    pub(crate) scheduled_to_committed: Option<LatencySummary>,
}

/// What each process used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Processes {
    /// The listener.
    pub(crate) listener: Cost,
    /// All workers; memory is that of the largest.
    pub(crate) worker: Cost,
    /// The exchange, that is the benchmark itself; its memory is not looked at.
    pub(crate) exchange: Cost,
    /// Redis, if it is our own.
    pub(crate) redis: Option<Cost>,
    /// PostgreSQL with all its processes, if it is our own.
    pub(crate) postgres: Option<Cost>,
}

/// What a process used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Cost {
    /// CPU time per 1,000 ticks, microseconds; 0 in silence.
    pub(crate) cpu_us_per_1000: u64,
    /// Thousandths of a core, on average.
    pub(crate) millicores: u64,
    /// Most memory, bytes; of a server at the end of a run.
    pub(crate) memory_peak: u64,
}

/// One run with what was noted in it; `None` after Ctrl-C.
pub(crate) async fn measure(plan: &Plan, load: Load, rate: PacedRate) -> Result<Option<(Run, Latencies)>, Failure> {
    let logs = Logs::new(&plan.folder)?;
    let stream = Stream { load, rate: rate.of_exchange(), stamp: Stamp::Due, logs: Some(&logs) };
    let Some(run) = stream::measure(plan, stream).await? else { return Ok(None) };
    Ok(Some((run, logs.read()?)))
}

impl Paced {
    /// All runs of a rate together; `None` without one.
    pub(crate) fn of(load: Load, rate: PacedRate, runs: &[Run], latencies: &Latencies) -> Option<Self> {
        let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum::<u64>();
        let worst = |of: fn(&Run) -> u64| runs.iter().map(of).max().unwrap_or(0);
        let time = match load.amount {
            Amount::Time(time) => micros(time) * runs.len() as u64,
            Amount::Ticks(_) => sum(|run| micros(run.metered.elapsed)),
        };
        let stage = |stage| latencies.summary(stage);
        (!runs.is_empty()).then(|| Self {
            symbols: load.symbols,
            workers: load.workers,
            rate: rate.per_s(),
            rate_achieved: per(sum(|run| run.offered), 1_000_000, time),
            runs: runs.len() as u64,
            sent: sum(|run| run.offered),
            ticks: sum(|run| run.ticks),
            missing: worst(|run| run.offered.abs_diff(run.ticks)),
            shed: sum(|run| run.gained.shed.values().sum()),
            otherwise: sum(Run::otherwise),
            dead: sum(|run| run.gained.dead),
            lost: worst(|run| run.after.lost()),
            balanced: runs.iter().all(|run| run.after.is_balanced()),
            latency: Stages {
                received_to_accepted: stage(Stage::ReceivedToAccepted),
                received_to_taken: stage(Stage::ReceivedToTaken),
                received_to_committed: stage(Stage::ReceivedToCommitted),
                scheduled_to_received: stage(Stage::ExchangeToReceived),
                scheduled_to_committed: stage(Stage::ExchangeToCommitted),
            },
            processes: Processes::of(runs),
            our_millicores: per(
                sum(|run| run.listener.cpu_us + run.workers.cpu_us),
                1_000,
                sum(|run| micros(run.metered.elapsed)),
            ),
        })
    }
}

impl Processes {
    fn of(runs: &[Run]) -> Self {
        let server = |of: fn(&Run) -> Option<Usage>| {
            let used = runs.iter().map(of).collect::<Option<Vec<_>>>()?;
            Some(Cost::of(runs, used.into_iter()))
        };
        Self {
            listener: Cost::of(runs, runs.iter().map(|run| run.listener)),
            worker: Cost::of(runs, runs.iter().map(|run| run.workers)),
            exchange: Cost::of(runs, runs.iter().map(|run| Usage { cpu_us: run.metered.own_cpu_us, memory_peak: 0 })),
            redis: server(|run| Some(run.metered.servers?.redis)),
            postgres: server(|run| Some(run.metered.servers?.postgres)),
        }
    }
}

impl Cost {
    fn of(runs: &[Run], used: impl Iterator<Item = Usage> + Clone) -> Self {
        let cpu_us = used.clone().map(|used| used.cpu_us).sum();
        Self {
            cpu_us_per_1000: per(cpu_us, 1_000, runs.iter().map(|run| run.ticks).sum()),
            millicores: per(cpu_us, 1_000, runs.iter().map(|run| micros(run.metered.elapsed)).sum()),
            memory_peak: used.map(|used| used.memory_peak).max().unwrap_or(0),
        }
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use common::clock::UnixMicros;
    use common::latency::LatencyLog;
    use common::ledger::Ledger;

    use super::*;
    use crate::bench::meter::Metered;
    use crate::bench::servers::ServersUsed;
    use crate::bench::table;

    fn run(ticks: u64) -> Run {
        let used = |cpu_us, memory_peak| Usage { cpu_us, memory_peak };
        let servers = ServersUsed { redis: used(100_000, 9 << 20), postgres: used(200_000, 90 << 20) };
        let ledger = Ledger { ticks, stored: ticks, settled: ticks, accepted: ticks, ..Ledger::default() };
        Run {
            offered: ticks,
            ticks,
            metered: Metered {
                elapsed: Duration::from_secs(11),
                own_cpu_us: 50_000,
                servers: Some(servers),
                ..Metered::default()
            },
            gained: ledger.clone(),
            after: ledger,
            listener: used(300_000, 20 << 20),
            workers: used(800_000, 30 << 20),
            ..Run::default()
        }
    }

    async fn noted() -> Latencies {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let log = LatencyLog::open(Some(&path)).unwrap().unwrap();
        log.record(Stage::ReceivedToCommitted, (1..=1_000).map(|us| (UnixMicros(0), UnixMicros(us))));
        log.run(std::future::ready(())).await;
        Latencies::read(&std::fs::read(path).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn two_runs_at_a_rate_are_one_line_with_the_time_of_both() {
        let load = Load { symbols: 250, workers: 1, amount: Amount::Time(Duration::from_secs(10)) };
        let rate = PacedRate::parse("1k").unwrap();
        let mut worse = run(10_000);
        worse.offered += 2;
        let paced = Paced::of(load, rate, &[run(10_000), worse], &noted().await).unwrap();
        assert_eq!((paced.rate, paced.rate_achieved, paced.sent, paced.missing), (1_000, 1_000, 20_002, 2));
        assert_eq!(paced.processes.worker, Cost { cpu_us_per_1000: 80_000, millicores: 72, memory_peak: 30 << 20 });
        assert_eq!((paced.our_millicores, paced.processes.redis.unwrap().cpu_us_per_1000), (100, 10_000));
        insta::assert_snapshot!(table::latencies(std::slice::from_ref(&paced)), @r"
        SYMBOLS  WORKERS   RATE  SENT/S  STAGE                      P50      P90      P99    P99.9      MAX  TICKS
            250        1  1,000   1,000  received to committed  0.50 ms  0.90 ms  0.99 ms  0.99 ms  1.00 ms  1,000
        ");
        insta::assert_snapshot!(table::costs(&[paced]), @r"
        SYMBOLS  WORKERS   RATE  SENT/S  OURS %  LISTENER %  WORKER %  EXCHANGE %  REDIS %  POSTGRES %  LISTENER S/1,000  WORKER S/1,000  REDIS S/1,000  POSTGRES S/1,000  LISTENER MEM  WORKER MEM  LOST
            250        1  1,000   1,000    10.0         2.7       7.2         0.4      0.9         1.8            0.0300          0.0800         0.0100            0.0200        20 MiB      30 MiB     0
        ");
        assert_eq!(Paced::of(load, rate, &[], &Latencies::default()), None);
    }

    #[test]
    fn silence_has_a_cost_and_no_latency() {
        let load = Load { symbols: 250, workers: 1, amount: Amount::Time(Duration::from_secs(10)) };
        let silence = Paced::of(load, PacedRate::Idle, &[run(0)], &Latencies::default()).unwrap();
        assert_eq!((silence.rate_achieved, silence.latency), (0, Stages::default()));
        assert_eq!((silence.processes.worker.millicores, silence.processes.worker.cpu_us_per_1000), (72, 0));
    }
}
