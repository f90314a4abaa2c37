//! However Redis goes away, it is used again within two seconds of its return, and is not pestered meanwhile.

#![expect(clippy::print_stderr, reason = "the times are figures that we publish")]

use std::sync::Arc;
use std::time::Duration;

use common::broker::BrokerError;
use common::broker::redis::connect;
use common::clock;
use common::testing::broker_suite::Hand;
use common::testing::{RedisServer, eventually};

const PATIENCE: Duration = Duration::from_secs(20);

/// What is promised.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// Long enough for silence to be noticed, and for the pauses between tries to be at their longest.
const AWAY: Duration = Duration::from_secs(5);

/// The calls of a worker with four loops.
async fn four_takes(hand: &Hand) -> Vec<Result<(), BrokerError>> {
    let takes = (0..4).map(|_| {
        let (broker, wish) = (Arc::clone(&hand.broker), hand.wish(1, Duration::from_mins(1)));
        tokio::spawn(async move { broker.take(&wish).await.map(drop) })
    });
    let mut outcomes = Vec::new();
    for take in takes.collect::<Vec<_>>() {
        outcomes.push(take.await.expect("no panic"));
    }
    outcomes
}

/// Calls as long as it is away.
async fn call_in_vain(hand: &Hand) {
    let begun = clock::monotonic();
    eventually("it was away for long", PATIENCE, async || {
        let outcomes = four_takes(hand).await;
        assert!(outcomes.iter().all(Result::is_err), "{outcomes:?}");
        AWAY < begun.elapsed()
    })
    .await;
}

async fn is_back(hand: &Hand, way: &str) {
    let back = clock::monotonic();
    eventually("all calls are answered", PATIENCE, async || four_takes(hand).await.iter().all(Result::is_ok)).await;
    let took = back.elapsed();
    eprintln!("{way}: used again {took:?} after its return");
    assert!(took < BACK_WITHIN, "{way}: {took:?}");
}

#[tokio::test]
async fn a_redis_that_was_stopped_is_used_again_in_time() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes"]).await;
    let hand = Hand::new(&connect(&server.url()).await.expect("it runs"));
    hand.put(&["1"]).await;
    server.stop();
    call_in_vain(&hand).await;
    server.start().await;
    is_back(&hand, "stopped").await;
}

#[tokio::test]
async fn a_redis_that_was_frozen_is_used_again_in_time() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&connect(&server.url()).await.expect("it runs"));
    hand.put(&["1"]).await;
    server.pause();
    call_in_vain(&hand).await;
    server.resume();
    is_back(&hand, "frozen").await;
}

#[tokio::test]
async fn a_redis_that_was_read_only_is_used_again_in_time_and_asked_once_a_second_meanwhile() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&connect(&server.url()).await.expect("it runs"));
    hand.put(&["1"]).await;
    server.cli(&["CONFIG", "RESETSTAT"]);
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    call_in_vain(&hand).await;
    let errors = server.cli(&["INFO", "errorstats"]);
    let refused = errors.lines().find_map(|line| line.strip_prefix("errorstat_READONLY:count="));
    let refused: u64 = refused.and_then(|count| count.trim().parse().ok()).expect("Redis counts its refusals");
    assert!((3..=12).contains(&refused), "{refused} tries in {AWAY:?}");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    is_back(&hand, "read-only").await;
}

#[tokio::test]
async fn a_killed_client_is_back_at_once() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&connect(&server.url()).await.expect("it runs"));
    hand.put(&["1"]).await;
    server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    is_back(&hand, "client kill").await;
}
