//! The balance: every accepted task is somewhere, every settled tick ended somehow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All counts of a queue, read in one consistent look.
///
/// Tasks: `accepted = settled + waiting + leased + delayed + dead + purged`.
/// Ticks of settled tasks: `ticks = stored + superseded + legacy + skipped + expired`.
/// What a person has written off after a look stands beside them, in `written_off`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ledger {
    /// Messages read from sockets and reported with an enqueue.
    pub received: u64,
    /// Frames that are no message of the feed, by reason. Not accepted.
    pub rejected: BTreeMap<Box<str>, u64>,
    /// Messages given up under the overflow policy, by policy. Not accepted.
    pub shed: BTreeMap<Box<str>, u64>,
    /// Tasks whose durable enqueue returned.
    pub accepted: u64,
    /// Tasks that ended well.
    pub settled: u64,
    /// Ticks of the settled tasks.
    pub ticks: u64,
    /// Ticks in the price table.
    pub stored: u64,
    /// Ticks that came after a newer one.
    pub superseded: u64,
    /// Ticks in legacy tables.
    pub legacy: u64,
    /// Ticks older than the age limit.
    pub expired: u64,
    /// Ticks with nothing to store, by reason.
    pub skipped: BTreeMap<Box<str>, u64>,
    /// Tasks waiting for a worker.
    pub waiting: u64,
    /// Tasks a worker is working on.
    pub leased: u64,
    /// Tasks that wait for their next try.
    pub delayed: u64,
    /// Tasks given up and kept.
    pub dead: u64,
    /// Dead letters that a person has purged.
    pub purged: u64,
    /// Tasks handed out more than once.
    pub redelivered: u64,
    /// Differences that a check of the queue has recorded because nothing could be put right, by kind.
    #[serde(default)]
    pub written_off: BTreeMap<Box<str>, u64>,
}

impl Ledger {
    /// Written off: accepted tasks that are nowhere.
    pub const LOST_TASKS: &str = "lost_tasks";
    /// Written off: tasks that ended and nobody has counted as accepted.
    pub const UNCOUNTED_TASKS: &str = "uncounted_tasks";
    /// Written off: ticks of settled tasks that ended no way.
    pub const MISSING_TICKS: &str = "missing_ticks";
    /// Written off: ticks that ended and belong to no settled task.
    pub const SURPLUS_TICKS: &str = "surplus_ticks";

    /// What was written off under this name.
    pub fn written_off(&self, kind: &str) -> u64 {
        self.written_off.get(kind).copied().unwrap_or(0)
    }

    /// Tasks that are accounted for.
    pub fn accounted(&self) -> u64 {
        self.settled + self.waiting + self.leased + self.delayed + self.dead + self.purged
    }

    /// Accepted tasks that are nowhere. Must be zero, always.
    pub fn lost(&self) -> u64 {
        let (accepted, somewhere) = self.tasks_sides();
        accepted.saturating_sub(somewhere)
    }

    /// Tasks on the queue that nobody has counted as accepted: put there past the broker's enqueue.
    pub fn uncounted(&self) -> u64 {
        let (accepted, somewhere) = self.tasks_sides();
        somewhere.saturating_sub(accepted)
    }

    /// Both sides of the tasks' equation.
    fn tasks_sides(&self) -> (u64, u64) {
        let accepted = self.accepted + self.written_off(Self::UNCOUNTED_TASKS);
        (accepted, self.accounted() + self.written_off(Self::LOST_TASKS))
    }

    /// Both sides of the ticks' equation: those of settled tasks, and those that ended.
    pub fn ticks_sides(&self) -> (u64, u64) {
        let ended = self.stored + self.superseded + self.legacy + self.expired + self.skipped_total();
        (self.ticks + self.written_off(Self::SURPLUS_TICKS), ended + self.written_off(Self::MISSING_TICKS))
    }

    /// Skipped for any reason.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Whether every tick of a settled task ended exactly one way.
    pub fn ticks_balance(&self) -> bool {
        let (settled, ended) = self.ticks_sides();
        settled == ended
    }

    /// Whether both equations hold.
    pub fn is_balanced(&self) -> bool {
        self.lost() == 0 && self.uncounted() == 0 && self.ticks_balance()
    }

    /// Tasks that have not ended yet.
    pub fn open(&self) -> u64 {
        self.waiting + self.leased + self.delayed
    }

    /// The sum over several queues.
    pub fn add(&mut self, other: &Self) {
        self.received += other.received;
        self.accepted += other.accepted;
        self.settled += other.settled;
        self.ticks += other.ticks;
        self.stored += other.stored;
        self.superseded += other.superseded;
        self.legacy += other.legacy;
        self.expired += other.expired;
        self.waiting += other.waiting;
        self.leased += other.leased;
        self.delayed += other.delayed;
        self.dead += other.dead;
        self.purged += other.purged;
        self.redelivered += other.redelivered;
        for (mine, theirs) in [
            (&mut self.rejected, &other.rejected),
            (&mut self.shed, &other.shed),
            (&mut self.skipped, &other.skipped),
            (&mut self.written_off, &other.written_off),
        ] {
            for (reason, count) in theirs {
                *mine.entry(reason.clone()).or_default() += count;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_that_is_nowhere_is_lost() {
        let ledger =
            Ledger { accepted: 10, settled: 4, waiting: 2, leased: 1, delayed: 1, dead: 1, ..Ledger::default() };
        assert_eq!((ledger.lost(), ledger.uncounted(), ledger.is_balanced()), (1, 0, false));
    }

    #[test]
    fn a_tick_must_end_exactly_one_way() {
        let mut ledger = Ledger { ticks: 3, stored: 1, superseded: 1, ..Ledger::default() };
        assert!(!ledger.ticks_balance());
        ledger.skipped.insert("no_price".into(), 1);
        assert!(ledger.is_balanced());
    }
}
