//! The balance: every accepted task is somewhere, every settled tick ended somehow.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// All counts of a queue, read in one consistent look.
///
/// Tasks: `accepted = settled + waiting + leased + delayed + dead + purged`.
/// Ticks of settled tasks: `ticks = stored + superseded + legacy + skipped + expired`.
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
}

impl Ledger {
    /// Tasks that are accounted for.
    pub fn accounted(&self) -> u64 {
        self.settled + self.waiting + self.leased + self.delayed + self.dead + self.purged
    }

    /// Accepted tasks that are nowhere. Must be zero, always.
    pub fn lost(&self) -> u64 {
        self.accepted.saturating_sub(self.accounted())
    }

    /// Tasks on the queue that nobody has counted as accepted: put there past the broker's enqueue.
    pub fn uncounted(&self) -> u64 {
        self.accounted().saturating_sub(self.accepted)
    }

    /// Skipped for any reason.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Whether every tick of a settled task ended exactly one way.
    pub fn ticks_balance(&self) -> bool {
        self.ticks == self.stored + self.superseded + self.legacy + self.expired + self.skipped_total()
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
        for (mine, theirs) in
            [(&mut self.rejected, &other.rejected), (&mut self.shed, &other.shed), (&mut self.skipped, &other.skipped)]
        {
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
