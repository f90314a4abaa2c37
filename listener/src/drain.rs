//! Empties the spool into the broker: in order, at full speed while it accepts, about one try per second while not.
//!
//! Several records go out one after the other and are removed together: handing over is then faster than filling,
//! whatever the size of the records. Dying in between repeats some of them, which adds nothing (see
//! [`common::broker::sqlite::spool`]).

use std::sync::Arc;

use common::retry::Backoff;
use tokio::time;
use tokio_util::sync::CancellationToken;

use crate::handover::Handover;
use crate::spool::{Done, Spool};

/// Carries from the spool to the broker.
#[derive(Debug)]
pub(crate) struct Drain {
    pub(crate) spool: Arc<Spool>,
    pub(crate) handover: Arc<Handover>,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    Forward,
    Stuck,
}

impl Drain {
    /// Runs until `last_call`, and then for as long as the broker accepts and there is something.
    pub(crate) async fn run(self, last_call: CancellationToken) {
        let mut delays = Backoff::DEPENDENCY.delays();
        loop {
            if self.spool.is_empty() {
                if last_call.run_until_cancelled(self.spool.filled()).await.is_none() && self.spool.is_empty() {
                    return;
                }
                // The broker has just refused what is in there: wait before asking again.
                last_call.run_until_cancelled(time::sleep(Backoff::DEPENDENCY.first)).await;
            }
            match self.step().await {
                Step::Forward => delays = Backoff::DEPENDENCY.delays(),
                Step::Stuck if last_call.is_cancelled() => return,
                Step::Stuck => {
                    let delay = delays.next().unwrap_or(Backoff::DEPENDENCY.longest);
                    last_call.run_until_cancelled(time::sleep(delay)).await;
                }
            }
        }
    }

    async fn step(&self) -> Step {
        let Some(head) = self.spool.head().await else { return Step::Stuck };
        let mut done = Done::default();
        for spooled in &head.enqueues {
            if !self.handover.try_once(&spooled.enqueue(self.handover.limits.waiting_max)).await {
                if done.records == 0 {
                    return Step::Stuck;
                }
                self.spool.forget(done).await;
                return Step::Forward;
            }
            self.spool.handed_over(spooled);
            let (records, tasks) = (done.records + 1, done.tasks + spooled.tasks.len() as u64);
            done = Done { last: spooled.id, records, tasks };
        }
        if let Some(last) = head.last {
            self.spool.forget(Done { last, records: done.records + head.damaged, ..done }).await;
        }
        Step::Forward
    }
}
