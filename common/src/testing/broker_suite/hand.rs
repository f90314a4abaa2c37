//! One process at work on one queue, in the words the promises are written in.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::broker::{Broker, BrokerError, Census, Enqueue, Enqueued};
use crate::clock;
use crate::presence::InstanceId;
use crate::queue::{
    Batch, DeadId, DeadLetter, IntakeCounts, LeaseId, QueueName, Retry, Settled, Settlement, Take, Taken, TickCounts,
};
use crate::testing::eventually;

/// Long enough that nothing expires while a test runs.
pub(super) const LONG: Duration = Duration::from_mins(1);
/// Short enough to wait for.
pub(super) const SHORT: Duration = Duration::from_millis(30);
/// How long a promise may take on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A producer and a worker on one queue.
#[derive(Debug)]
pub struct Hand {
    /// Its handle.
    pub broker: Arc<dyn Broker>,
    /// Its queue.
    pub queue: QueueName,
    producer: InstanceId,
    batches: AtomicU64,
}

impl Hand {
    /// A process on the queue all promises use.
    pub fn new(broker: &Arc<dyn Broker>) -> Self {
        Self::on(broker, "suite.ticks")
    }

    /// A process on a queue of that name.
    pub fn on(broker: &Arc<dyn Broker>, queue: &str) -> Self {
        let queue = queue.parse().expect("the name is good");
        Self { broker: Arc::clone(broker), queue, producer: InstanceId::fresh(), batches: AtomicU64::new(0) }
    }

    /// Enqueues texts, oldest first.
    pub async fn put(&self, tasks: &[&str]) {
        let tasks: Vec<Vec<u8>> = tasks.iter().map(|task| task.as_bytes().to_vec()).collect();
        assert_eq!(self.put_bytes(&tasks).await, Enqueued::Accepted);
    }

    /// Enqueues anything, as the next batch of this producer.
    pub async fn put_bytes(&self, tasks: &[Vec<u8>]) -> Enqueued {
        let batch = self.batches.fetch_add(1, Ordering::Relaxed) + 1;
        self.put_as(batch, tasks, u64::MAX >> 11, &IntakeCounts::default()).await
    }

    /// Enqueues with everything spelled out.
    pub async fn put_as(&self, batch: u64, tasks: &[Vec<u8>], waiting_max: u64, counts: &IntakeCounts) -> Enqueued {
        self.try_put_as(batch, tasks, waiting_max, counts).await.expect("enqueue")
    }

    /// The same, where it may fail.
    pub async fn try_put_as(
        &self,
        batch: u64,
        tasks: &[Vec<u8>],
        waiting_max: u64,
        counts: &IntakeCounts,
    ) -> Result<Enqueued, BrokerError> {
        let enqueue = Enqueue { queue: &self.queue, producer: self.producer, batch, tasks, waiting_max, counts };
        self.broker.enqueue(&enqueue).await
    }

    /// A wish for up to `tasks_max` tasks under a fresh name.
    pub fn wish(&self, tasks_max: u32, ttl: Duration) -> Take {
        Take {
            queue: self.queue.clone(),
            lease: LeaseId::fresh(),
            tasks_max,
            bytes_max: 4 << 20,
            ttl,
            worker: "w1".into(),
        }
    }

    /// Takes up to `tasks_max` tasks for long.
    pub async fn take(&self, tasks_max: u32) -> Taken {
        self.take_as(&self.wish(tasks_max, LONG)).await
    }

    /// Takes as spelled out.
    pub async fn take_as(&self, take: &Take) -> Taken {
        self.broker.take(take).await.expect("take")
    }

    /// Takes for long; there must be something.
    pub async fn batch(&self, tasks_max: u32) -> Batch {
        batch_of(self.take(tasks_max).await)
    }

    /// Takes and forgets, as a worker that dies, and waits until the lease is reaped.
    pub async fn die_with(&self, tasks_max: u32) -> Batch {
        let mut died = None;
        eventually("a batch is due", PATIENCE, async || {
            died = match self.take_as(&self.wish(tasks_max, SHORT)).await {
                Taken::Batch(batch) => Some(batch),
                Taken::Empty | Taken::Paused | Taken::Used => None,
            };
            died.is_some()
        })
        .await;
        self.reap_one().await;
        died.expect("eventually there was one")
    }

    /// Waits until a lease is reaped.
    pub async fn reap_one(&self) {
        eventually("an expired lease is reaped", PATIENCE, async || {
            let reaped = self.broker.reap(&self.queue).await.expect("reap");
            0 < reaped.returned + reaped.bisected + reaped.convicted
        })
        .await;
    }

