//! Carries messages from the intake to the broker: all that has gathered while the last round trip was under way.
//!
//! No timer waits to fill a batch. A batch in hand keeps its number and its bytes until the broker has it, so repeating
//! it after an unknown outcome adds nothing twice, and the counts that ride in it are counted once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::broker::{Broker, Enqueue, Enqueued};
use common::clock;
use common::presence::InstanceId;
use common::queue::QueueName;
use common::retry::Backoff;
use tokio::time;
use tracing::{info, warn};

use crate::accepted_log::AcceptedLog;
use crate::backlog::Batch;
use crate::board::Board;
use crate::intake::{Intake, Outlook};
use crate::options::EnqueueLimits;
use common::outage::{Outage, chain};

/// Counts without tasks are reported this often at most.
const COUNTS_INTERVAL: Duration = Duration::from_secs(1);

/// The only one in the process that enqueues.
#[derive(Debug)]
pub(crate) struct Enqueuer {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) queue: QueueName,
    pub(crate) producer: InstanceId,
    pub(crate) limits: EnqueueLimits,
    pub(crate) intake: Arc<Intake>,
    pub(crate) board: Arc<Board>,
    pub(crate) accepted_log: Option<AcceptedLog>,
}

impl Enqueuer {
    /// Runs until the intake is closed and empty. When it is dropped earlier, what was in hand counts as buffered.
    pub(crate) async fn run(self) {
        let mut outage = Outage::default();
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
                Outlook::Tasks | Outlook::LastCounts | Outlook::Counts => {}
            }
            let batch = self.intake.take(self.limits.tasks_max, self.limits.bytes_max);
            number += 1;
            self.deliver(number, &batch, &mut outage).await;
            self.intake.accepted(batch.tasks.len() as u64);
            counts_after = clock::monotonic() + COUNTS_INTERVAL;
        }
    }

    async fn arrived_or(&self, until: Instant) {
        tokio::select! {
            () = self.intake.arrived() => {}
            () = time::sleep_until(until.into()) => {}
        }
    }

    /// Returns when the broker has the batch, however long that takes.
    async fn deliver(&self, number: u64, batch: &Batch, outage: &mut Outage) {
        let mut delays = Backoff::DEPENDENCY.delays();
        while let Err(problem) = self.enqueue(number, batch).await {
            if let Some(notice) = outage.failed(clock::monotonic()) {
                let (tries, buffered) = (notice.tries, self.intake.totals().buffered);
                warn!(tries, buffered, "queue {} does not accept, messages gather here: {problem}", self.queue);
            }
            self.board.set_enqueue_trouble(Some(problem));
            time::sleep(delays.next().unwrap_or(Backoff::DEPENDENCY.longest)).await;
        }
        if let Some(over) = outage.ended(clock::monotonic()) {
            let (outage_ms, tries) = (over.lasted.as_millis(), over.tries);
            info!(outage_ms, tries, "queue {} accepts again after {outage_ms} ms", self.queue);
            self.board.set_enqueue_trouble(None);
        }
    }

    async fn enqueue(&self, number: u64, batch: &Batch) -> Result<(), String> {
        let enqueue = Enqueue {
            queue: &self.queue,
            producer: self.producer,
            batch: number,
            tasks: &batch.tasks,
            waiting_max: self.limits.waiting_max,
            counts: &batch.counts,
        };
        match time::timeout(self.limits.patience, self.broker.enqueue(&enqueue)).await {
            Ok(Ok(Enqueued::Accepted | Enqueued::Already)) => {
                if let Some(log) = &self.accepted_log {
                    log.write(&enqueue);
                }
                Ok(())
            }
            Ok(Ok(Enqueued::Full { waiting })) => {
                Err(format!("the queue is full: {waiting} tasks wait, the limit is {}", self.limits.waiting_max))
            }
            Ok(Err(error)) => Err(chain(&error)),
            Err(_) => Err(format!("the broker gave no answer within {:?}", self.limits.patience)),
        }
    }
}
