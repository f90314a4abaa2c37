//! One consumer loop: take, store, settle and take again.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::clock;
use common::failpoint::{Point, reach};
use common::latency::LatencyLog;
use common::outage::chain;
use common::queue::{Batch, LeaseId, QueueName, Settled, Settlement, Take, Taken};
use common::retry::Backoff;
use common::shutdown::Shutdown;
use futures_util::FutureExt;
use tokio::time::timeout;
use tracing::{debug, error};

use crate::asks::Asks;
use crate::checkpoint::Checkpoint;
use crate::decode::decode;
use crate::docket::{Clerk, Docket, Failure};
use crate::guard::Verdict;
use crate::idle::{Lookout, Rung, Watch};
use crate::leases::{Keeping, Leases};
use crate::options::WorkerOptions;
use crate::revive::Ward;
use crate::stamps::Stamps;
use crate::stats::Stats;
use crate::trouble::Trouble;
use crate::writer::{Stopping, Writer};

/// A batch that takes longer keeps no other loop from looking: it may be stored row by row, or the store is slow.
const ALONE_MAX: Duration = Duration::from_millis(50);

/// What the loops of a process share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) options: Arc<WorkerOptions>,
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) broker_trouble: Arc<Trouble>,
    pub(crate) writer: Arc<Writer>,
    pub(crate) checkpoint: Arc<Checkpoint>,
    pub(crate) ward: Arc<Ward>,
    pub(crate) leases: Arc<Leases>,
    pub(crate) lookout: Arc<Lookout>,
    pub(crate) latency_log: Option<Arc<LatencyLog>>,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: Shutdown,
}

struct Leased {
    queue: QueueName,
    batch: Batch,
    /// How many tasks it was asked to have.
    asked: u32,
    keeping: Keeping,
}

/// What is known of the queues.
enum Look {
    Due,
    Empty,
    Found(Leased),
}

/// One loop.
#[derive(Debug)]
pub(crate) struct Consumer {
    shared: Shared,
    /// The worker's queues, beginning with the one this loop prefers.
    queues: Vec<QueueName>,
    asks: Asks,
    /// Kept while there is so little to do that the takes that come with the settlements are enough: a tick that comes
    /// during a commit goes with the next one, and no second loop has to take, commit and settle for it alone.
    watch: Option<Watch>,
    /// What the lookout had found when this loop last saw, in settling, that its only queue is empty.
    seen_empty: Option<u64>,
}

impl Consumer {
    pub(crate) fn new(shared: Shared, number: u32) -> Self {
        let mut queues = shared.options.queues.clone();
        let preferred = usize::try_from(number).unwrap_or(0) % queues.len().max(1);
        queues.rotate_left(preferred);
        Self { shared, queues, asks: Asks::default(), watch: None, seen_empty: None }
    }

    /// Works until the process is asked to stop; what is leased by then is finished.
    pub(crate) async fn run(mut self) {
        let mut next = None;
        loop {
            let leased = match next.take() {
                Some(leased) => leased,
                None => match self.look().await {
                    Some(leased) => leased,
                    None => return self.give_back_unanswered().await,
                },
            };
            next = self.work(leased).await;
        }
    }

    /// A take that got no answer may have leased a batch to us that we will never work on.
    async fn give_back_unanswered(self) {
        for (queue, lease) in self.asks.open() {
            self.release(queue, lease).await;
        }
    }

    /// Finds work; `None` when the process is asked to stop.
    async fn look(&mut self) -> Option<Leased> {
        let shutdown = self.shared.shutdown.clone();
        // Asked to stop, it must not take what it has just given back.
        if shutdown.has_begun() {
            return None;
        }
        let lookout = &self.shared.lookout;
        let mut watch = match self.watch.take() {
            Some(watch) => watch,
            None => shutdown.run_until(Arc::clone(lookout).watch()).await?,
        };
        // Nobody of this process was rung for anything since: the look that came with the settlement counts.
        let has_looked = self.seen_empty.take() == Some(lookout.finds());
        let mut look = if has_looked { Look::Empty } else { Look::Due };
        loop {
            look = match look {
                Look::Found(leased) => {
                    watch.found();
                    self.watch = self.is_all(&leased.batch).then_some(watch);
                    return Some(leased);
                }
                Look::Due if shutdown.has_begun() => return None,
                Look::Due => self.take_any().await.map_or(Look::Empty, Look::Found),
                Look::Empty => shutdown.run_until(self.wait(&mut watch)).await?,
            }
        }
    }

