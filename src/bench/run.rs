//! What one run came to, and what several of them say together.

use common::ledger::Ledger;
use serde::{Serialize, Serializer};

use super::member::Member;
use super::meter::Metered;
use super::plan::Load;
use super::servers::ServersUsed;
use super::usage::Usage;

/// One run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Run {
    /// Ticks that were put on the queue or sent.
    pub(crate) offered: u64,
    /// Of these, those that came to the end of what is measured: settled, or accepted by the queue.
    pub(crate) ticks: u64,
    /// How long it took, and what all but our parts used.
    pub(crate) metered: Metered,
    /// What the queue's counters gained meanwhile.
    pub(crate) gained: Ledger,
    /// The queue's counters after it, which must balance.
    pub(crate) after: Ledger,
    /// Messages the listener received per second while the exchange sent; 0 without a listener.
    pub(crate) received_per_s: u64,
    /// All workers: CPU time together, memory of the largest.
    pub(crate) workers: Usage,
    /// The listener.
    pub(crate) listener: Usage,
}

/// The CPU time of all, and the memory of the largest.
pub(crate) fn together(members: &[Member]) -> Usage {
    members.iter().map(Member::used).fold(Usage::default(), |sum, used| Usage {
        cpu_us: sum.cpu_us + used.cpu_us,
        memory_peak: sum.memory_peak.max(used.memory_peak),
    })
}

/// What `after` has gained on `before`, of the counters that only grow while nobody interferes. It need not balance:
/// what was accepted before may have been settled since.
pub(crate) fn gained(before: &Ledger, after: &Ledger) -> Ledger {
    let mut shed = after.shed.clone();
    for (reason, count) in &mut shed {
        *count = count.saturating_sub(before.shed.get(reason).copied().unwrap_or(0));
    }
    Ledger {
        received: after.received.saturating_sub(before.received),
        accepted: after.accepted.saturating_sub(before.accepted),
        ticks: after.ticks.saturating_sub(before.ticks),
        stored: after.stored.saturating_sub(before.stored),
        superseded: after.superseded.saturating_sub(before.superseded),
        dead: after.dead.saturating_sub(before.dead),
        shed,
        ..Ledger::default()
    }
}

impl Run {
    /// Ticks per second.
    pub(crate) fn ticks_per_s(&self) -> u64 {
        per(self.ticks, 1_000_000, self.elapsed_us())
    }

    fn elapsed_us(&self) -> u64 {
        u64::try_from(self.metered.elapsed.as_micros()).unwrap_or(u64::MAX)
    }

    fn our_cpu_us(&self) -> u64 {
        self.workers.cpu_us + self.listener.cpu_us + self.metered.own_cpu_us
    }

    /// Settled ticks that are neither stored nor superseded.
    pub(crate) fn otherwise(&self) -> u64 {
        self.gained.ticks.saturating_sub(self.gained.stored + self.gained.superseded)
    }

    fn shed(&self) -> u64 {
        self.gained.shed.values().sum()
    }

    /// Thousandths of a core in use, on average.
    fn millicores(&self, cpu_us: u64) -> u64 {
        per(cpu_us, 1_000, self.elapsed_us())
    }

    fn per_1000(&self, cpu_us: u64) -> u64 {
        per(cpu_us, 1_000, self.ticks)
    }
}

/// What servers of our own cost: medians. Memory is the largest at the end of a run, bytes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ServerCost {
    /// CPU time of Redis per 1,000 ticks, microseconds.
    pub(crate) redis_cpu_us_per_1000: u64,
    /// The same of PostgreSQL, all its processes.
    pub(crate) postgres_cpu_us_per_1000: u64,
    /// Memory of Redis.
    pub(crate) redis_memory: u64,
    /// Memory of PostgreSQL, all its processes.
    pub(crate) postgres_memory: u64,
}

/// Runs of one kind with one number of workers: medians, but for what must never be hidden.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Summary {
    /// Symbols.
    pub(crate) symbols: usize,
    /// Worker processes.
    pub(crate) workers: u32,
    /// Runs.
    pub(crate) runs: u64,
    /// Ticks settled (without workers: accepted) per second: the median run.
    pub(crate) ticks_per_s: u64,
    /// The slowest run.
    pub(crate) ticks_per_s_min: u64,
    /// The fastest run.
    pub(crate) ticks_per_s_max: u64,
    /// Ticks settled (without workers: accepted) in a run, median.
    pub(crate) ticks: u64,
    /// Ticks put on the queue or sent that did not come to that, or came twice, at worst.
    pub(crate) missing: u64,
    /// Messages received per second while the exchange sent; 0 without a listener.
    pub(crate) received_per_s: u64,
    /// CPU time of all workers per 1,000 ticks, microseconds.
    pub(crate) worker_cpu_us_per_1000: u64,
    /// CPU time of the listener per 1,000 messages it received, microseconds; 0 without one.
    pub(crate) listener_cpu_us_per_1000: u64,
    /// Most memory of a worker process in any run, bytes.
    pub(crate) worker_memory_peak: u64,
    /// Most memory of the listener in any run, bytes; 0 without one.
    pub(crate) listener_memory_peak: u64,
    /// CPU time of the exchange, that is of the benchmark itself, per 1,000 ticks, microseconds.
    pub(crate) exchange_cpu_us_per_1000: u64,
    /// Servers of our own.
    pub(crate) servers: Option<ServerCost>,
    /// Thousandths of a core that our processes used.
    pub(crate) our_millicores: u64,
    /// Thousandths of a core that the whole machine used, other programs included.
    pub(crate) machine_millicores: Option<u64>,
    /// Messages given up under the overflow policy, in all runs.
    pub(crate) shed: u64,
    /// Ticks in a price row, median.
    pub(crate) stored: u64,
    /// Ticks that a newer one of their batch or table made needless, median.
    pub(crate) superseded: u64,
    /// Settled ticks that are neither, in all runs: skipped, expired or in a legacy table.
    pub(crate) otherwise: u64,
    /// Tasks given up, in all runs.
    pub(crate) dead: u64,
    /// Accepted tasks that are nowhere, at worst.
    pub(crate) lost: u64,
    /// Whether both equations of the ledger held after every run.
    pub(crate) balanced: bool,
    /// Ticks per second that the parts could do on all cores together, by the sum of their CPU times; if measured.
    pub(crate) limit_ticks_per_s: Option<u64>,
    /// `ticks_per_s` in parts of that.
    pub(crate) ratio_to_limits: Option<Ratio>,
}

