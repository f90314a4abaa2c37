//! The right to work on a batch until a deadline.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::queue::QueueName;

/// Names a lease. The client chooses it, so a take or a settlement whose answer was lost can simply be repeated;
/// it is the fencing token, and is never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LeaseId(Uuid);

impl LeaseId {
    /// A new name, sorted by time.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// Back from its display form.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for LeaseId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

/// Asks for a batch.
#[derive(Debug, Clone)]
pub struct Take {
    /// From where.
    pub queue: QueueName,
    /// Under which name. Repeating a take with the same name returns the same batch.
    pub lease: LeaseId,
    /// At most this many tasks, 1 to [`Take::TASKS_LIMIT`].
    pub tasks_max: u32,
    /// About this many bytes: a batch stops growing once it holds them, but always has one task.
    pub bytes_max: u32,
    /// How long the lease lasts unless renewed.
    pub ttl: Duration,
    /// Who asks, for people to read. Ownership never depends on it.
    pub worker: Box<str>,
}

impl Take {
    /// The most tasks one take may ask for: scripts stay short on the server.
    pub const TASKS_LIMIT: u32 = 5_000;
}

/// What a take found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Taken {
    /// A leased batch; never empty.
    Batch(Batch),
    /// Nothing is due.
    Empty,
    /// The queue is paused.
    Paused,
    /// The lease's name was used before and is settled, released or reaped: choose a fresh one.
    Used,
}

/// A leased batch of tasks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    /// Its lease.
    pub lease: LeaseId,
    /// The queue's elements, head first. Opaque bytes: they may be no tasks at all.
    pub tasks: Vec<Vec<u8>>,
    /// How often this batch was handed out, this time included.
    pub deliveries: u32,
    /// Whether nothing was left to take behind it. What comes later rings the bell.
    pub is_last: bool,
}

/// What one sweep over expired leases did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaped {
    /// Batches put back for another worker.
    pub returned: u32,
    /// Batches halved to find the task that kills workers.
    pub bisected: u32,
    /// Tasks convicted: each expired alone too often, and is dead now with reason `crash`.
    pub convicted: u32,
}
