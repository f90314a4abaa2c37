//! How an idle worker comes to know of work: looks are so far apart here that only the bell explains it.

use std::sync::Arc;
use std::time::Duration;

use common::shutdown::Shutdown;
use common::testing::{RedisServer, eventually};
use tokio::task::JoinHandle;
use worker::{WorkerError, WorkerOptions, WorkerSummary};

use crate::rig::{Rig, trade};

const SOON: Duration = Duration::from_secs(30);
/// Much longer than the patience of these tests.
const NO_LOOK: Duration = Duration::from_mins(10);
const LOOK_EVERY: Duration = WorkerOptions::LOOK_EVERY;

type Running = JoinHandle<Result<WorkerSummary, WorkerError>>;

fn start(rig: &Rig, options: WorkerOptions) -> (Running, Shutdown) {
    let shutdown = Shutdown::new();
    let (broker, store) = (Arc::clone(&rig.broker), Arc::clone(&rig.store));
    (tokio::spawn(worker::run(options, broker, store, shutdown.clone())), shutdown)
}

async fn on_redis() -> (RedisServer, Rig) {
    let server = RedisServer::start_with(&[]).await;
    let mut rig = Rig::new().await;
    rig.broker = common::broker::redis::connect(&server.url()).await.unwrap();
    (server, rig)
}

/// Enqueues again and again what the worker can take only when it is woken.
async fn every_enqueue_wakes(rig: &Rig, concurrency: u32, look_every: Duration) {
    const ROUNDS: u32 = 40;
    const TICKS: u32 = 3;
    // One task a batch: what a loop leaves, another one has to find without a further ring.
    let (running, shutdown) = start(rig, WorkerOptions { look_every, concurrency, batch_tasks: 1, ..rig.options() });
    for round in 0..ROUNDS {
        let ticks: Vec<_> = (0..TICKS).map(|tick| trade(round * TICKS + tick + 1, "BTCUSDT", "1")).collect();
        rig.enqueue(&ticks).await;
        let ended = u64::from((round + 1) * TICKS);
        eventually("they are stored", SOON, async || rig.ledger().await.settled == ended).await;
    }
    shutdown.begin();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn every_enqueue_wakes_an_idle_worker_embedded() {
    for concurrency in [1, 4] {
        every_enqueue_wakes(&Rig::new().await, concurrency, NO_LOOK).await;
    }
}

#[tokio::test]
async fn every_enqueue_wakes_an_idle_worker_on_redis() {
    // A wait as short as usual brings the batch along; a longer one tells whether a ring is lost.
    for (concurrency, look_every) in [(1, NO_LOOK), (4, NO_LOOK), (1, LOOK_EVERY), (4, LOOK_EVERY)] {
        let (_server, rig) = on_redis().await;
        every_enqueue_wakes(&rig, concurrency, look_every).await;
    }
}

#[tokio::test]
async fn a_producer_that_never_pauses_leaves_nothing_to_a_worker_that_does() {
    const TICKS: u32 = 500;
    for look_every in [NO_LOOK, LOOK_EVERY] {
        let (_server, rig) = on_redis().await;
        let (running, shutdown) = start(&rig, WorkerOptions { look_every, ..rig.options() });
        // Its own pace and the worker's drift past each other: every order of enqueue, settlement, look and wait comes up.
        for seq in 1..=TICKS {
            rig.enqueue(&[trade(seq, "BTCUSDT", "1")]).await;
        }
        eventually("all are settled", SOON, async || rig.ledger().await.settled == u64::from(TICKS)).await;
        shutdown.begin();
        running.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_stop_ends_the_wait_at_once() {
    let (_server, redis) = on_redis().await;
    let (_other_server, other_redis) = on_redis().await;
    for (rig, look_every) in [(Rig::new().await, NO_LOOK), (redis, NO_LOOK), (other_redis, LOOK_EVERY)] {
        let (running, shutdown) = start(&rig, WorkerOptions { look_every, ..rig.options() });
        rig.enqueue(&[trade(1, "BTCUSDT", "1")]).await;
        eventually("it is stored", SOON, async || rig.ledger().await.stored == 1).await;
        shutdown.begin();
        let summary = tokio::time::timeout(SOON, running).await.expect("it stops").unwrap().unwrap();
        assert_eq!((summary.tasks, summary.released), (1, 0));
    }
}

#[tokio::test]
async fn a_task_that_rang_no_bell_is_found_by_the_next_look() {
    let (server, rig) = on_redis().await;
    let (running, shutdown) = start(&rig, rig.options());
    rig.enqueue(&[trade(1, "BTCUSDT", "1")]).await;
    eventually("the first is stored", SOON, async || rig.ledger().await.stored == 1).await;
    let foreign = String::from_utf8(trade(2, "BTCUSDT", "2")).unwrap();
    server.cli(&["LPUSH", rig.queue.as_str(), &foreign]);
    eventually("the second is stored", SOON, async || rig.ledger().await.stored == 2).await;
    shutdown.begin();
    running.await.unwrap().unwrap();
}

#[tokio::test]
async fn a_worker_that_hears_no_bell_looks_instead() {
    let mut rig = Rig::new().await;
    let folder = rig.market_file().with_file_name("long".repeat(30));
    rig.broker = common::broker::sqlite::connect(&folder.join("queue.db")).await.unwrap();
    let (running, shutdown) = start(&rig, WorkerOptions { look_every: NO_LOOK, ..rig.options() });
    for seq in 1..=3 {
        rig.enqueue(&[trade(seq, "BTCUSDT", "1")]).await;
        eventually("it is stored", SOON, async || rig.ledger().await.settled == u64::from(seq)).await;
    }
    shutdown.begin();
    running.await.unwrap().unwrap();
}
