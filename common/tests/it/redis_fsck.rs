//! What somebody broke in the keys is found, named and put right.

use std::collections::HashSet;
use std::time::Duration;

use common::broker::redis::connect;
use common::queue::{Check, Finding, Flaw, Settled, Taken};
use common::testing::RedisServer;
use common::testing::broker_suite::Hand;

const PREFIX: &str = "tidemill:{websocket_data}:";

async fn open() -> (RedisServer, Hand) {
    let server = RedisServer::start_with(&[]).await;
    let broker = connect(&server.url()).await.expect("the server runs");
    let hand = Hand::on(&broker, "websocket_data");
    (server, hand)
}

fn key(name: &str) -> String {
    format!("{PREFIX}{name}")
}

/// Flaw, found, tasks, fixed.
async fn found(hand: &Hand, check: Check) -> Vec<(Flaw, u64, u64, u64)> {
    let findings = hand.broker.fsck(&hand.queue, check).await.expect("a check");
    findings.iter().map(|Finding { flaw, found, tasks, fixed, .. }| (*flaw, *found, *tasks, *fixed)).collect()
}

async fn is_clean(hand: &Hand) -> bool {
    found(hand, Check::Look).await.is_empty()
}

#[tokio::test]
async fn every_task_is_delivered_after_the_leases_were_deleted_under_load() {
    const TASKS: u64 = 4_000;
    const DELETED_EVERY: u64 = 400;
    let (server, hand) = open().await;
    let other = Hand::on(&connect(&server.url()).await.expect("the server runs"), "websocket_data");
    let mut delivered = HashSet::new();
    let (mut losses, mut deletions) = (0, 0);
    let mut held = Vec::new();
    for first in (0..TASKS).step_by(40) {
        let tasks: Vec<Vec<u8>> = (first..first + 40).map(|number| number.to_string().into_bytes()).collect();
        hand.put_bytes(&tasks).await;
        for worker in [&hand, &other] {
            if let Taken::Batch(batch) = worker.take_as(&worker.wish(25, Duration::from_mins(5))).await {
                held.push(batch);
            }
        }
        if first % DELETED_EVERY == 0 {
            server.cli(&["DEL", &key("leases")]);
            deletions += 1;
        }
        if first % DELETED_EVERY == 200 {
            hand.broker.fsck(&hand.queue, Check::Fix).await.expect("a check under load");
        }
        while 4 < held.len() {
            let batch = held.remove(0);
            match other.store(&batch).await {
                Settled::Done => delivered.extend(batch.tasks),
                Settled::Lost => losses += 1,
                Settled::Already => unreachable!("settled once"),
            }
        }
    }
    assert!(0 < losses && deletions == 10, "{losses} settlements came too late after {deletions} deletions");
    for batch in held {
        if hand.store(&batch).await == Settled::Done {
            delivered.extend(batch.tasks);
        }
    }
    hand.broker.fsck(&hand.queue, Check::Fix).await.expect("a check");
    while let Taken::Batch(batch) = hand.take(1_000).await {
        assert_eq!(hand.store(&batch).await, Settled::Done);
        delivered.extend(batch.tasks);
    }
    assert_eq!(delivered.len() as u64, TASKS, "every task was delivered");
    let ledger = hand.census().await.ledger; // balanced, or it fails
    assert_eq!((ledger.settled, ledger.open(), ledger.lost()), (TASKS, 0, 0), "each was settled once");
    assert!(ledger.written_off.is_empty() && is_clean(&hand).await);
}

#[tokio::test]
async fn a_take_is_not_repeated_into_a_batch_whose_lease_was_deleted() {
    let (server, hand) = open().await;
    hand.put(&["1", "2"]).await;
    let wish = hand.wish(1, Duration::from_mins(1));
    assert!(matches!(hand.take_as(&wish).await, Taken::Batch(_)));
    server.cli(&["DEL", &key("leases")]);
    assert_eq!(hand.take_as(&wish).await, Taken::Used, "the second task would take the first one's place");
    assert_eq!(found(&hand, Check::Fix).await, [(Flaw::StrayBatch, 1, 1, 1)]);
    assert_eq!(hand.drain().await, ["1", "2"]);
}

