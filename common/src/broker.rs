//! The seam to the queue: one trait, one conformance suite (`testing::broker_suite`), two implementations.
//!
//! Every call is safe to repeat: a call that timed out is *unknown*, not failed. Times are the broker's own clock;
//! workers' clocks decide nothing.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use crate::clock::UnixMicros;
use crate::ledger::Ledger;
use crate::market::Epoch;
use crate::presence::{InstanceId, Presence};
use crate::queue::{
    Check, DeadFilter, DeadId, DeadPage, Finding, IntakeCounts, LeaseId, QueueName, Reaped, Settled, Settlement, Take,
    Taken,
};
use crate::{Address, BoxError};

mod bell;
pub mod redis;
pub mod shards;
pub mod sqlite;

pub use bell::{Bell, HALF_DEAF_MAX};
pub use shards::ShardBroker;

/// Appends tasks to the tail of a queue: all of them or none.
#[derive(Debug, Clone)]
pub struct Enqueue<'a> {
    /// Where.
    pub queue: &'a QueueName,
    /// Who: names a life of a producer. A repeated `batch` of the same producer adds nothing.
    pub producer: InstanceId,
    /// Counts this producer's enqueues, from 1.
    pub batch: u64,
    /// The elements, oldest first. May be empty to report counts alone.
    pub tasks: &'a [Vec<u8>],
    /// The most tasks that may wait; the enqueue is refused whole when it would pass this.
    pub waiting_max: u64,
    /// What the listener counted since its last enqueue.
    pub counts: &'a IntakeCounts,
}

/// The broker's answer to an enqueue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Enqueued {
    /// Durable now.
    Accepted,
    /// It was accepted before; this was a repetition.
    Already,
    /// It would pass `waiting_max`: nothing was added, and the counts were not taken either.
    Full {
        /// Tasks that wait.
        waiting: u64,
    },
}

/// One consistent look at a queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Census {
    /// The counts.
    pub ledger: Ledger,
    /// When the oldest waiting task was received, where it can be read.
    pub oldest_at: Option<UnixMicros>,
    /// Batches under lease.
    pub leases: u64,
    /// Whether takes are refused.
    pub paused: bool,
    /// Names this life of the ledger, where the broker can be emptied under us: another one began from nothing. `None`
    /// before the first enqueue.
    pub generation: Option<u64>,
}

/// The flow of tasks.
#[async_trait]
pub trait Broker: BrokerDesk + ShardBroker + Send + Sync + Debug {
    /// Whether this broker can be trusted with tasks. Warnings are for people; a refusal is an error.
    async fn preflight(&self) -> Result<Vec<String>, BrokerError>;

    /// The next epoch: greater than any given before, and at least [`Epoch::floor_at`] the broker's clock.
    async fn next_epoch(&self) -> Result<Epoch, BrokerError>;

    /// Appends tasks to the tail.
    async fn enqueue(&self, enqueue: &Enqueue<'_>) -> Result<Enqueued, BrokerError>;

    /// Leases a batch from the head. Returned and due delayed batches come first. Never waits for tasks.
    async fn take(&self, take: &Take) -> Result<Taken, BrokerError>;

    /// A bell that is rung when there may be something to take from one of `queues`: by an enqueue, a batch given back,
    /// a retry that is due at once, the end of a pause. What becomes due later, and what others than Tidemill push, rings
    /// nothing. It hears from now on. To be called within a Tokio runtime.
    fn bell(&self, queues: &[QueueName]) -> Box<dyn Bell>;

    /// Ends a lease and, in the same round trip, takes the next batch (`None` when `next` is `None`).
    async fn settle(
        &self,
        settlement: &Settlement,
        next: Option<&Take>,
    ) -> Result<(Settled, Option<Taken>), BrokerError>;

    /// Gives a batch back untouched: it is due at once, and this delivery is not held against it.
    async fn release(&self, queue: &QueueName, lease: LeaseId) -> Result<Settled, BrokerError>;

    /// Prolongs leases to `ttl` from now. Returns those that are lost: their work must be dropped.
    async fn renew(&self, queue: &QueueName, leases: &[LeaseId], ttl: Duration) -> Result<Vec<LeaseId>, BrokerError>;

    /// Returns expired leases to the queue, bisecting batches that expire again and again.
    async fn reap(&self, queue: &QueueName) -> Result<Reaped, BrokerError>;
}

/// What operators and the status page ask of a broker.
#[async_trait]
pub trait BrokerDesk {
    /// Queues this broker knows.
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError>;

