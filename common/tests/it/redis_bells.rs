//! Bells on Redis: what they leave there, and what becomes of a wait when Redis has trouble.

use std::time::Duration;

use common::broker::redis::connect;
use common::broker::{Bell, BrokerError, Enqueued};
use common::queue::{Settled, Take, Taken};
use common::testing::broker_suite::Hand;
use common::testing::{RedisServer, eventually};
use tokio::time::timeout;

const LONG: Duration = Duration::from_mins(1);
const SHORT: Duration = Duration::from_millis(30);
const PATIENCE: Duration = Duration::from_secs(20);
const BELL: &str = "tidemill:{websocket_data}:bell";

async fn open() -> (RedisServer, Hand, Box<dyn Bell>) {
    let server = RedisServer::start_with(&[]).await;
    let broker = connect(&server.url()).await.expect("the server runs");
    let hand = Hand::on(&broker, "websocket_data");
    let bell = broker.bell(std::slice::from_ref(&hand.queue));
    (server, hand, bell)
}

async fn waiting(server: &RedisServer, clients: u32) {
    let expected = format!("blocked_clients:{clients}\r");
    eventually("so many wait", PATIENCE, async || server.cli(&["INFO", "clients"]).contains(expected.trim_end())).await;
}

#[tokio::test]
async fn a_bell_that_nobody_hears_stays_short_and_goes_away() {
    let (server, hand, _bell) = open().await;
    for number in 0..1_000 {
        hand.put(&[&number.to_string()]).await;
    }
    assert_eq!(server.cli(&["LLEN", BELL]), "1");
    for _ in 0..3 {
        hand.put_bytes(&vec![b"task".to_vec(); 20_000]).await;
    }
    assert_eq!(server.cli(&["LLEN", BELL]), "16");
    let expires_ms: u64 = server.cli(&["PTTL", BELL]).parse().expect("it has a lifetime");
    assert!((1..=60_000).contains(&expires_ms), "{expires_ms} ms");
}

#[tokio::test]
async fn the_last_batch_takes_the_rings_with_it_that_nobody_has_heard() {
    let (server, hand, _bell) = open().await;
    hand.put(&["1", "2"]).await;
    hand.batch(1).await;
    assert_eq!(server.cli(&["LLEN", BELL]), "1", "there is another task");
    hand.batch(1).await;
    assert_eq!(server.cli(&["LLEN", BELL]), "0");
    hand.put(&["3"]).await;
    assert_eq!(server.cli(&["LLEN", BELL]), "1", "rung anew");
}

#[tokio::test]
async fn a_dropped_wait_leaves_nobody_waiting() {
    let (server, _hand, mut bell) = open().await;
    let wait = tokio::spawn(async move { bell.rung(LONG).await });
    waiting(&server, 1).await;
    wait.abort();
    waiting(&server, 0).await;
}

#[tokio::test]
async fn a_wait_outlives_its_connection() {
    let (server, hand, mut bell) = open().await;
    let wait = tokio::spawn(async move { bell.rung(LONG).await });
    waiting(&server, 1).await;
    server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    waiting(&server, 1).await;
    hand.put(&["1"]).await;
    timeout(PATIENCE, wait).await.expect("it is heard").expect("no panic").expect("it can be heard");
}

#[tokio::test]
async fn a_redis_that_is_away_ends_a_wait_at_once_and_a_frozen_one_in_time() {
    let (mut server, hand, mut bell) = open().await;
    server.pause();
    let frozen = timeout(PATIENCE, bell.rung(LONG)).await.expect("it ends");
    assert!(matches!(frozen, Err(BrokerError::Unavailable { .. })), "{frozen:?}");
    server.resume();
    server.stop();
    let away = timeout(PATIENCE, bell.rung(LONG)).await.expect("it ends");
    assert!(matches!(away, Err(BrokerError::Unavailable { .. })), "{away:?}");
    server.start().await;
    eventually("tasks are taken again", PATIENCE, async || hand.broker.census(&hand.queue).await.is_ok()).await;
    hand.put(&["1"]).await;
    eventually("it is heard again", PATIENCE, async || bell.rung(LONG).await.is_ok()).await;
}