    /// Waits until it is time to look, and looks where that is one round trip.
    async fn wait(&mut self, watch: &mut Watch) -> Look {
        let [queue] = &self.queues[..] else {
            watch.rung(None).await;
            return Look::Due;
        };
        let queue = queue.clone();
        let take = watch.takes().then(|| self.asking(&queue));
        let Rung::AndTaken(taken) = watch.rung(take.as_ref()).await else { return Look::Due };
        self.shared.broker_trouble.answered(clock::monotonic());
        let name_is_used = taken == Taken::Used;
        match self.answered(&queue, taken) {
            Some(leased) => Look::Found(leased),
            None if name_is_used => Look::Due,
            None => Look::Empty,
        }
    }

    /// Whether there is nothing to do for another loop.
    fn is_all(&self, batch: &Batch) -> bool {
        batch.is_last && self.queues.len() == 1
    }

    async fn take_any(&mut self) -> Option<Leased> {
        for queue in self.queues.clone() {
            let take = self.asking(&queue);
            match self.shared.broker.take(&take).await {
                Ok(taken) => {
                    self.shared.broker_trouble.answered(clock::monotonic());
                    if let Some(leased) = self.answered(&queue, taken) {
                        return Some(leased);
                    }
                }
                Err(error) => {
                    self.shared.broker_trouble.failed(&error, clock::monotonic());
                    let pause = Backoff::DEPENDENCY.longest;
                    self.shared.shutdown.run_until(tokio::time::sleep(pause)).await?;
                }
            }
        }
        None
    }

    fn asking(&mut self, queue: &QueueName) -> Take {
        let options = &self.shared.options;
        let tasks_max = self.shared.writer.size().now(options.limits().batch_tasks);
        self.asks.next(queue, options, tasks_max)
    }

    fn answered(&mut self, queue: &QueueName, taken: Taken) -> Option<Leased> {
        self.shared.stats.took(clock::now());
        self.shared.stats.progressed(clock::monotonic());
        let batch = match taken {
            Taken::Empty | Taken::Paused => {
                self.asks.was_in_vain(queue);
                return None;
            }
            Taken::Used => {
                self.asks.used(queue);
                return None;
            }
            Taken::Batch(batch) => batch,
        };
        reach(Point::TakeAfter);
        let (take, since) = self.asks.used(queue)?;
        let keeping = self.shared.leases.keep(queue, batch.lease, since);
        Some(Leased { queue: queue.clone(), batch, asked: take.tasks_max, keeping })
    }

    /// Stores and settles a batch; returns the next one, taken in the same round trip.
    async fn work(&mut self, leased: Leased) -> Option<Leased> {
        let Leased { queue, batch, asked, keeping } = leased;
        let mut watch = self.watch.take();
        let outcome = keep_while(&mut watch, keeping.while_held(self.store(&queue, &batch, asked))).await;
        self.watch = watch;
        match outcome {
            Some(Ok(settlement)) => {
                reach(Point::CommitAfter);
                // The rows are committed: from here a renewal could only meet a lease that is settled already.
                drop(keeping);
                self.settle(&queue, &settlement).await
            }
            Some(Err(Stopping)) => {
                self.release(&queue, batch.lease).await;
                None
            }
            None => None, // lost: whoever has it now stores it
        }
    }

    async fn store(&self, queue: &QueueName, batch: &Batch, asked: u32) -> Result<Settlement, Stopping> {
        let tasks = &batch.tasks;
        let mut docket = Docket::with_capacity(tasks.len());
        let mut open: Vec<usize> = (0..tasks.len()).collect();
        let verdict = loop {
            let pass = self.shared.checkpoint.pass(&self.shared.shutdown).await?;
            self.store_open(tasks, &open, &mut docket).await?;
            let verdict = self.shared.checkpoint.judge(docket.tally(tasks));
            drop(pass);
            match verdict {
                Verdict::Settle | Verdict::Postpone => break verdict,
                Verdict::Hold => open = docket.reopen(),
            }
        };
        if let Some(took) = docket.commit() {
            let tasks = u32::try_from(tasks.len()).unwrap_or(u32::MAX);
            self.shared.writer.size().committed(tasks, asked, took);
        }
        let options = &self.shared.options;
        let postpone = verdict == Verdict::Postpone;
        let clerk = Clerk { worker: &options.name, now: clock::now(), retry: options.limits().row_retry, postpone };
        Ok(docket.settle(queue, batch.lease, tasks, clerk))
    }

