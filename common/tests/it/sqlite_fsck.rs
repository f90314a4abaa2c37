//! What somebody broke in the tables is found, named and put right.

use std::path::PathBuf;

use common::broker::sqlite;
use common::queue::{Check, Finding, Flaw, Settled};
use common::testing::broker_suite::Hand;
use tempfile::TempDir;

use crate::sqlite_broker_audit::{audit, tamper};

async fn open() -> (TempDir, PathBuf, Hand) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("q.db");
    let hand = Hand::on(&sqlite::connect(&path).await.expect("open"), "ticks");
    (folder, path, hand)
}

/// Flaw, found, tasks, fixed.
async fn found(hand: &Hand, check: Check) -> Vec<(Flaw, u64, u64, u64)> {
    let findings = hand.broker.fsck(&hand.queue, check).await.expect("a check");
    findings.iter().map(|Finding { flaw, found, tasks, fixed, .. }| (*flaw, *found, *tasks, *fixed)).collect()
}

#[tokio::test]
async fn every_task_is_delivered_after_the_leases_were_deleted() {
    let (_folder, path, hand) = open().await;
    hand.put(&["1", "2", "3", "4", "5"]).await;
    let lost = hand.batch(2).await;
    hand.batch(1).await;
    tamper(&path, "DELETE FROM queue_batch");
    assert_eq!(hand.settle(&hand.all_stored(&lost)).await, Settled::Lost);
    let [stray, miscounted] = [(Flaw::StrayBatch, 2, 3), (Flaw::Miscounted, 1, 3)];
    let look = [(stray.0, stray.1, stray.2, 0), (miscounted.0, miscounted.1, miscounted.2, 0)];
    assert_eq!(found(&hand, Check::Look).await, look);
    let fixed = found(&hand, Check::Fix).await;
    assert_eq!(fixed, [(stray.0, 2, 3, 2), (miscounted.0, 1, 6, 1)], "leased for delayed");
    assert_eq!(found(&hand, Check::Look).await, []);
    audit(&path);
    assert_eq!(hand.drain().await, ["1", "2", "3", "4", "5"]);
    audit(&path);
}

#[tokio::test]
async fn each_flaw_has_its_name_and_its_repair() {
    let (_folder, path, hand) = open().await;
    hand.put(&["1"]).await;
    hand.put(&["2"]).await;
    hand.put(&["3", "4", "5"]).await;
    let dead = hand.bury(&["6"], "row", None).await;
    assert_eq!(dead[0].task, b"1", "the head");
    hand.put(&["7"]).await;
    let empty = hand.batch(1).await;
    tamper(&path, "DELETE FROM queue_chunk WHERE batch <> 0");
    let look = found(&hand, Check::Look).await;
    assert_eq!(look.iter().map(|found| found.0).collect::<Vec<_>>(), [Flaw::StrayTasks, Flaw::EmptyBatch]);
    let fixed = found(&hand, Check::Fix).await;
    assert!(fixed.iter().all(|(_, found, _, fixed)| found == fixed), "{fixed:?}");
    assert_eq!(found(&hand, Check::Look).await, []);
    audit(&path);
    assert_eq!(hand.settle(&hand.all_stored(&empty)).await, Settled::Lost, "its name is over");
    assert_eq!(hand.drain().await, ["2", "3", "4", "5", "6", "7"]);
    audit(&path);
}

#[tokio::test]
async fn a_row_of_the_ledger_that_was_changed_is_set_to_what_is_there_and_the_rest_written_off() {
    let (_folder, path, hand) = open().await;
    hand.put(&["1", "2", "3"]).await;
    tamper(&path, "UPDATE queue_ledger SET waiting = 7, accepted = 9");
    let fixed = found(&hand, Check::Fix).await;
    assert_eq!(fixed, [(Flaw::Miscounted, 1, 4, 1), (Flaw::LostTasks, 6, 0, 6)]);
    assert_eq!(found(&hand, Check::Look).await, []);
    assert_eq!(hand.census().await.ledger.written_off("lost_tasks"), 6);
    assert_eq!(hand.drain().await, ["1", "2", "3"]);
}

#[tokio::test]
async fn what_cannot_be_read_is_named_and_left() {
    let (_folder, path, hand) = open().await;
    hand.bury(&["1"], "row", None).await;
    hand.put(&["2"]).await;
    tamper(&path, "UPDATE queue_dead SET letter = '{'; UPDATE queue_body SET body = x'00'");
    let expected = [(Flaw::BrokenTasks, 1, 1, 0), (Flaw::UnreadableLetter, 1, 1, 0)];
    assert_eq!(found(&hand, Check::Fix).await, expected);
}

#[tokio::test]
async fn a_body_that_says_it_has_one_range_is_corrected_before_its_end_takes_the_others_away() {
    let (_folder, path, hand) = open().await;
    hand.put(&["1", "2", "3"]).await;
    let first = hand.batch(1).await;
    tamper(&path, "UPDATE queue_chunk SET shared = 0");
    assert_eq!(found(&hand, Check::Fix).await, [(Flaw::UnsharedTasks, 2, 3, 2)]);
    assert_eq!(hand.store(&first).await, Settled::Done);
    assert_eq!(hand.drain().await, ["2", "3"]);
    audit(&path);
}
