//! How a leased batch ends.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::queue::{DeadLetter, LeaseId, QueueName};

/// Counts of ticks by how they ended. They ride in the settlement, so each is counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TickCounts {
    /// All ticks of the settled tasks: the sum of the others.
    pub ticks: u64,
    /// Became (part of) a price row.
    pub stored: u64,
    /// A newer one was there, in the batch or in the table.
    pub superseded: u64,
    /// Went to a legacy table, because the price table refused the row.
    pub legacy: u64,
    /// Were older than the queue's age limit.
    pub expired: u64,
    /// Hold nothing to store, by reason.
    pub skipped: BTreeMap<Box<str>, u64>,
    /// Tasks, not ticks: those of foreign producers, which no listener has counted as accepted.
    pub foreign: u64,
}

impl TickCounts {
    /// Skipped for any reason.
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    /// Whether `ticks` is the sum of all endings.
    pub fn is_balanced(&self) -> bool {
        self.ticks == self.stored + self.superseded + self.legacy + self.expired + self.skipped_total()
    }

    /// Counts one tick as skipped.
    pub fn skip(&mut self, reason: &str) {
        self.ticks += 1;
        match self.skipped.get_mut(reason) {
            Some(count) => *count += 1,
            None => drop(self.skipped.insert(reason.into(), 1)),
        }
    }
}

/// Tasks of a batch that are to be tried again later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retry {
    /// Their elements as they shall be next time (`attempt` raised), head first.
    pub tasks: Vec<Vec<u8>>,
    /// How long to wait.
    pub after: Duration,
}

/// Ends a lease. Every task of the batch is either settled, retried or dead; the broker refuses a settlement whose
/// numbers do not add up to the batch.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Where.
    pub queue: QueueName,
    /// Which.
    pub lease: LeaseId,
    /// Tasks that have ended well.
    pub settled: u32,
    /// How their ticks ended.
    pub counts: TickCounts,
    /// Tasks to try again, in groups of equal delay.
    pub retry: Vec<Retry>,
    /// Tasks that are given up.
    pub dead: Vec<DeadLetter>,
}

/// The broker's answer to a settlement or a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settled {
    /// It took effect now.
    Done,
    /// It had taken effect before; this was a repetition.
    Already,
    /// The lease had expired and the batch is somebody else's: nothing was changed.
    Lost,
}

/// What a listener counted since its last enqueue. Rides in the enqueue, so each is counted once.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntakeCounts {
    /// Data messages read from sockets.
    pub received: u64,
    /// Frames that are no message of the feed, by reason.
    pub rejected: BTreeMap<Box<str>, u64>,
    /// Messages given up under the overflow policy, by policy.
    pub shed: BTreeMap<Box<str>, u64>,
}

impl IntakeCounts {
    /// Whether there is nothing to report.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
