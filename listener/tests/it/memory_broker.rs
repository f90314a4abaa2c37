//! A broker that a test can see into and make fail.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use async_trait::async_trait;
use common::broker::shards::{GroupName, HeldShard, HoldShards, ShardBook, ShardGrant, ShardMap};
use common::broker::{Bell, Broker, BrokerDesk, BrokerError, Census, Enqueue, Enqueued, ShardBroker};
use common::market::Epoch;
use common::presence::{InstanceId, ListenerState, Part, Presence};
use common::queue::{
    Check, DeadFilter, DeadId, DeadPage, Finding, GAP_KIND, LeaseId, QueueName, Reaped, Settled, Settlement, Take,
    Taken, Task,
};
use common::roster::{RosterEvent, RosterNews};

/// How it behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Mood {
    #[default]
    Up,
    /// Refuses everything.
    Away,
    /// Takes no tasks.
    Full,
    /// Does what it is asked, and does not say so.
    LosesReplies,
    /// Never answers an enqueue.
    Silent,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) mood: Mood,
    pub(crate) tasks: Vec<Vec<u8>>,
    pub(crate) received: u64,
    pub(crate) rejected: BTreeMap<Box<str>, u64>,
    pub(crate) shed: BTreeMap<Box<str>, u64>,
    pub(crate) epoch: u64,
    pub(crate) enqueues: u64,
    pub(crate) empty_enqueues: u64,
    pub(crate) presences: BTreeMap<InstanceId, Presence>,
    /// Shards of the one group that a test uses.
    pub(crate) books: BTreeMap<String, ShardBook>,
    /// The events of that group; the revision is their number.
    pub(crate) roster: Vec<RosterEvent>,
    batches: HashMap<(InstanceId, u64), Vec<Vec<u8>>>,
}

/// What a task says, without its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) conn: u32,
    pub(crate) epoch: u64,
    pub(crate) seq: u32,
    pub(crate) body: String,
}

#[derive(Debug, Default)]
pub(crate) struct MemoryBroker {
    state: Mutex<State>,
}

impl MemoryBroker {
    pub(crate) fn fresh() -> Arc<Self> {
        Arc::new(Self::default())
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    pub(crate) fn set(&self, mood: Mood) {
        self.state().mood = mood;
    }

    /// Tasks that hold market data; those that tell of gaps are not among them.
    pub(crate) fn tasks(&self) -> usize {
        self.seen().len()
    }

    /// The bodies of tasks that tell of gaps.
    pub(crate) fn gaps(&self) -> Vec<String> {
        let state = self.state();
        let tasks = state.tasks.iter().map(|element| Task::decode(element).unwrap());
        tasks.filter(|task| task.kind == GAP_KIND).map(|task| task.body.get().to_owned()).collect()
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        let read = |element: &Vec<u8>| {
            let task = Task::decode(element).unwrap();
            let body = task.body.get().to_owned();
            (task.kind != GAP_KIND).then(|| Seen { conn: task.conn, epoch: task.epoch.get(), seq: task.seq, body })
        };
        self.state().tasks.iter().filter_map(read).collect()
    }

    /// The state that the one listener announces.
    pub(crate) fn listener(&self) -> Option<ListenerState> {
        match &self.state().presences.values().next()?.part {
            Part::Listener(state) => Some(state.clone()),
            Part::Worker(_) => None,
        }
    }

    fn check_up(&self) -> Result<(), BrokerError> {
        if self.state().mood == Mood::Away { Err(away()) } else { Ok(()) }
    }
}

fn away() -> BrokerError {
    BrokerError::Unavailable { place: "memory".into(), source: "connection refused".into() }
}

fn unasked() -> BrokerError {
    BrokerError::Unexpected { place: "memory".into(), answer: "a listener does not ask this".into() }
}

#[async_trait]
impl Broker for MemoryBroker {
    async fn preflight(&self) -> Result<Vec<String>, BrokerError> {
        Ok(Vec::new())
    }

    async fn next_epoch(&self) -> Result<Epoch, BrokerError> {
        self.check_up()?;
        let mut state = self.state();
        state.epoch += 1;
        Ok(Epoch::new(state.epoch).unwrap())
    }

    async fn enqueue(&self, enqueue: &Enqueue<'_>) -> Result<Enqueued, BrokerError> {
        let mood = self.state().mood;
        match mood {
            Mood::Up | Mood::LosesReplies => {}
            Mood::Away => return Err(away()),
            Mood::Full => return Ok(Enqueued::Full { waiting: enqueue.waiting_max }),
            Mood::Silent => std::future::pending().await,
        }
        let mut state = self.state();
        state.enqueues += 1;
        state.empty_enqueues += u64::from(enqueue.tasks.is_empty());
        let key = (enqueue.producer, enqueue.batch);
        if let Some(before) = state.batches.get(&key) {
            assert_eq!(before, enqueue.tasks, "a repeated batch must hold the same bytes");
            return Ok(Enqueued::Already);
        }
        state.batches.insert(key, enqueue.tasks.to_vec());
        state.tasks.extend_from_slice(enqueue.tasks);
        state.received += enqueue.counts.received;
        for (reason, count) in &enqueue.counts.rejected {
            *state.rejected.entry(reason.clone()).or_default() += count;
        }
        for (policy, count) in &enqueue.counts.shed {
            *state.shed.entry(policy.clone()).or_default() += count;
        }
        if mood == Mood::LosesReplies { Err(away()) } else { Ok(Enqueued::Accepted) }
    }