    /// One consistent look at a queue.
    async fn census(&self, queue: &QueueName) -> Result<Census, BrokerError>;

    /// While paused, takes are refused; leased work goes on.
    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), BrokerError>;

    /// Up to `limit` dead letters from `from` on (`None`: the oldest), those that match.
    async fn dead_page(
        &self,
        queue: &QueueName,
        filter: &DeadFilter,
        from: Option<DeadId>,
        limit: u32,
    ) -> Result<DeadPage, BrokerError>;

    /// Puts these dead letters back to the tail of the queue. Returns how many were there.
    async fn dead_retry(&self, queue: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError>;

    /// Deletes these dead letters and counts them as purged. Returns how many were there.
    async fn dead_purge(&self, queue: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError>;

    /// Checks that every task lies where something will take it, and that the counts agree; on demand puts right what
    /// can be put right without guessing. Safe while others work: each step is atomic, and looks again before it acts.
    async fn fsck(&self, queue: &QueueName, check: Check) -> Result<Vec<Finding>, BrokerError>;

    /// Keeps a process' presence record for `ttl`.
    async fn announce(&self, presence: &Presence, ttl: Duration) -> Result<(), BrokerError>;

    /// Removes a process' presence record: it left in good order.
    async fn depart(&self, instance: InstanceId) -> Result<(), BrokerError>;

    /// The presence records that have not run out.
    async fn presences(&self) -> Result<Vec<Presence>, BrokerError>;
}

/// Why a broker did not do it.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// Away, silent, restarting, or read-only for now. The call may or may not have taken effect.
    #[error("cannot reach the broker at {place}")]
    Unavailable {
        /// Where, without any secret.
        place: String,
        /// What the client said.
        #[source]
        source: BoxError,
    },
    /// It has no room for more tasks; taking and settling still work.
    #[error("the broker at {place} is out of memory or disk")]
    OutOfRoom {
        /// Where, without any secret.
        place: String,
        /// What the broker said.
        #[source]
        source: BoxError,
    },
    /// Name or password are wrong, or rights are missing.
    #[error("the broker at {place} refused our credentials")]
    Denied {
        /// Where, without any secret.
        place: String,
        /// What the broker said.
        #[source]
        source: BoxError,
    },
    /// It would lose tasks as it is configured, or its URL makes no sense.
    #[error("the broker at {place} cannot be used: {problem}")]
    Unfit {
        /// Where, without any secret.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        fix: String,
    },
    /// It answered what it should never answer: a bug here or there.
    #[error("the broker at {place} answered unexpectedly: {answer}")]
    Unexpected {
        /// Where, without any secret.
        place: String,
        /// What it said.
        answer: String,
    },
}

impl BrokerError {
    /// Whether the same call may succeed later with nothing changed here.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::OutOfRoom { .. } | Self::Denied { .. } => true,
            Self::Unfit { .. } | Self::Unexpected { .. } => false,
        }
    }
}

/// Opens the broker that `address` names: `redis://`, `rediss://`, or `sqlite:PATH`.
pub async fn connect(address: impl Into<Address>) -> Result<Arc<dyn Broker>, BrokerError> {
    use secrecy::ExposeSecret;
    let address = address.into();
    if let Some(path) = address.url().expose_secret().strip_prefix("sqlite:") {
        return sqlite::connect(path.as_ref()).await;
    }
    redis::open(address).await
}
