//! Random actions on a SQLite broker, against a model of where every task must be.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use common::broker::{Broker, Enqueued};
use common::presence::InstanceId;
use common::queue::{Batch, DeadFilter, Retry, Settled, TickCounts};
use proptest::prelude::*;

use crate::sqlite_broker::{letter, open, put, queue, stored, take, tasks, wish};
use crate::sqlite_broker_audit::audit;

#[derive(Debug, Clone)]
enum Action {
    Enqueue {
        tasks: u32,
    },
    Take {
        tasks_max: u32,
    },
    /// Takes with a deadline that has passed at once, as a worker that dies.
    TakeAndDie {
        tasks_max: u32,
    },
    Settle {
        which: prop::sample::Index,
        retried: usize,
        dead: usize,
    },
    Release {
        which: prop::sample::Index,
    },
    Reap,
    DeadRetry,
    DeadPurge,
    Reopen,
}

fn action() -> impl Strategy<Value = Action> {
    prop_oneof![
        3 => (1..30_u32).prop_map(|tasks| Action::Enqueue { tasks }),
        3 => (1..25_u32).prop_map(|tasks_max| Action::Take { tasks_max }),
        2 => (1..25_u32).prop_map(|tasks_max| Action::TakeAndDie { tasks_max }),
        3 => (any::<prop::sample::Index>(), 0..4_usize, 0..3_usize)
            .prop_map(|(which, retried, dead)| Action::Settle { which, retried, dead }),
        1 => any::<prop::sample::Index>().prop_map(|which| Action::Release { which }),
        2 => Just(Action::Reap),
        1 => Just(Action::DeadRetry),
        1 => Just(Action::DeadPurge),
        1 => Just(Action::Reopen),
    ]
}

/// Where every task is. Batches that wait are only known as a set: their order is by due time.
#[derive(Default)]
struct Model {
    named: u32,
    enqueues: u64,
    waiting: VecDeque<Vec<u8>>,
    returned: Vec<Vec<u8>>,
    held: Vec<Batch>,
    dying: Vec<Batch>,
    dead: Vec<Vec<u8>>,
    purged: u64,
    ended: BTreeMap<Vec<u8>, u32>,
}

struct World {
    broker: std::sync::Arc<dyn Broker>,
    producer: InstanceId,
    model: Model,
}

impl World {
    async fn act(&mut self, action: &Action, path: &Path) {
        match action {
            Action::Enqueue { tasks: count } => {
                let tasks = tasks(self.model.named..self.model.named + count);
                self.model.named += count;
                self.model.enqueues += 1;
                assert_eq!(put(&*self.broker, self.producer, self.model.enqueues, &tasks).await, Enqueued::Accepted);
                self.model.waiting.extend(tasks);
            }
            Action::Take { tasks_max } => {
                let batch = self.take(*tasks_max, Duration::from_mins(1)).await;
                self.model.held.extend(batch);
            }
            Action::TakeAndDie { tasks_max } => {
                let batch = self.take(*tasks_max, Duration::ZERO).await;
                self.model.dying.extend(batch);
            }
            Action::Settle { which, retried, dead } => {
                if !self.model.held.is_empty() {
                    let batch = self.model.held.swap_remove(which.index(self.model.held.len()));
                    self.settle(batch, *retried, *dead).await;
                }
            }
            Action::Release { which } => {
                if self.model.held.is_empty() {
                    return;
                }
                let batch = self.model.held.swap_remove(which.index(self.model.held.len()));
                assert_eq!(self.broker.release(&queue(), batch.lease).await.unwrap(), Settled::Done);
                assert_eq!(self.broker.settle(&stored(&batch), None).await.unwrap().0, Settled::Lost);
                self.model.returned.extend(batch.tasks);
            }
            Action::Reap => self.reap().await,
            Action::DeadRetry => {
                let ids = self.dead_ids().await;
                assert_eq!(self.broker.dead_retry(&queue(), &ids).await.unwrap(), ids.len() as u64);
                self.model.waiting.extend(self.model.dead.drain(..));
            }
            Action::DeadPurge => {
                let ids = self.dead_ids().await;
                assert_eq!(self.broker.dead_purge(&queue(), &ids).await.unwrap(), ids.len() as u64);
                self.model.purged += ids.len() as u64;
                for task in self.model.dead.drain(..) {
                    *self.model.ended.entry(task).or_default() += 1;
                }
            }
            Action::Reopen => self.broker = open(path).await,
        }
    }

    async fn take(&mut self, tasks_max: u32, ttl: Duration) -> Option<Batch> {
        let wish = wish(tasks_max, ttl);
        let batch = take(&*self.broker, &wish).await?;
        assert_eq!(take(&*self.broker, &wish).await.as_ref(), Some(&batch), "a repetition gets the same");
        assert!(batch.tasks.len() <= tasks_max as usize);
        if self.model.returned.is_empty() {
            let head: Vec<Vec<u8>> = self.model.waiting.drain(..batch.tasks.len()).collect();
            assert_eq!(batch.tasks, head, "the head of the queue, in order");
        } else {
            for task in &batch.tasks {
                let place = self.model.returned.iter().position(|returned| returned == task);
                self.model.returned.swap_remove(place.expect("a batch that came back is served first"));
            }
        }
        Some(batch)
    }

