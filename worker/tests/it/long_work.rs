//! Work that takes many times its lease, while others have nothing to do.

use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::shutdown::Shutdown;
use common::sqlite::SqliteThread;
use common::testing::eventually;
use diesel::connection::SimpleConnection;

use crate::rig::{Rig, trade};

const SOON: Duration = Duration::from_mins(1);
/// Shorter ones run out by themselves where many tests share few processors.
const LEASE: Duration = Duration::from_secs(1);
const LEASES: u32 = 20;
const IDLE: u32 = 8;

#[tokio::test]
async fn a_commit_that_takes_twenty_leases_is_done_once_beside_eight_idle_workers() {
    let rig = Rig::new().await;
    // Somebody has the prices' file to himself: the commit waits, tries again, and waits.
    let other = SqliteThread::open(&rig.market_file()).await.unwrap();
    other.call(|connection| connection.batch_execute("BEGIN IMMEDIATE")).await.unwrap().unwrap();
    rig.enqueue(&[trade(1, "BTCUSDT", "1"), trade(2, "ETHUSDT", "2")]).await;
    let shutdown = Shutdown::new();
    let workers: Vec<_> = (0..=IDLE)
        .map(|_| {
            let mut options = rig.options();
            (options.lease, options.concurrency) = (LEASE, 1);
            tokio::spawn(worker::run(options, Arc::clone(&rig.broker), Arc::clone(&rig.store), shutdown.clone()))
        })
        .collect();
    let began = clock::monotonic();
    eventually("the batch is in work for twenty leases", SOON, async || {
        let ledger = rig.ledger().await;
        assert_eq!((ledger.settled, ledger.redelivered), (0, 0), "nobody else has it");
        ledger.leased == 2 && LEASE * LEASES < began.elapsed()
    })
    .await;
    other.call(|connection| connection.batch_execute("COMMIT")).await.unwrap().unwrap();
    eventually("it is stored", SOON, async || rig.ledger().await.stored == 2).await;
    shutdown.begin();
    for worker in workers {
        worker.await.unwrap().unwrap();
    }
    let ledger = rig.ledger().await;
    assert_eq!((ledger.settled, ledger.redelivered, ledger.superseded, ledger.is_balanced()), (2, 0, 0, true));
}

#[tokio::test]
async fn a_batch_that_takes_long_keeps_no_other_loop_from_looking() {
    let rig = Rig::new().await;
    let other = SqliteThread::open(&rig.market_file()).await.unwrap();
    other.call(|connection| connection.batch_execute("BEGIN IMMEDIATE")).await.unwrap().unwrap();
    let shutdown = Shutdown::new();
    let (broker, store) = (Arc::clone(&rig.broker), Arc::clone(&rig.store));
    let running = tokio::spawn(worker::run(rig.options(), broker, store, shutdown.clone()));
    for seq in 1..=2 {
        rig.enqueue(&[trade(seq, "BTCUSDT", "1")]).await;
        eventually("each is in work at once", SOON, async || rig.ledger().await.leased == u64::from(seq)).await;
    }
    other.call(|connection| connection.batch_execute("COMMIT")).await.unwrap().unwrap();
    eventually("both have ended", SOON, async || rig.ledger().await.settled == 2).await;
    shutdown.begin();
    running.await.unwrap().unwrap();
}
