//! Takes by the names they were asked under. One that got no answer may have been carried out all the same: it is
//! repeated under its name until an answer comes.

use std::collections::HashMap;
use std::time::Instant;

use common::clock;
use common::queue::{LeaseId, QueueName, Take};

use crate::options::WorkerOptions;

/// What one loop has asked of each of its queues.
#[derive(Debug, Default)]
pub(crate) struct Asks {
    of: HashMap<QueueName, Asked>,
}

#[derive(Debug)]
struct Asked {
    take: Take,
    /// When it was asked for the first time without an answer.
    since: Option<Instant>,
}

impl Asks {
    /// The take to send now: the one that got no answer, or a fresh one of up to `tasks_max`.
    pub(crate) fn next(&mut self, queue: &QueueName, options: &WorkerOptions, tasks_max: u32) -> Take {
        let asked = self.of.entry(queue.clone()).or_insert_with(|| Asked {
            take: Take {
                queue: queue.clone(),
                lease: LeaseId::fresh(),
                tasks_max: 0,
                bytes_max: 0,
                ttl: options.lease,
                worker: options.name.clone(),
            },
            since: None,
        });
        if asked.since.is_none() {
            // Nothing was created yet under this name.
            (asked.take.tasks_max, asked.take.bytes_max) = (tasks_max, options.limits().batch_bytes);
            asked.since = Some(clock::monotonic());
        }
        asked.take.clone()
    }

    /// The names under which a batch may be ours without our knowing it.
    pub(crate) fn open(&self) -> impl Iterator<Item = (&QueueName, LeaseId)> {
        self.of.iter().filter(|(_, asked)| asked.since.is_some()).map(|(queue, asked)| (queue, asked.take.lease))
    }

    /// Nothing was created under the name: it serves again.
    pub(crate) fn was_in_vain(&mut self, queue: &QueueName) {
        if let Some(asked) = self.of.get_mut(queue) {
            asked.since = None;
        }
    }

    /// The name is used up. Returns what was asked, and since when.
    pub(crate) fn used(&mut self, queue: &QueueName) -> Option<(Take, Instant)> {
        let Asked { take, since } = self.of.remove(queue)?;
        Some((take, since.unwrap_or_else(clock::monotonic)))
    }
}
