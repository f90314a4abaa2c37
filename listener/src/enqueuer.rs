//! Carries messages from the intake to the broker: all that has gathered while the last round trip was under way.
//!
//! No timer waits to fill a batch. A batch in hand keeps its number and its bytes until the broker has it, so repeating
//! it after an unknown outcome adds nothing twice, and the counts that ride in it are counted once.
//!
//! With a spool, a batch that the broker does not take goes there, and so does all that follows while the spool holds
//! anything: the order holds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::broker::Enqueue;
use common::clock;
use common::presence::InstanceId;
use common::queue::QueueName;
use common::retry::Backoff;
use tokio::time;

use crate::accepted_log::Durable;
use crate::backlog::Batch;
use crate::handover::Handover;
use crate::intake::{Intake, Outlook};
use crate::spool::Spool;

/// Counts without tasks are reported this often at most.
const COUNTS_INTERVAL: Duration = Duration::from_secs(1);

/// So long, messages for the spool gather to one record.
const GATHERING: Duration = Duration::from_millis(20);

/// The only one in the process that takes from the intake.
#[derive(Debug)]
pub(crate) struct Enqueuer {
    pub(crate) handover: Arc<Handover>,
    pub(crate) queue: QueueName,
    pub(crate) producer: InstanceId,
    pub(crate) intake: Arc<Intake>,
    /// Under the policy `spool`.
    pub(crate) spool: Option<Arc<Spool>>,
}

impl Enqueuer {
    /// Runs until the intake is closed and empty. When it is dropped earlier, what was in hand counts as buffered.
    pub(crate) async fn run(self) {
        let mut counts_after = clock::monotonic();
        let mut number = 0;
        loop {
            match self.intake.outlook() {
                Outlook::Ended => return,
                Outlook::Nothing => {
                    self.intake.arrived().await;
                    continue;
                }
                Outlook::Counts if clock::monotonic() < counts_after => {
                    self.arrived_or(counts_after).await;
                    continue;
                }
                Outlook::Tasks => self.gather().await,
                Outlook::LastCounts | Outlook::Counts => {}
            }
            let limits = self.handover.limits;
            let batch = self.intake.take(limits.tasks_max, limits.bytes_max);
            number += 1;
            self.deliver(number, &batch).await;
            counts_after = clock::monotonic() + COUNTS_INTERVAL;
        }
    }

    /// While older messages wait on the disk, a newer one cannot be early by being written at once. Records of a few
    /// messages each would cost the disk a flush and the broker a round trip for each, and the line would not get shorter.
    async fn gather(&self) {
        if self.spool.as_ref().is_some_and(|spool| !spool.is_empty()) {
            time::sleep(GATHERING).await;
        }
    }

    async fn arrived_or(&self, until: Instant) {
        tokio::select! {
            () = self.intake.arrived() => {}
            () = time::sleep_until(until.into()) => {}
        }
    }

    /// Returns when broker or spool have the batch, however long that takes.
    async fn deliver(&self, number: u64, batch: &Batch) {
        let enqueue = Enqueue {
            queue: &self.queue,
            producer: self.producer,
            batch: number,
            tasks: &batch.tasks,
            waiting_max: self.handover.limits.waiting_max,
            counts: &batch.counts,
        };
        let mut delays = Backoff::DEPENDENCY.delays();
        loop {
            let tasks = batch.tasks.len() as u64;
            match &self.spool {
                None if self.handover.try_once(&enqueue).await => return self.intake.accepted(tasks),
                Some(spool) if spool.is_empty() && self.try_until_pressed(&enqueue).await => {
                    return self.intake.accepted(tasks);
                }
                Some(spool) if spool.put(&enqueue).await => return self.handover.note(Durable::Spooled, &enqueue),
                None | Some(_) => {}
            }
            let delay = time::sleep(delays.next().unwrap_or(Backoff::DEPENDENCY.longest));
            match &self.spool {
                None => delay.await,
                // What was handed over made room, or the line is empty.
                Some(spool) => tokio::select! {
                    () = delay => {}
                    () = spool.changed() => {}
                },
            }
        }
    }

    /// As [`Handover::try_once`], but not for longer than the buffer has room: a broker that is merely slow must not
    /// cost a message that the disk could keep.
    async fn try_until_pressed(&self, enqueue: &Enqueue<'_>) -> bool {
        tokio::select! {
            biased;
            taken = self.handover.try_once(enqueue) => taken,
            () = self.intake.pressed() => false,
        }
    }
}
