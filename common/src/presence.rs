//! What a running process says of itself, kept in the broker for a few seconds at a time.
//!
//! `status` reads these records and the queue; it asks no process anything.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::UnixMicros;
use crate::queue::QueueName;
use crate::wipe::Wiped;

pub mod process;

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
    /// Which process of which run of which machine, for [`process::is_gone`]. Absent in records of older programs and
    /// where it cannot be read.
    #[serde(default)]
    pub life: Option<Box<str>>,
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
    /// Its counts: `received + recovered = accepted + shed + buffered + spooled`. Absent in records of older programs.
    #[serde(default)]
    pub counts: Option<ListenerCounts>,
    /// Why the broker does not accept, in words; `None` while it does.
    pub trouble: Option<String>,
    /// The group whose symbols it shares.
    #[serde(default)]
    pub group: Option<Box<str>>,
    /// Stands for the settings that all listeners of the group must have alike.
    #[serde(default)]
    pub plan: Option<Box<str>>,
    /// Frames that were no message of the feed, by reason.
    #[serde(default)]
    pub samples: Vec<Sample>,
    /// The broker was emptied under this process.
    #[serde(default)]
    pub wiped: Option<Wiped>,
}

/// What a listener did with its messages since it started; those that are buffered are beside it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ListenerCounts {
    /// Read from sockets.
    pub received: u64,
    /// Found in the spool of an earlier process.
    pub recovered: u64,
    /// Tasks whose durable enqueue returned.
    pub accepted: u64,
    /// Given up, by the overflow policy or because a spool was damaged.
    pub shed: u64,
    /// In its spool on disk, durable but not on the queue yet.
    pub spooled: u64,
}

/// Frames that were rejected for one reason, and the start of the newest one without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sample {
    /// Why.
    pub reason: Box<str>,
    /// How many.
    pub frames: u64,
    /// When the newest one was received.
    pub at: UnixMicros,
    /// Its length in bytes.
    pub bytes: u64,
    /// Whether it was a text frame; else `start` is in hexadecimal digits.
    pub is_text: bool,
    /// How it begins.
    pub start: Box<str>,
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
    /// Attempts to connect.
    #[serde(default)]
    pub attempts: u64,
    /// Sessions that ended and were opened again.
    pub reconnects: u64,
    /// Why the last session ended, in words.
    pub reason: Option<String>,
    /// When the next attempt is due, while reconnecting.
    pub next_attempt_at: Option<UnixMicros>,
    /// Symbols the provider refused, with its reason.
    pub refused: BTreeMap<Box<str>, Box<str>>,
    /// Whether the provider's numbers show holes, over all its sessions. Absent in records of older programs.
    #[serde(default)]
    pub continuity: Continuity,
    /// Whether any of its markets trades, by the provider's word or the calendar; `None` when nobody knows.
    #[serde(default)]
    pub is_market_open: Option<bool>,
}

/// What the numbers of a provider's messages show, summed up over the streams of a connection.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Continuity {
    /// Holes.
    pub gaps: u64,
    /// Messages that are missing in them.
    pub missing: u64,
    /// Messages whose number came twice in a row.
    pub duplicates: u64,
    /// Messages whose number was smaller than that of an earlier one.
    pub backwards: u64,
    /// Numbered messages of streams beyond the most that are watched.
    pub unwatched: u64,
}

impl Continuity {
    /// Whether there is nothing to tell.
    pub fn is_whole(&self) -> bool {
        *self == Self::default()
    }
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
    /// Down until there is another token: no source has one that the provider takes. Goes on by itself then.
    NeedsLogin,
    /// Down for good until somebody acts, e.g. the address cannot be connected to.
    Stopped,
    /// What a newer program calls it. A reader that does not know the word must not lose the whole record.
    #[serde(other)]
    Unknown,
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
    /// Tasks it asks for at once now: it follows what the store can do. Absent in records of older programs.
    #[serde(default)]
    pub batch_size: u32,
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
    /// The broker was emptied under this process, queue by queue.
    #[serde(default)]
    pub wiped: Vec<Wiped>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_of_a_connections_state_are_frozen() {
        let words = [
            (Link::Connecting, "connecting"),
            (Link::Subscribing, "subscribing"),
            (Link::Live, "live"),
            (Link::Reconnecting, "reconnecting"),
            (Link::NeedsLogin, "needs_login"),
            (Link::Stopped, "stopped"),
            (Link::Unknown, "unknown"),
        ];
        for (link, word) in words {
            let json = format!("\"{word}\"");
            assert_eq!(serde_json::to_string(&link).unwrap(), json);
            assert_eq!(serde_json::from_str::<Link>(&json).unwrap(), link);
        }
    }

    #[test]
    fn a_newer_programs_word_does_not_cost_the_record() {
        let record = r#"{"conn":1,"feed":"f","state":"hibernating","symbols":1,"confirmed":0,"messages":0,"errors":0,
            "last_frame_at":null,"last_message_at":null,"reconnects":0,"reason":null,"next_attempt_at":null,
            "refused":{},"field_of_a_newer_program":1}"#;
        assert_eq!(serde_json::from_str::<ConnectionState>(record).unwrap().state, Link::Unknown);
    }
}