#[tokio::test]
async fn a_key_of_another_kind_in_the_bells_place_disturbs_no_task() {
    let (server, hand, mut bell) = open().await;
    server.cli(&["SET", BELL, "somebody else's"]);
    assert_eq!(hand.put_bytes(&[b"1".to_vec()]).await, Enqueued::Accepted);
    let deaf = bell.rung(LONG).await;
    assert!(matches!(&deaf, Err(BrokerError::Unexpected { answer, .. }) if answer.contains("WRONGTYPE")), "{deaf:?}");
    let released = hand.batch(1).await;
    hand.broker.release(&hand.queue, released.lease).await.expect("release");
    assert_eq!(hand.drain().await, ["1"]);
    hand.census().await;
}

#[tokio::test]
async fn a_lease_that_is_given_up_before_it_is_taken_is_never_taken() {
    let (_server, hand, _bell) = open().await;
    let wish = hand.wish(10, LONG);
    for _ in 0..2 {
        assert_eq!(hand.broker.release(&hand.queue, wish.lease).await.expect("release"), Settled::Lost);
    }
    hand.put(&["1"]).await;
    assert_eq!(hand.take_as(&wish).await, Taken::Used, "as of a take that still waited for a ring");
    assert_eq!(hand.drain().await, ["1"]);
}

/// A look, and a wait that takes nothing because the bell has to know first that there was one.
async fn look(hand: &Hand, bell: &mut Box<dyn Bell>) -> Take {
    let wish = hand.wish(10, LONG);
    assert_eq!(bell.rung_and_take(SHORT, &wish).await.expect("it is heard"), None);
    assert_eq!(hand.take_as(&wish).await, Taken::Empty);
    assert!(bell.takes(SHORT) && !bell.takes(LONG));
    wish
}

#[tokio::test]
async fn a_wait_brings_the_batch_along() {
    let (_server, hand, mut bell) = open().await;
    let wish = look(&hand, &mut bell).await;
    assert_eq!(bell.rung_and_take(SHORT, &wish).await.expect("it is heard"), Some(Taken::Empty));
    hand.put(&["1"]).await;
    let taken = bell.rung_and_take(SHORT, &wish).await.expect("it is heard");
    assert!(matches!(&taken, Some(Taken::Batch(batch)) if batch.tasks == [b"1"]), "{taken:?}");
    assert_eq!(hand.take_as(&wish).await, taken.expect("there was one"));
}

#[tokio::test]
async fn a_redis_that_has_forgotten_its_scripts_only_waits() {
    let (server, hand, mut bell) = open().await;
    let wish = look(&hand, &mut bell).await;
    hand.put(&["1"]).await;
    server.cli(&["SCRIPT", "FLUSH"]);
    assert_eq!(bell.rung_and_take(SHORT, &wish).await.expect("it is heard"), None);
    assert!(matches!(hand.take_as(&wish).await, Taken::Batch(_)), "which makes it known again");
}

#[tokio::test]
async fn a_redis_that_came_back_empty_is_told_of_the_queue_before_anything_is_taken_there() {
    let (mut server, hand, mut bell) = open().await;
    let wish = look(&hand, &mut bell).await;
    server.stop();
    server.start().await;
    server.cli(&["FLUSHALL"]);
    eventually("it is there again", PATIENCE, async || hand.broker.census(&hand.queue).await.is_ok()).await;
    assert_eq!(bell.rung_and_take(SHORT, &wish).await.expect("it is heard"), None);
    hand.take_as(&wish).await;
    assert_eq!(hand.broker.queues().await.expect("a list"), std::slice::from_ref(&hand.queue));
}

#[tokio::test]
async fn a_take_behind_a_refused_wait_is_repeated_under_the_same_name_and_none_follows_it() {
    let (server, hand, mut bell) = open().await;
    let wish = look(&hand, &mut bell).await;
    server.cli(&["SET", BELL, "somebody else's"]);
    hand.put(&["1"]).await;
    let deaf = bell.rung_and_take(SHORT, &wish).await;
    assert!(matches!(&deaf, Err(BrokerError::Unexpected { .. })), "{deaf:?}");
    assert!(!bell.takes(SHORT), "its answer would be lost each time");
    assert!(matches!(hand.take_as(&wish).await, Taken::Batch(_)));
    assert_eq!(hand.census().await.ledger.leased, 1);
    server.cli(&["DEL", BELL]);
    bell.rung(SHORT).await.expect("it can be heard again");
    assert!(bell.takes(SHORT));
}