    /// Stores those tasks of a batch that are still open.
    async fn store_open(&self, tasks: &[Vec<u8>], open: &[usize], docket: &mut Docket) -> Result<(), Stopping> {
        let before = docket.clone();
        let all = open.iter().map(|&number| (number, &*tasks[number]));
        let whole = AssertUnwindSafe(self.fill(all, docket)).catch_unwind().await;
        match whole {
            Ok(filled) => filled,
            Err(_panic) => {
                *docket = before;
                self.store_alone(tasks, open, docket).await
            }
        }
    }

    /// After a panic: every task on its own, so that the one to blame is given up and its neighbours are stored.
    async fn store_alone(&self, tasks: &[Vec<u8>], open: &[usize], docket: &mut Docket) -> Result<(), Stopping> {
        for &number in open {
            let one = std::iter::once((number, &*tasks[number]));
            let alone = AssertUnwindSafe(self.fill(one, docket)).catch_unwind().await;
            match alone {
                Ok(filled) => filled?,
                Err(_panic) => {
                    error!(worker.name = %self.shared.options.name, "a task made this worker panic, giving it up");
                    docket.fail(
                        number,
                        Failure {
                            reason: "panic",
                            code: None,
                            error: "storing it made the worker panic: a bug of this program".to_owned(),
                            symbol: None,
                            may_retry: false,
                        },
                    );
                }
            }
        }
        Ok(())
    }

    async fn fill<'b>(
        &self,
        tasks: impl Iterator<Item = (usize, &'b [u8])>,
        docket: &mut Docket,
    ) -> Result<(), Stopping> {
        let now = clock::now();
        let decoded = decode(tasks, now, self.shared.options.limits().age_max, docket);
        let Some(log) = &self.shared.latency_log else { return self.shared.writer.write(decoded, docket).await };
        let stamps = Stamps::of(&decoded.sightings(), now);
        self.shared.writer.write(decoded, docket).await?;
        stamps.committed(log, clock::now());
        Ok(())
    }

    /// Repeats the settlement until it is answered: the rows are committed, so only the answer counts.
    async fn settle(&mut self, queue: &QueueName, settlement: &Settlement) -> Option<Leased> {
        let shared = self.shared.clone();
        let next = (!shared.shutdown.has_begun()).then(|| self.asking(queue));
        let mut delays = Backoff::DEPENDENCY.delays();
        let finds = shared.lookout.finds();
        loop {
            match shared.broker.settle(settlement, next.as_ref()).await {
                Ok((settled, taken)) => {
                    reach(Point::SettleAfter);
                    shared.broker_trouble.answered(clock::monotonic());
                    note(settled, settlement, &shared.stats);
                    let is_empty = self.queues.len() == 1 && taken == Some(Taken::Empty);
                    self.seen_empty = is_empty.then_some(finds);
                    let leased = taken.and_then(|taken| self.answered(queue, taken))?;
                    if !self.is_all(&leased.batch)
                        && let Some(watch) = self.watch.take()
                    {
                        watch.found();
                    }
                    return Some(leased);
                }
                Err(error) if error.is_transient() => {
                    shared.broker_trouble.failed(&error, clock::monotonic());
                    // Until then the batch may come to another worker, which finds its rows stored: never lost.
                    tokio::time::sleep(delays.next().unwrap_or(Backoff::DEPENDENCY.longest)).await;
                }
                Err(error) => {
                    let error = chain(&error);
                    error!(lease = %settlement.lease, %error, "the broker refused a settlement, the batch will come again");
                    return None;
                }
            }
        }
    }

    async fn release(&self, queue: &QueueName, lease: LeaseId) {
        match self.shared.broker.release(queue, lease).await {
            Ok(Settled::Done) => debug!(%lease, "released a batch"),
            Ok(Settled::Already | Settled::Lost) => {}
            // Not released, it comes again when the lease has run out.
            Err(error) => self.shared.broker_trouble.failed(&error, clock::monotonic()),
        }
    }
}

/// Gives the watch up when the work takes long.
async fn keep_while<T>(watch: &mut Option<Watch>, work: impl Future<Output = T>) -> T {
    let mut work = Box::pin(work);
    match timeout(ALONE_MAX, work.as_mut()).await {
        Ok(outcome) => outcome,
        Err(_elapsed) => {
            *watch = None;
            work.await
        }
    }
}

fn note(settled: Settled, settlement: &Settlement, stats: &Stats) {
    match settled {
        Settled::Done | Settled::Already => {
            let dead = settlement.dead.len() as u64;
            stats.settled(u64::from(settlement.settled) + dead, dead);
        }
        Settled::Lost => stats.lease_lost(),
    }
}
