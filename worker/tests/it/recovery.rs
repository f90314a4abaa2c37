//! What a worker does when something it relies on goes away.

use std::sync::Arc;
use std::time::Duration;

use common::queue::{LeaseId, Take, Taken};
use common::shutdown::Shutdown;
use common::testing::eventually;

use crate::rig::{Rig, trade};

const SOON: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_row_that_somebody_deleted_is_registered_anew() {
    let rig = Rig::new().await;
    let shutdown = Shutdown::new();
    let running =
        tokio::spawn(worker::run(rig.options(), Arc::clone(&rig.broker), Arc::clone(&rig.store), shutdown.clone()));
    rig.enqueue(&[trade(1, "BTCUSDT", "1"), trade(2, "ETHUSDT", "2")]).await;
    eventually("both are stored", SOON, async || rig.ledger().await.stored == 2).await;
    rig.sql("DELETE FROM ticker_price_data WHERE instrument LIKE '%BTC%'").await;
    rig.enqueue(&[trade(3, "BTCUSDT", "3"), trade(4, "ETHUSDT", "4")]).await;
    eventually("both are stored again", SOON, async || rig.ledger().await.stored == 4).await;
    shutdown.begin();
    running.await.unwrap().unwrap();
    assert_eq!(rig.store.prices().await.unwrap().len(), 2);
    assert!(rig.ledger().await.is_balanced());
}

#[tokio::test]
async fn a_batch_of_a_worker_that_fell_silent_is_stored_by_another() {
    let rig = Rig::new().await;
    rig.enqueue(&[trade(1, "BTCUSDT", "1")]).await;
    let silent = Take {
        queue: rig.queue.clone(),
        lease: LeaseId::fresh(),
        tasks_max: 10,
        bytes_max: 1 << 20,
        ttl: Duration::from_millis(50),
        worker: "silent".into(),
    };
    assert!(matches!(rig.broker.take(&silent).await.unwrap(), Taken::Batch(_)));
    rig.work(rig.options()).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.stored, ledger.redelivered, ledger.is_balanced()), (1, 1, true));
}

#[tokio::test]
async fn a_store_without_its_tables_is_waited_for_and_a_stop_gives_the_batch_back() {
    let rig = Rig::new().await;
    rig.sql("ALTER TABLE ticker_price_data RENAME TO away").await;
    rig.enqueue(&[trade(1, "BTCUSDT", "1")]).await;
    let shutdown = Shutdown::new();
    let running =
        tokio::spawn(worker::run(rig.options(), Arc::clone(&rig.broker), Arc::clone(&rig.store), shutdown.clone()));
    eventually("the batch is in work", SOON, async || rig.ledger().await.leased == 1).await;
    shutdown.begin();
    running.await.unwrap().unwrap();
    let ledger = rig.ledger().await;
    assert_eq!((ledger.delayed, ledger.leased, ledger.dead), (1, 0, 0), "given back, not blamed");

    rig.sql("ALTER TABLE away RENAME TO ticker_price_data").await;
    rig.work(rig.options()).await;
    let ledger = rig.ledger().await;
    assert_eq!((ledger.stored, ledger.dead, ledger.is_balanced()), (1, 0, true));
}

#[tokio::test]
async fn a_refused_row_is_tried_again_and_then_dead_with_its_sqlstate() {
    let rig = Rig::new().await;
    let beyond = trade(2, "BTCUSDT", "1000000000000000000");
    rig.enqueue(&[trade(1, "BTCUSDT", "1"), beyond.clone(), trade(3, "ETHUSDT", "3")]).await;
    rig.work(rig.options()).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.stored, ledger.dead, ledger.is_balanced()), (2, 1, true));
    let letter = &rig.letters().await[0];
    assert_eq!((&*letter.reason, letter.code.as_deref(), letter.attempts), ("row", Some("23514"), 2));
    assert_eq!((letter.symbol.as_deref(), &letter.task), (Some("BTCUSDT"), &beyond));
}
