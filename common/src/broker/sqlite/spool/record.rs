//! How an enqueue lies in its record. Pure.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::super::body;
use crate::broker::Enqueue;
use crate::presence::InstanceId;
use crate::queue::{IntakeCounts, QueueName};

/// An enqueue as it was when the broker did not take it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spooled {
    /// The record's id.
    pub id: i64,
    /// Where it goes.
    pub queue: QueueName,
    /// Whose it is.
    pub producer: InstanceId,
    /// Its number.
    pub batch: u64,
    /// The elements, oldest first.
    pub tasks: Vec<Vec<u8>>,
    /// What the listener counted before it.
    pub counts: IntakeCounts,
}

impl Spooled {
    /// As it goes to the broker.
    pub fn enqueue(&self, waiting_max: u64) -> Enqueue<'_> {
        let Self { id: _, queue, producer, batch, tasks, counts } = self;
        Enqueue { queue, producer: *producer, batch: *batch, tasks, waiting_max, counts }
    }
}

/// A record's columns.
#[derive(Debug)]
pub(super) struct Packed {
    pub(super) tasks: usize,
    pub(super) envelope: String,
    pub(super) body: Vec<u8>,
    pub(super) checksum: Vec<u8>,
}

/// All but the tasks; one JSON object, readable in `sqlite3`.
#[derive(Debug, Serialize, Deserialize)]
struct Envelope {
    queue: QueueName,
    producer: InstanceId,
    batch: u64,
    tasks: usize,
    counts: IntakeCounts,
}

impl Packed {
    /// `None` when a task's length needs more than 32 bits.
    pub(super) fn new(enqueue: &Enqueue<'_>) -> Option<Self> {
        let envelope = Envelope {
            queue: enqueue.queue.clone(),
            producer: enqueue.producer,
            batch: enqueue.batch,
            tasks: enqueue.tasks.len(),
            counts: enqueue.counts.clone(),
        };
        let envelope = serde_json::to_string(&envelope).expect("names and numbers always serialise to memory");
        let body: Vec<u8> = body::pack(enqueue.tasks)?.into_iter().flat_map(|body| body.bytes).collect();
        let checksum = checksum(envelope.as_bytes(), &body);
        Some(Self { tasks: enqueue.tasks.len(), envelope, body, checksum })
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.envelope.len() + self.body.len() + self.checksum.len()) as u64
    }
}

/// Reads a record. `None` when it is not as it was written.
pub(super) fn unpack(id: i64, envelope: &[u8], mut body: &[u8], sum: &[u8]) -> Option<Spooled> {
    if checksum(envelope, body) != sum {
        return None;
    }
    let Envelope { queue, producer, batch, tasks: count, counts } = serde_json::from_slice(envelope).ok()?;
    let mut tasks = Vec::new();
    while !body.is_empty() {
        let (task, rest) = body::split_first(body).ok()?;
        tasks.push(task.to_vec());
        body = rest;
    }
    (tasks.len() == count).then_some(Spooled { id, queue, producer, batch, tasks, counts })
}

fn checksum(envelope: &[u8], body: &[u8]) -> Vec<u8> {
    let length = (envelope.len() as u64).to_le_bytes();
    Sha256::new().chain_update(length).chain_update(envelope).chain_update(body).finalize().to_vec()
}
