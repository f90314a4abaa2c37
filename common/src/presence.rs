//! What a running process says of itself, kept in the broker for a few seconds at a time.
//!
//! `status` reads these records and the queue; it asks no process anything.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::UnixMicros;
use crate::queue::QueueName;

mod process;

pub use process::ProcessFacts;

/// One life of one process. A restarted process is another instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct InstanceId(Uuid);

impl InstanceId {
    /// A new life.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }

    /// Back from its display form.
    pub fn parse(text: &str) -> Option<Self> {
        Uuid::try_parse(text).ok().map(Self)
    }
}

impl fmt::Display for InstanceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(f)
    }
}

/// A presence record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Presence {
    /// Which life of which process.
    pub instance: InstanceId,
    /// Machine.
    pub host: Box<str>,
    /// Process id there.
    pub pid: u32,
    /// Version of the program.
    pub version: Box<str>,
    /// When this life began.
    pub started_at: UnixMicros,
    /// When this record was written.
    pub beat_at: UnixMicros,
    /// Resident memory in bytes; 0 where it cannot be read.
    pub memory_bytes: u64,
    /// CPU time used so far, user and system, in microseconds.
    pub cpu_us: u64,
    /// What kind of process, and its state.
    pub part: Part,
}

/// What a process does.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// Feeds to tasks.
    Listener(ListenerState),
    /// Tasks to rows.
    Worker(WorkerState),
}

/// A listener's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ListenerState {
    /// Where its tasks go.
    pub queue: Option<QueueName>,
    /// Its connections.
    pub connections: Vec<ConnectionState>,
    /// Messages read but not yet accepted by the broker.
    pub buffered: u64,
    /// The most messages the buffer may hold.
    pub buffer_max: u64,
    /// Why the broker does not accept, in words; `None` while it does.
    pub trouble: Option<String>,
}

/// One WebSocket connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnectionState {
    /// Its number within the listener, from 1.
    pub conn: u32,
    /// The feed.
    pub feed: Box<str>,
    /// Where it stands.
    pub state: Link,
    /// Symbols it carries.
    pub symbols: u64,
    /// Symbols the provider has confirmed.
    pub confirmed: u64,
    /// Data messages received, over all its sessions.
    pub messages: u64,
    /// Frames that were no message of the feed, and refusals.
    pub errors: u64,
    /// When the last frame of any kind arrived.
    pub last_frame_at: Option<UnixMicros>,
    /// When the last data message arrived.
    pub last_message_at: Option<UnixMicros>,
    /// Sessions that ended and were opened again.
    pub reconnects: u64,
    /// Why the last session ended, in words.
    pub reason: Option<String>,
    /// When the next attempt is due, while reconnecting.
    pub next_attempt_at: Option<UnixMicros>,
    /// Symbols the provider refused, with its reason.
    pub refused: BTreeMap<Box<str>, Box<str>>,
}

/// Where a connection stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Link {
    /// On its first way up.
    #[default]
    Connecting,
    /// Up; subscriptions are not all confirmed yet.
    Subscribing,
    /// Up and subscribed.
    Live,
    /// Down, waiting for its next attempt.
    Reconnecting,
    /// Down for good until somebody acts, e.g. the provider refuses our credentials.
    Stopped,
}

/// A worker's state.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct WorkerState {
    /// Where its tasks come from.
    pub queues: Vec<QueueName>,
    /// Batches it works on at once, at most.
    pub concurrency: u32,
    /// Batches it works on now.
    pub busy: u32,
    /// Tasks it has settled.
    pub tasks: u64,
    /// Tasks it settled per second, over the last beats.
    pub tasks_per_s: u64,
    /// Mean size of its recent batches.
    pub batch_tasks: u32,
    /// From handing a batch to the store until the commit returned, in microseconds.
    pub commit_p50_us: u64,
    /// The same, the slowest of a hundred.
    pub commit_p99_us: u64,
    /// Batches tried again.
    pub retries: u64,
    /// Tasks it gave up.
    pub dead: u64,
    /// Leases it lost: work done that another worker did again.
    pub leases_lost: u64,
    /// What it waits for, in words; `None` while all is well.
    pub trouble: Option<String>,
    /// When it last asked the queue for work and got an answer.
    pub last_take_at: Option<UnixMicros>,
}
