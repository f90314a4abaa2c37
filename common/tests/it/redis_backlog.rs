//! Large queues on Redis: scripts stay short, looking leaves nothing behind.
//!
//! At full size: `cargo run --release -p tidemill-common --example queue_backlog`.

use std::time::Duration;

use common::broker::redis::connect;
use common::testing::RedisServer;
use common::testing::backlog::{Backlog, Sizes};
use common::testing::broker_suite::Hand;
use futures_util::future::join_all;

#[tokio::test]
async fn no_script_takes_long_on_a_huge_backlog() {
    let server = RedisServer::start_with(&[]).await;
    let sizes = Sizes { waiting: 200_000, due: 2_000, expired: 2_000, batch: 10 };
    let times = Backlog::fill(&server, sizes).await.work_through().await;
    eprintln!("{times}");
    // Redis measures by the clock on the wall: a busy machine may stop it in the middle of any script. A script whose
    // work grows with the queue would be slow every time.
    assert!(times.slow * 100 < times.calls, "more than one in a hundred took longer than 10 ms: {times}");
}

#[tokio::test]
async fn ten_thousand_looks_leave_no_keys() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::on(&connect(&server.url()).await.expect("the server runs"), "websocket_data");
    hand.put(&["1", "2", "3"]).await;
    hand.bury(&["4"], "row", None).await;
    let keys = server.cli(&["DBSIZE"]);
    for _ in 0..1_000 {
        join_all((0..10).map(|_| look(&hand))).await;
    }
    assert_eq!(server.cli(&["DBSIZE"]), keys);
}

/// What `status` asks of a broker.
async fn look(hand: &Hand) {
    for queue in hand.broker.queues().await.expect("queues") {
        hand.broker.census(&queue).await.expect("census");
    }
    hand.broker.presences().await.expect("presences");
}

#[tokio::test]
async fn a_delayed_task_is_taken_when_it_is_due_among_very_many_that_are_not() {
    const LATER: usize = 20_000;
    const SOON: Duration = Duration::from_millis(300);
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::on(&connect(&server.url()).await.expect("the server runs"), "websocket_data");
    let later: Vec<String> = (0..LATER).map(|number| format!("later {number}")).collect();
    for tasks in later.chunks(500) {
        hand.delay(tasks, Duration::from_hours(1)).await;
    }
    hand.delay(&["soon".to_owned()], SOON).await;
    let began = common::clock::monotonic();
    let batch = hand.batch_in_time(10).await;
    let took = began.elapsed();
    assert_eq!(batch.tasks, [b"soon"]);
    assert!(SOON * 4 / 5 < took && took < SOON * 4, "due after {SOON:?}, taken after {took:?}");
    assert_eq!(hand.places().await[2], LATER as u64);
}