    async fn take(&self, _take: &Take) -> Result<Taken, BrokerError> {
        Err(unasked())
    }

    fn bell(&self, _queues: &[QueueName]) -> Box<dyn Bell> {
        unreachable!("a listener does not wait for tasks")
    }

    async fn settle(
        &self,
        _settlement: &Settlement,
        _next: Option<&Take>,
    ) -> Result<(Settled, Option<Taken>), BrokerError> {
        Err(unasked())
    }

    async fn release(&self, _queue: &QueueName, _lease: LeaseId) -> Result<Settled, BrokerError> {
        Err(unasked())
    }

    async fn renew(&self, _: &QueueName, _: &[LeaseId], _: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        Err(unasked())
    }

    async fn reap(&self, _queue: &QueueName) -> Result<Reaped, BrokerError> {
        Err(unasked())
    }
}

#[async_trait]
impl ShardBroker for MemoryBroker {
    async fn groups(&self) -> Result<Vec<GroupName>, BrokerError> {
        Err(unasked())
    }

    async fn hold_shards(&self, wish: &HoldShards<'_>) -> Result<ShardGrant, BrokerError> {
        self.check_up()?;
        let mut state = self.state();
        let State { books, epoch, roster, .. } = &mut *state;
        let book = books.entry(wish.group.as_str().to_owned()).or_default();
        book.hold(wish, common::clock::now());
        let mut held = Vec::new();
        for (shard, holding) in book.shards.iter_mut().filter(|(_, holding)| holding.owner == wish.owner) {
            let epoch = *holding.epoch.get_or_insert_with(|| {
                *epoch += 1;
                Epoch::new(*epoch).unwrap()
            });
            held.push(HeldShard { shard: *shard, epoch, since: holding.since });
        }
        let owners = u32::try_from(book.owners.len()).unwrap();
        Ok(ShardGrant { held, owners, revision: roster.len() as u64 })
    }

    async fn release_shards(&self, group: &GroupName, owner: InstanceId) -> Result<(), BrokerError> {
        self.check_up()?;
        self.state().books.entry(group.as_str().to_owned()).or_default().release(owner);
        Ok(())
    }

    async fn shard_map(&self, group: &GroupName) -> Result<ShardMap, BrokerError> {
        Ok(self.state().books.entry(group.as_str().to_owned()).or_default().map())
    }

    async fn roster_append(&self, _group: &GroupName, events: &[RosterEvent]) -> Result<u64, BrokerError> {
        self.check_up()?;
        let mut state = self.state();
        state.roster.extend_from_slice(events);
        Ok(state.roster.len() as u64)
    }

    async fn roster_since(&self, _group: &GroupName, revision: u64) -> Result<RosterNews, BrokerError> {
        self.check_up()?;
        let state = self.state();
        let events = state.roster[usize::try_from(revision).unwrap()..].to_vec();
        Ok(RosterNews { events, revision: state.roster.len() as u64, is_restart: false })
    }
}

#[async_trait]
impl BrokerDesk for MemoryBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        Err(unasked())
    }

    async fn census(&self, _queue: &QueueName) -> Result<Census, BrokerError> {
        Err(unasked())
    }

    async fn set_paused(&self, _queue: &QueueName, _paused: bool) -> Result<(), BrokerError> {
        Err(unasked())
    }

    async fn dead_page(
        &self,
        _queue: &QueueName,
        _filter: &DeadFilter,
        _from: Option<DeadId>,
        _limit: u32,
    ) -> Result<DeadPage, BrokerError> {
        Err(unasked())
    }

    async fn dead_retry(&self, _queue: &QueueName, _ids: &[DeadId]) -> Result<u64, BrokerError> {
        Err(unasked())
    }

    async fn dead_purge(&self, _queue: &QueueName, _ids: &[DeadId]) -> Result<u64, BrokerError> {
        Err(unasked())
    }

    async fn fsck(&self, _queue: &QueueName, _check: Check) -> Result<Vec<Finding>, BrokerError> {
        Err(unasked())
    }

    async fn announce(&self, presence: &Presence, _ttl: Duration) -> Result<(), BrokerError> {
        // Announced whatever the mood: the tests look through it.
        self.state().presences.insert(presence.instance, presence.clone());
        Ok(())
    }

    async fn depart(&self, instance: InstanceId) -> Result<(), BrokerError> {
        self.state().presences.remove(&instance);
        Ok(())
    }

    async fn presences(&self) -> Result<Vec<Presence>, BrokerError> {
        Ok(self.state().presences.values().cloned().collect())
    }
}
