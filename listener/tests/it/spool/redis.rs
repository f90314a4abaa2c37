//! The same with a real Redis that goes away in its ways.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::redis::connect;
use common::presence::{InstanceId, Part};
use common::queue::{LeaseId, QueueName, Settlement, Take, Taken, Task, TickCounts};
use common::shutdown::Shutdown;
use common::testing::{RedisServer, eventually};
use listener::{ListenerError, ListenerSummary};
use tokio::task::JoinHandle;

use super::*;
use crate::rig;
use crate::server::{Peer, Server};

/// The promise: messages go on this soon after Redis does.
const RESUMED_WITHIN: Duration = Duration::from_secs(2);

struct RedisRig {
    redis: RedisServer,
    broker: Arc<dyn Broker>,
    queue: QueueName,
    peer: Peer,
    _server: Server,
    shutdown: Shutdown,
    listener: JoinHandle<Result<ListenerSummary, ListenerError>>,
    folder: TempDir,
}

impl RedisRig {
    async fn start(args: &[&str]) -> Self {
        let (redis, server, folder) =
            (RedisServer::start_with(args).await, Server::start().await, tempfile::tempdir().unwrap());
        let broker = connect(&redis.url()).await.unwrap();
        let mut options = rig::options(&server, &["BTCUSDT"]);
        spooling(&mut options, folder.path(), ROOMY);
        options.enqueue.tasks_max = 100;
        let queue = options.queue.clone();
        let shutdown = Shutdown::new();
        let listener = tokio::spawn(listener::run(options, connect(&redis.url()).await.unwrap(), shutdown.clone()));
        let peer = server.accept_subscribed().await;
        Self { redis, broker, queue, peer, _server: server, shutdown, listener, folder }
    }

    async fn accepted(&self) -> Option<u64> {
        Some(self.broker.census(&self.queue).await.ok()?.ledger.accepted)
    }

    async fn has(&self, count: u64) {
        eventually("accepted", PATIENCE, async || self.accepted().await == Some(count)).await;
    }

    /// Something is on the disk.
    async fn spools(&self) {
        eventually("a spool", PATIENCE, async || !files(&self.folder, ".db").is_empty()).await;
    }

    /// Everything arrives soon after Redis is back, once, in order.
    async fn comes_through(mut self, sent: u64) {
        let back = common::clock::monotonic();
        let before = self.accepted().await;
        eventually("messages go on", PATIENCE, async || {
            let now = self.accepted().await;
            now.is_some() && (before < now || now == Some(sent))
        })
        .await;
        assert!(back.elapsed() < RESUMED_WITHIN, "{:?}", back.elapsed());
        self.peer.trades("BTCUSDT", sent..sent + 10).await;
        let sent = sent + 10;
        self.has(sent).await;
        eventually("the spool is gone", PATIENCE, async || files(&self.folder, ".db").is_empty()).await;
        self.shutdown.begin();
        let summary = tokio::time::timeout(PATIENCE, self.listener).await.unwrap().unwrap().unwrap();
        assert_eq!((summary.accepted, summary.spooled, summary.shed.len()), (sent, 0, 0), "{summary:?}");
        let mut seqs = Vec::new();
        while let Some(batch) = take(&*self.broker, &self.queue).await {
            seqs.extend(batch);
        }
        assert_eq!(seqs, (0..sent).collect::<Vec<_>>());
        assert!(self.broker.census(&self.queue).await.unwrap().ledger.is_balanced());
    }
}

/// Takes and settles a batch; the places of its tasks.
async fn take(broker: &dyn Broker, queue: &QueueName) -> Option<Vec<u64>> {
    let take = Take {
        queue: queue.clone(),
        lease: LeaseId::fresh(),
        worker: InstanceId::fresh().to_string().into(),
        tasks_max: 1_000,
        bytes_max: 4 << 20,
        ttl: Duration::from_mins(1),
    };
    let Taken::Batch(batch) = broker.take(&take).await.unwrap() else { return None };
    let seqs = batch.tasks.iter().map(|task| u64::from(Task::decode(task).unwrap().seq)).collect();
    let settled = u32::try_from(batch.tasks.len()).unwrap();
    let (counts, retry, dead) = (TickCounts::default(), Vec::new(), Vec::new());
    let settlement = Settlement { queue: queue.clone(), lease: batch.lease, settled, counts, retry, dead };
    broker.settle(&settlement, None).await.unwrap();
    Some(seqs)
}

#[tokio::test]
async fn a_redis_that_is_killed_and_comes_back_gets_everything_once_and_in_order() {
    let mut rig = RedisRig::start(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    rig.peer.trades("BTCUSDT", 0..500).await;
    rig.has(500).await;
    rig.redis.stop();
    rig.peer.trades("BTCUSDT", 500..5_000).await;
    rig.spools().await;
    rig.redis.start().await;
    rig.comes_through(5_000).await;
}

#[tokio::test]
async fn a_frozen_redis_gets_everything_once_though_it_had_some_already() {
    let mut rig = RedisRig::start(&[]).await;
    rig.peer.trades("BTCUSDT", 0..500).await;
    rig.has(500).await;
    rig.redis.pause();
    rig.peer.trades("BTCUSDT", 500..5_000).await;
    rig.spools().await;
    rig.redis.resume();
    rig.comes_through(5_000).await;
}

#[tokio::test]
async fn a_redis_out_of_memory_gets_the_rest_when_it_has_room() {
    let mut rig = RedisRig::start(&["--maxmemory-policy", "noeviction"]).await;
    rig.peer.trades("BTCUSDT", 0..500).await;
    rig.has(500).await;
    rig.redis.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);
    rig.peer.trades("BTCUSDT", 500..5_000).await;
    rig.spools().await;
    rig.redis.cli(&["CONFIG", "SET", "maxmemory", "200mb"]);
    rig.comes_through(5_000).await;
}

#[tokio::test]
async fn a_redis_that_comes_back_empty_is_told_with_what_is_lost_and_nothing_freezes() {
    let mut rig = RedisRig::start(&[]).await;
    rig.peer.trades("BTCUSDT", 0..500).await;
    rig.has(500).await;
    let settled = take(&*rig.broker, &rig.queue).await.unwrap().len() as u64;
    let shown = async || match rig.broker.presences().await.ok()?.into_iter().next()?.part {
        Part::Listener(state) => Some(state),
        Part::Worker(_) => None,
    };
    // Two beats after the settlement, the listener has seen it.
    let beats = async || Some(rig.broker.presences().await.ok()?.first()?.beat_at);
    for _ in 0..2 {
        let before = beats().await;
        eventually("a beat", PATIENCE, async || before < beats().await).await;
    }
    assert_eq!(shown().await.unwrap().wiped, None);

    rig.redis.restart().await; // keeps nothing
    eventually("told", PATIENCE, async || shown().await.is_some_and(|state| state.wiped.is_some())).await;
    rig.peer.trades("BTCUSDT", 500..600).await;
    rig.has(100).await;
    let wiped = shown().await.unwrap().wiped.unwrap();
    assert_eq!((wiped.known_accepted, wiped.known_settled, wiped.lost_max), (500, settled, 500 - settled));
    rig.shutdown.begin();
    let summary = tokio::time::timeout(PATIENCE, rig.listener).await.unwrap().unwrap().unwrap();
    assert_eq!((summary.accepted, summary.spooled), (600, 0));
}