    async fn settle(&mut self, batch: Batch, retried: usize, dead: usize) {
        let retried = retried.min(batch.tasks.len());
        let dead = dead.min(batch.tasks.len() - retried);
        let (retry, rest) = batch.tasks.split_at(retried);
        let (given_up, settled) = rest.split_at(dead);
        let mut settlement = stored(&batch);
        settlement.settled = u32::try_from(settled.len()).unwrap();
        settlement.counts = TickCounts::default();
        settlement.retry = vec![Retry { tasks: retry.to_vec(), after: Duration::ZERO }];
        settlement.dead = given_up.iter().map(|task| letter(task)).collect();
        assert_eq!(self.broker.settle(&settlement, None).await.unwrap().0, Settled::Done);
        assert_eq!(self.broker.settle(&settlement, None).await.unwrap().0, Settled::Already);
        self.model.returned.extend_from_slice(retry);
        self.model.dead.extend_from_slice(given_up);
        for task in settled {
            *self.model.ended.entry(task.clone()).or_default() += 1;
        }
    }

    async fn reap(&mut self) {
        let reaped = self.broker.reap(&queue()).await.unwrap();
        let batches = usize::try_from(reaped.returned + reaped.bisected + reaped.convicted).unwrap();
        assert_eq!(batches, self.model.dying.len(), "all that died, and no other");
        for batch in std::mem::take(&mut self.model.dying) {
            assert_eq!(self.broker.settle(&stored(&batch), None).await.unwrap().0, Settled::Lost);
            self.model.returned.extend(batch.tasks);
        }
        let letters = self.broker.dead_page(&queue(), &DeadFilter::default(), None, 1_000).await.unwrap().letters;
        for convicted in letters.into_iter().filter(|letter| &*letter.reason == "crash") {
            if let Some(place) = self.model.returned.iter().position(|task| *task == convicted.task) {
                self.model.dead.push(self.model.returned.swap_remove(place));
            }
        }
    }

    /// The names of all dead letters, oldest first; the model's are put in the same order.
    async fn dead_ids(&mut self) -> Vec<common::queue::DeadId> {
        let (mut ids, mut order, mut from) = (Vec::new(), Vec::new(), None);
        loop {
            let page = self.broker.dead_page(&queue(), &DeadFilter::default(), from, 2).await.unwrap();
            ids.extend(page.letters.iter().map(|letter| letter.id));
            order.extend(page.letters.into_iter().map(|letter| letter.task));
            from = page.next;
            if from.is_none() {
                break;
            }
        }
        let (mut mine, mut theirs) = (self.model.dead.clone(), order.clone());
        mine.sort();
        theirs.sort();
        assert_eq!(mine, theirs, "the dead letters");
        self.model.dead = order;
        ids
    }

    async fn compare(&self) {
        let ledger = self.broker.census(&queue()).await.unwrap().ledger;
        assert!(ledger.is_balanced(), "{ledger:?}");
        let model = &self.model;
        let leased: usize = model.held.iter().chain(&model.dying).map(|batch| batch.tasks.len()).sum();
        let ended: u32 = model.ended.values().sum();
        let places = [model.waiting.len(), leased, model.returned.len(), model.dead.len()].map(|count| count as u64);
        assert_eq!([ledger.waiting, ledger.leased, ledger.delayed, ledger.dead], places);
        assert_eq!(ledger.settled + ledger.purged, u64::from(ended));
        assert_eq!((ledger.accepted, ledger.purged), (u64::from(model.named), model.purged));
    }

    /// Ends everything that is left; every task has ended exactly once then.
    async fn drain(&mut self) {
        self.reap().await;
        for batch in std::mem::take(&mut self.model.held) {
            self.broker.release(&queue(), batch.lease).await.unwrap();
            self.model.returned.extend(batch.tasks);
        }
        while let Some(batch) = self.take(25, Duration::from_mins(1)).await {
            self.settle(batch, 0, 0).await;
        }
        let dead = std::mem::take(&mut self.model.dead);
        assert_eq!(self.model.ended.len() + dead.len(), self.model.named as usize, "none lost");
        assert!(self.model.ended.values().all(|times| *times == 1), "none ended twice");
        self.model.dead = dead;
        self.compare().await;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_every_task_is_somewhere_and_ends_once(
        actions in prop::collection::vec(action(), 1..80)
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("q.db");
            let broker = open(&path).await;
            let mut world = World { broker, producer: InstanceId::fresh(), model: Model::default() };
            for action in &actions {
                world.act(action, &path).await;
                world.compare().await;
            }
            audit(&path);
            world.drain().await;
            audit(&path);
        });
    }
}
