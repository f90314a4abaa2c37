//! One try to hand an enqueue to the broker, and what people hear of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use common::broker::{Broker, Enqueue, Enqueued};
use common::clock;
use common::failpoint::{Point, reach};
use common::latency::{LatencyLog, Stage};
use common::outage::{Outage, chain};
use tokio::time;
use tracing::{info, warn};

use crate::accepted_log::{AcceptedLog, Durable};
use crate::board::Board;
use crate::element::received_at;
use crate::intake::Intake;
use crate::options::EnqueueLimits;

/// The way to the broker; shared by the enqueuer and by what drains the spool.
#[derive(Debug)]
pub(crate) struct Handover {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) limits: EnqueueLimits,
    pub(crate) intake: Arc<Intake>,
    pub(crate) board: Arc<Board>,
    pub(crate) accepted_log: Option<AcceptedLog>,
    pub(crate) latency_log: Option<Arc<LatencyLog>>,
    /// Where messages are meanwhile, to follow "messages".
    pub(crate) meanwhile: &'static str,
    // Held for a look only, never across an await.
    pub(crate) outage: Mutex<Outage>,
}

impl Handover {
    /// Whether the broker has it now. May be repeated, and dropped at any await: the broker knows a repetition.
    pub(crate) async fn try_once(&self, enqueue: &Enqueue<'_>) -> bool {
        reach(Point::EnqueueBefore);
        let problem = match time::timeout(self.limits.patience, self.broker.enqueue(enqueue)).await {
            Ok(Ok(Enqueued::Accepted | Enqueued::Already)) => {
                reach(Point::EnqueueAfter);
                self.note(Durable::Accepted, enqueue);
                if let Some(log) = &self.latency_log {
                    let now = clock::now();
                    let spans = enqueue.tasks.iter().filter_map(|task| Some((received_at(task)?, now)));
                    log.record(Stage::ReceivedToAccepted, spans);
                }
                self.worked(enqueue);
                return true;
            }
            Ok(Ok(Enqueued::Full { waiting })) => {
                format!("the queue is full: {waiting} tasks wait, the limit is {}", enqueue.waiting_max)
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("the broker gave no answer within {:?}", self.limits.patience),
        };
        self.failed(enqueue, problem);
        false
    }

    /// Writes a batch that is durable now into the account of accepted messages.
    pub(crate) fn note(&self, durable: Durable, enqueue: &Enqueue<'_>) {
        if let Some(log) = &self.accepted_log {
            log.write(durable, enqueue);
        }
    }

    fn worked(&self, enqueue: &Enqueue<'_>) {
        self.board.set_enqueue_trouble(None);
        if let Some(over) = self.outage().ended(clock::monotonic()) {
            let (outage_ms, tries) = (over.lasted.as_millis(), over.tries);
            info!(outage_ms, tries, "queue {} accepts again after {outage_ms} ms", enqueue.queue);
        }
    }

    fn failed(&self, enqueue: &Enqueue<'_>, problem: String) {
        if let Some(notice) = self.outage().failed(clock::monotonic()) {
            let (tries, totals) = (notice.tries, self.intake.totals());
            let (buffered, spooled, meanwhile) = (totals.buffered, totals.spooled, self.meanwhile);
            warn!(tries, buffered, spooled, "queue {} does not accept, messages {meanwhile}: {problem}", enqueue.queue);
        }
        self.board.set_enqueue_trouble(Some(problem));
    }

    fn outage(&self) -> MutexGuard<'_, Outage> {
        self.outage.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
