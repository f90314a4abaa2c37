//! Enqueues of many tasks on Redis: what is pushed behind the script comes in with it or not at all.

use std::sync::Arc;

use common::broker::redis::connect;
use common::broker::{Broker, BrokerError, Enqueue, Enqueued};
use common::presence::InstanceId;
use common::queue::{Check, IntakeCounts};
use common::testing::RedisServer;
use common::testing::broker_suite::Hand;

const MANY: usize = 500;
const ROOM: u64 = 1_000_000;

async fn open_as(user: &str) -> (RedisServer, Hand) {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]).await;
    server.cli(&["ACL", "SETUSER", "poor", "on", ">secret", "~*", "&*", "+@all", "-lpushx"]);
    let broker: Arc<dyn Broker> =
        connect(&format!("redis://{user}127.0.0.1:{}", server.port())).await.expect("the server runs");
    (server, Hand::on(&broker, "websocket_data"))
}

async fn open() -> (RedisServer, Hand) {
    open_as("").await
}

fn many(first: usize) -> Vec<Vec<u8>> {
    (first..first + MANY).map(|number| number.to_string().into_bytes()).collect()
}

async fn put(hand: &Hand, batch: u64, tasks: &[Vec<u8>]) -> Result<Enqueued, BrokerError> {
    hand.try_put_as(batch, tasks, ROOM, &IntakeCounts::default()).await
}

async fn comes_out(hand: &Hand, tasks: usize) {
    let expected: Vec<String> = (0..tasks).map(|number| number.to_string()).collect();
    assert_eq!(hand.drain().await, expected);
}

#[tokio::test]
async fn nothing_of_an_enqueue_stays_behind_a_script_that_fails() {
    let (server, hand) = open().await;
    server.cli(&["SET", "websocket_data", "somebody else's"]);
    let refused = put(&hand, 1, &many(0)).await;
    assert!(
        matches!(&refused, Err(BrokerError::Unexpected { answer, .. }) if answer.contains("WRONGTYPE")),
        "{refused:?}"
    );
    assert_eq!(server.cli(&["KEYS", "*:b:*"]), "");
    server.cli(&["DEL", "websocket_data"]);
    assert_eq!(put(&hand, 1, &many(0)).await.expect("nothing is in the way"), Enqueued::Accepted, "the same batch");
    comes_out(&hand, MANY).await;
}

#[tokio::test]
async fn a_script_that_was_forgotten_is_loaded_again_and_the_tasks_come_in_once() {
    let (server, hand) = open().await;
    for round in 0..3 {
        assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
        hand.put_bytes(&many(round * MANY)).await;
    }
    comes_out(&hand, 3 * MANY).await;
}

#[tokio::test]
async fn a_redis_without_room_takes_none_of_many_tasks() {
    let (server, hand) = open().await;
    assert_eq!(put(&hand, 1, &many(0)).await.expect("there is room"), Enqueued::Accepted);
    server.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);
    let refused = put(&hand, 2, &many(MANY)).await;
    assert!(matches!(refused, Err(BrokerError::OutOfRoom { .. })), "{refused:?}");
    assert_eq!(hand.census().await.ledger.accepted, MANY as u64);
    server.cli(&["CONFIG", "SET", "maxmemory", "100mb"]);
    assert_eq!(put(&hand, 2, &many(MANY)).await.expect("there is room again"), Enqueued::Accepted);
    comes_out(&hand, 2 * MANY).await;
}

#[tokio::test]
async fn a_user_who_may_not_push_so_uses_the_script_alone() {
    let (server, hand) = open_as("poor:secret@").await;
    for round in 0..3 {
        assert_eq!(put(&hand, 1 + round as u64, &many(round * MANY)).await.expect("allowed"), Enqueued::Accepted);
    }
    assert_eq!(server.cli(&["ACL", "LOG"]).lines().filter(|line| *line == "lpushx").count(), 1, "it was tried once");
    comes_out(&hand, 3 * MANY).await;
}

#[tokio::test]
async fn a_list_under_the_name_of_an_enqueue_is_not_written_over_and_fsck_puts_it_back() {
    let (server, hand) = open().await;
    let (producer, counts, tasks) = (InstanceId::fresh(), IntakeCounts::default(), many(1));
    let enqueue = Enqueue { queue: &hand.queue, producer, batch: 1, tasks: &tasks, waiting_max: ROOM, counts: &counts };
    hand.put_bytes(&[b"waiting".to_vec()]).await;
    server.cli(&["LPUSH", &format!("tidemill:{{websocket_data}}:b:{producer}:1"), "somebody else's"]);
    let refused = hand.broker.enqueue(&enqueue).await;
    let said = refused.expect_err("somebody's task is in the way").to_string();
    assert!(said.contains(&format!("{producer}:1")) && said.contains("fsck"), "{said}");
    assert_eq!(hand.census().await.ledger.accepted, 1, "nothing came in");
    hand.broker.fsck(&hand.queue, Check::Fix).await.expect("a check");
    assert!(hand.batch(1_000).await.tasks.contains(&b"somebody else's".to_vec()));
    assert_eq!(hand.batch(1_000).await.tasks, [b"waiting"], "which was there before");
    assert_eq!(hand.broker.enqueue(&enqueue).await.expect("the name is free"), Enqueued::Accepted);
}

#[tokio::test]
async fn a_worker_who_waits_is_rung_for_many_tasks_and_finds_them_all() {
    let (_server, hand) = open().await;
    let mut bell = hand.broker.bell(std::slice::from_ref(&hand.queue));
    let broker = Arc::clone(&hand.broker);
    let queue = hand.queue.clone();
    let seen = tokio::spawn(async move {
        bell.rung(std::time::Duration::from_mins(1)).await.expect("a ring");
        broker.census(&queue).await.expect("a census").ledger.waiting
    });
    hand.put_bytes(&many(0)).await;
    assert_eq!(seen.await.expect("no panic"), MANY as u64);
}