/// A ratio or a time, in thousandths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Ratio(pub(crate) u64);

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let text = format!("{}.{:03}", self.0 / 1_000, self.0 % 1_000);
        // The shortest number that reads as these digits.
        to.serialize_f64(text.parse().map_err(serde::ser::Error::custom)?)
    }
}

impl Summary {
    /// `None` without a run.
    pub(crate) fn of(load: Load, runs: &[Run]) -> Option<Self> {
        let figure = |of: fn(&Run) -> u64| sorted(runs.iter().map(of));
        let typical = |of: fn(&Run) -> u64| median(&figure(of));
        let sum = |of: fn(&Run) -> u64| runs.iter().map(of).sum();
        let worst = |of: fn(&Run) -> u64| runs.iter().map(of).max().unwrap_or(0);
        let speeds = figure(Run::ticks_per_s);
        let busy = runs.iter().map(|run| Some(run.millicores(run.metered.busy_us?))).collect::<Option<Vec<u64>>>();
        Some(Self {
            symbols: load.symbols,
            workers: load.workers,
            runs: runs.len() as u64,
            ticks_per_s: median(&speeds),
            ticks_per_s_min: *speeds.first()?,
            ticks_per_s_max: *speeds.last()?,
            ticks: typical(|run| run.ticks),
            missing: worst(|run| run.offered.abs_diff(run.ticks)),
            received_per_s: typical(|run| run.received_per_s),
            worker_cpu_us_per_1000: typical(|run| run.per_1000(run.workers.cpu_us)),
            listener_cpu_us_per_1000: typical(|run| per(run.listener.cpu_us, 1_000, run.gained.received)),
            worker_memory_peak: worst(|run| run.workers.memory_peak),
            listener_memory_peak: worst(|run| run.listener.memory_peak),
            exchange_cpu_us_per_1000: typical(|run| run.per_1000(run.metered.own_cpu_us)),
            servers: cost_of_servers(runs),
            our_millicores: typical(|run| run.millicores(run.our_cpu_us())),
            machine_millicores: busy.map(|busy| median(&sorted(busy.into_iter()))),
            shed: sum(Run::shed),
            stored: typical(|run| run.gained.stored),
            superseded: typical(|run| run.gained.superseded),
            otherwise: sum(Run::otherwise),
            dead: sum(|run| run.gained.dead),
            lost: worst(|run| run.after.lost()),
            balanced: runs.iter().all(|run| run.after.is_balanced()),
            limit_ticks_per_s: None,
            ratio_to_limits: None,
        })
    }

    /// Holds it against what its parts could do.
    pub(crate) fn hold_against(&mut self, limit_ticks_per_s: u64) {
        self.limit_ticks_per_s = Some(limit_ticks_per_s);
        self.ratio_to_limits = Some(Ratio(per(self.ticks_per_s, 1_000, limit_ticks_per_s)));
    }
}

fn cost_of_servers(runs: &[Run]) -> Option<ServerCost> {
    let used: Vec<(&Run, ServersUsed)> =
        runs.iter().map(|run| Some((run, run.metered.servers?))).collect::<Option<_>>()?;
    let cost = |of: fn(&ServersUsed) -> u64| median(&sorted(used.iter().map(|(run, used)| run.per_1000(of(used)))));
    let most = |of: fn(&ServersUsed) -> u64| used.iter().map(|(_, used)| of(used)).max().unwrap_or(0);
    Some(ServerCost {
        redis_cpu_us_per_1000: cost(|used| used.redis.cpu_us),
        postgres_cpu_us_per_1000: cost(|used| used.postgres.cpu_us),
        redis_memory: most(|used| used.redis.memory_peak),
        postgres_memory: most(|used| used.postgres.memory_peak),
    })
}

fn sorted(figures: impl Iterator<Item = u64>) -> Vec<u64> {
    let mut figures: Vec<u64> = figures.collect();
    figures.sort_unstable();
    figures
}

/// The middle one; of an even number the lower of the two. 0 of none.
fn median(sorted: &[u64]) -> u64 {
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0)
}

/// `amount * scale / of`, 0 of nothing.
pub(super) fn per(amount: u64, scale: u64, of: u64) -> u64 {
    let scaled = u128::from(amount) * u128::from(scale);
    u64::try_from(scaled.checked_div(u128::from(of)).unwrap_or(0)).unwrap_or(u64::MAX)
}