    /// Waits for a batch that is not due yet.
    pub async fn batch_in_time(&self, tasks_max: u32) -> Batch {
        let mut taken = Taken::Empty;
        eventually("a batch is due", PATIENCE, async || {
            taken = self.take(tasks_max).await;
            matches!(taken, Taken::Batch(_))
        })
        .await;
        batch_of(taken)
    }

    /// The settlement of a whole batch as stored.
    pub fn all_stored(&self, batch: &Batch) -> Settlement {
        let count = batch.tasks.len() as u64;
        let counts = TickCounts { ticks: count, stored: count, ..TickCounts::default() };
        self.ending(batch, batch.tasks.len(), counts)
    }

    /// A settlement of `settled` tasks of a batch, to be completed.
    pub fn ending(&self, batch: &Batch, settled: usize, counts: TickCounts) -> Settlement {
        let settled = u32::try_from(settled).expect("a batch is small");
        let queue = self.queue.clone();
        Settlement { queue, lease: batch.lease, settled, counts, retry: Vec::new(), dead: Vec::new() }
    }

    /// Settles a whole batch as stored.
    pub async fn store(&self, batch: &Batch) -> Settled {
        self.settle(&self.all_stored(batch)).await
    }

    /// Settles as spelled out.
    pub async fn settle(&self, settlement: &Settlement) -> Settled {
        self.broker.settle(settlement, None).await.expect("settle").0
    }

    /// Takes and stores everything that is there now; returns it in order.
    pub async fn drain(&self) -> Vec<String> {
        let mut drained = Vec::new();
        while let Taken::Batch(batch) = self.take(100).await {
            assert_eq!(self.store(&batch).await, Settled::Done);
            drained.extend(texts(&batch));
        }
        drained
    }

    /// A look at the queue; its ledger must balance.
    pub async fn census(&self) -> Census {
        let census = self.broker.census(&self.queue).await.expect("census");
        assert!(census.ledger.is_balanced(), "out of balance: {:?}", census.ledger);
        census
    }

    /// Waiting, leased, delayed, dead, settled.
    pub async fn places(&self) -> [u64; 5] {
        let ledger = self.census().await.ledger;
        [ledger.waiting, ledger.leased, ledger.delayed, ledger.dead, ledger.settled]
    }

    /// Puts tasks that are tried again after a while: one batch each, as different delays make it.
    pub async fn delay(&self, tasks: &[String], after: Duration) {
        self.put(&tasks.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let batch = self.batch(u32::try_from(tasks.len()).expect("a few")).await;
        let mut settlement = self.ending(&batch, 0, TickCounts::default());
        settlement.retry = tasks.iter().map(|task| retry(&[task], after)).collect();
        assert_eq!(self.settle(&settlement).await, Settled::Done);
    }

    /// Buries tasks, each on its own; returns their letters, oldest first.
    pub async fn bury(&self, tasks: &[&str], reason: &str, code: Option<&str>) -> Vec<DeadLetter> {
        self.put(tasks).await;
        let batch = self.batch(u32::try_from(tasks.len()).expect("a few")).await;
        let mut settlement = self.ending(&batch, 0, TickCounts::default());
        settlement.dead = batch.tasks.iter().map(|task| letter(task, reason, code)).collect();
        assert_eq!(self.settle(&settlement).await, Settled::Done);
        settlement.dead
    }
}

/// The batch of a take that must have found one.
#[expect(clippy::panic, reason = "a broken promise fails the test")]
pub(super) fn batch_of(taken: Taken) -> Batch {
    match taken {
        Taken::Batch(batch) => batch,
        other @ (Taken::Empty | Taken::Paused | Taken::Used) => panic!("no batch, but {other:?}"),
    }
}

/// A batch's tasks as text.
pub(super) fn texts(batch: &Batch) -> Vec<String> {
    batch.tasks.iter().map(|task| String::from_utf8_lossy(task).into_owned()).collect()
}

/// A dead letter about a task.
pub(super) fn letter(task: &[u8], reason: &str, code: Option<&str>) -> DeadLetter {
    DeadLetter {
        id: DeadId::fresh(),
        reason: reason.into(),
        code: code.map(Into::into),
        error: "value out of range\nDETAIL: line two".to_owned(),
        symbol: Some("NSE:RELIANCE25JULFUT".into()),
        attempts: 3,
        worker: "w1".into(),
        died_at: clock::now(),
        task: task.to_vec(),
    }
}

/// Tasks to try again after a while.
pub(super) fn retry(tasks: &[&str], after: Duration) -> Retry {
    Retry { tasks: tasks.iter().map(|task| task.as_bytes().to_vec()).collect(), after }
}

/// The names of letters, for comparison.
pub(super) fn ids(letters: &[DeadLetter]) -> BTreeSet<DeadId> {
    letters.iter().map(|letter| letter.id).collect()
}