#[tokio::test]
async fn each_flaw_has_its_name_and_its_repair() {
    let (server, hand) = open().await;
    hand.put(&["1", "2", "3", "4"]).await;
    let [stray, empty, both] = [hand.batch(1).await, hand.batch(1).await, hand.batch(1).await];
    server.cli(&["ZREM", &key("leases"), &stray.lease.to_string()]);
    server.cli(&["DEL", &key(&format!("b:{}", empty.lease))]);
    server.cli(&["ZADD", &key("delayed"), "1", &both.lease.to_string()]);
    server.cli(&["HSET", &key("meta"), "gone", "1|0|0|w"]);
    let flaws = |fixed: u64| {
        let flaws = [(Flaw::StrayBatch, 1), (Flaw::EmptyBatch, 0), (Flaw::TwoPlaces, 1), (Flaw::StrayMeta, 0)];
        let mut all = flaws.map(|(flaw, tasks)| (flaw, 1, tasks, fixed)).to_vec();
        all.push((Flaw::LostTasks, 1, 0, fixed));
        all
    };
    let look = found(&hand, Check::Look).await;
    // What lies in a stray batch is nowhere for the ledger, until it is put back; one in two places counts twice.
    assert_eq!(look[..4], flaws(0)[..4]);
    assert_eq!(found(&hand, Check::Fix).await, flaws(1));
    assert!(is_clean(&hand).await);
    let ledger = hand.census().await.ledger;
    assert_eq!(ledger.written_off("lost_tasks"), 1, "the deleted batch's task is gone, and stays on the books");
    assert_eq!(hand.store(&both).await, Settled::Done, "its lease was kept");
    assert_eq!(hand.drain().await, ["1", "4"]);
}

#[tokio::test]
async fn dead_letters_and_their_list_are_made_to_agree() {
    let (server, hand) = open().await;
    let dead = hand.bury(&["1", "2", "3"], "row", None).await;
    server.cli(&["ZREM", &key("dead"), &dead[0].id.to_string()]);
    server.cli(&["HDEL", &key("letters"), &dead[1].id.to_string()]);
    let fixed = found(&hand, Check::Fix).await;
    let expected =
        [(Flaw::LetterWithoutEntry, 1, 1, 1), (Flaw::EntryWithoutLetter, 1, 1, 1), (Flaw::LostTasks, 1, 0, 1)];
    assert_eq!(fixed, expected);
    assert!(is_clean(&hand).await);
    let filter = common::queue::DeadFilter::default();
    let page = hand.broker.dead_page(&hand.queue, &filter, None, 10).await.expect("a page");
    assert_eq!(page.letters, [dead[0].clone(), dead[2].clone()]);
}

#[tokio::test]
async fn counters_that_were_lost_are_written_off_by_name_and_not_made_up() {
    let (server, hand) = open().await;
    hand.put(&["1", "2", "3"]).await;
    assert_eq!(hand.drain().await.len(), 3);
    server.cli(&["HDEL", &key("stats"), "accepted", "stored"]);
    let expected = [(Flaw::UncountedTasks, 3, 0, 3), (Flaw::MissingTicks, 3, 0, 3)];
    assert_eq!(found(&hand, Check::Fix).await, expected);
    assert!(is_clean(&hand).await);
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.accepted, ledger.stored, ledger.written_off("uncounted_tasks")), (0, 0, 3));
}

#[tokio::test]
async fn foreign_keys_are_named_and_left_alone() {
    let (server, hand) = open().await;
    hand.put(&["1"]).await;
    server.cli(&["SET", &key("somebody"), "else"]);
    server.cli(&["SET", &key("b:no-batch"), "no list"]);
    server.cli(&["ZADD", &key("dead"), "0", "no letter"]);
    assert_eq!(found(&hand, Check::Fix).await[0], (Flaw::Foreign, 3, 0, 0));
    assert_eq!(server.cli(&["GET", &key("somebody")]), "else");
    server.cli(&["SET", &key("delayed"), "no sorted set"]);
    assert_eq!(found(&hand, Check::Fix).await, [(Flaw::Foreign, 1, 0, 0)], "no script could run on it");
}

#[tokio::test]
async fn a_large_queue_is_checked_page_by_page() {
    let (server, hand) = open().await;
    let tasks: Vec<Vec<u8>> = (0..3_000).map(|number: u32| number.to_string().into_bytes()).collect();
    hand.put_bytes(&tasks).await;
    for _ in 0..3_000 {
        hand.batch(1).await;
    }
    server.cli(&["DEL", &key("leases")]);
    assert_eq!(found(&hand, Check::Look).await[0], (Flaw::StrayBatch, 3_000, 3_000, 0));
    assert_eq!(found(&hand, Check::Fix).await[0], (Flaw::StrayBatch, 3_000, 3_000, 3_000));
    assert_eq!(hand.places().await, [0, 0, 3_000, 0, 0]);
}
