//! A store that refuses all rows is to blame itself: the worker pauses instead of giving everything up.

use std::sync::Arc;
use std::time::Duration;

use common::retry::Backoff;
use common::shutdown::Shutdown;
use common::testing::eventually;
use worker::WorkerOptions;

use crate::rig::{Rig, trade};

const SOON: Duration = Duration::from_secs(30);

/// Tasks of a batch.
const BATCH: u32 = 100;

/// Every refusal is the end of a task, so that what is given up shows at once.
fn hasty(rig: &Rig) -> WorkerOptions {
    let row_retry = Backoff { times: Some(1), ..rig.options().row_retry };
    WorkerOptions { batch_tasks: BATCH, row_retry, ..rig.options() }
}

/// Trades of four symbols, numbered from `first`.
fn trades(first: u32, tasks: u32) -> Vec<Vec<u8>> {
    let symbols = ["BTCUSDT", "ETHUSDT", "BNBUSDT", "SOLUSDT"];
    (first..first + tasks).map(|seq| trade(seq, symbols[seq as usize % 4], "5")).collect()
}

async fn a_store_that_refuses_all_rows_is_waited_for(rig: Rig, refuse: &str, accept: &str, code: &str) {
    rig.enqueue(&trades(1, 4)).await;
    rig.work(rig.options()).await; // the symbols are known
    rig.sql(refuse).await;
    rig.enqueue(&trades(5, 10 * BATCH)).await;

    let shutdown = Shutdown::new();
    let running = worker::run(hasty(&rig), Arc::clone(&rig.broker), Arc::clone(&rig.store), shutdown.clone());
    let running = tokio::spawn(running);
    eventually("the worker says why it pauses", SOON, async || {
        rig.trouble().await.is_some_and(|said| said.contains("pausing; nothing is given up") && said.contains(code))
    })
    .await;
    let given_up = rig.ledger().await.dead;
    assert!(0 < given_up && given_up <= u64::from(2 * BATCH), "{given_up} are given up");
    // Longer than a lease, and than a second probe needs.
    let paused = common::clock::monotonic();
    eventually("the pause outlasts a lease", SOON, async || rig.options().lease * 2 < paused.elapsed()).await;
    let ledger = rig.ledger().await;
    assert_eq!((ledger.dead, ledger.redelivered), (given_up, 0), "{ledger:?}");

    rig.sql(accept).await;
    eventually("the rest is stored", SOON, async || rig.ledger().await.open() == 0).await;
    eventually("the trouble is over", SOON, async || rig.trouble().await.is_none()).await;
    shutdown.begin();
    running.await.unwrap().unwrap();
    let ledger = rig.ledger().await;
    assert_eq!(ledger.stored + ledger.superseded, 4 + u64::from(10 * BATCH) - given_up, "{ledger:?}");
    assert!(ledger.is_balanced() && ledger.dead == given_up, "{ledger:?}");
}

#[tokio::test]
async fn a_trigger_that_raises_on_all_rows_pauses_the_worker_on_postgresql() {
    let refuse = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN RAISE 'closed for today' USING ERRCODE = '23514'; END $$;
        CREATE TRIGGER refuse BEFORE UPDATE ON ticker_price_data FOR EACH ROW EXECUTE FUNCTION refuse()";
    let accept = "DROP TRIGGER refuse ON ticker_price_data";
    a_store_that_refuses_all_rows_is_waited_for(Rig::on_postgres().await, refuse, accept, "23514").await;
}

#[tokio::test]
async fn a_trigger_that_raises_on_all_rows_pauses_the_worker_embedded() {
    let refuse = "CREATE TRIGGER refuse BEFORE UPDATE ON ticker_price_data
        BEGIN SELECT RAISE(ABORT, 'closed for today'); END";
    a_store_that_refuses_all_rows_is_waited_for(Rig::new().await, refuse, "DROP TRIGGER refuse", "22000").await;
}

#[tokio::test]
async fn a_worker_that_pauses_gives_its_batches_back_when_it_is_stopped() {
    let rig = Rig::new().await;
    rig.enqueue(&trades(1, 4)).await;
    rig.work(rig.options()).await;
    rig.sql("CREATE TRIGGER refuse BEFORE UPDATE ON ticker_price_data BEGIN SELECT RAISE(ABORT, 'closed'); END").await;
    rig.enqueue(&trades(5, 10 * BATCH)).await;
    let shutdown = Shutdown::new();
    let running = worker::run(hasty(&rig), Arc::clone(&rig.broker), Arc::clone(&rig.store), shutdown.clone());
    let running = tokio::spawn(running);
    eventually("the worker pauses", SOON, async || rig.trouble().await.is_some()).await;
    shutdown.begin();
    running.await.unwrap().unwrap();
    let ledger = rig.ledger().await;
    assert_eq!(ledger.leased, 0, "{ledger:?}");
    assert!(ledger.dead <= u64::from(2 * BATCH) && ledger.is_balanced(), "{ledger:?}");
}
