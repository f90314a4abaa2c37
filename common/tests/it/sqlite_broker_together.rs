//! Several processes on one file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use common::broker::Enqueued;
use common::presence::InstanceId;
use common::queue::{Settled, Taken};

use crate::sqlite_broker::{open, put, queue, stored, wish};
use crate::sqlite_broker_audit::audit;

const PRODUCERS: usize = 3;
const WORKERS: usize = 3;
const BATCHES: usize = 40;
const BATCH_TASKS: usize = 7;

/// Every producer and worker has a connection and a thread of its own, as processes would.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_of_many_producers_reach_exactly_one_of_many_workers_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = Arc::new(folder.path().join("q.db"));
    let settled = Arc::new(AtomicUsize::new(0));
    let mut producers = Vec::new();
    for number in 0..PRODUCERS {
        let path = Arc::clone(&path);
        producers.push(tokio::spawn(async move {
            let (broker, producer) = (open(&path).await, InstanceId::fresh());
            for batch in 0..BATCHES {
                let tasks: Vec<Vec<u8>> =
                    (0..BATCH_TASKS).map(|task| format!("{number}.{batch}.{task}").into_bytes()).collect();
                let batch = batch as u64 + 1;
                assert_eq!(put(&*broker, producer, batch, &tasks).await, Enqueued::Accepted);
                assert_eq!(put(&*broker, producer, batch, &tasks).await, Enqueued::Already);
            }
        }));
    }
    let mut workers = Vec::new();
    for _ in 0..WORKERS {
        let (path, settled) = (Arc::clone(&path), Arc::clone(&settled));
        workers.push(tokio::spawn(async move {
            let broker = open(&path).await;
            let mut seen = Vec::new();
            while settled.load(Ordering::SeqCst) < PRODUCERS * BATCHES * BATCH_TASKS {
                // 10 does not divide the producers' batches, so they are cut.
                let Taken::Batch(batch) = broker.take(&wish(10, Duration::from_mins(1))).await.unwrap() else {
                    tokio::task::yield_now().await;
                    continue;
                };
                assert_eq!(broker.settle(&stored(&batch), None).await.unwrap().0, Settled::Done);
                settled.fetch_add(batch.tasks.len(), Ordering::SeqCst);
                seen.extend(batch.tasks);
            }
            seen
        }));
    }
    for producer in producers {
        producer.await.unwrap();
    }
    let mut times: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for worker in workers {
        for task in worker.await.unwrap() {
            *times.entry(task).or_default() += 1;
        }
    }
    assert_eq!(times.len(), PRODUCERS * BATCHES * BATCH_TASKS, "none lost");
    assert!(times.values().all(|times| *times == 1), "none doubled");
    let ledger = open(&path).await.census(&queue()).await.unwrap().ledger;
    assert!(ledger.is_balanced() && ledger.open() == 0, "{ledger:?}");
    audit(&path);
}

/// All parts of a system start at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn processes_that_open_a_new_file_at_the_same_moment_do_not_disturb_each_other() {
    for _ in 0..20 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("q.db");
        let together = Arc::new(tokio::sync::Barrier::new(6));
        let openers: Vec<_> = (0..6)
            .map(|_| {
                let (path, together) = (path.clone(), Arc::clone(&together));
                tokio::spawn(async move {
                    together.wait().await;
                    open(&path).await.next_epoch().await.unwrap()
                })
            })
            .collect();
        let mut epochs = BTreeSet::new();
        for opener in openers {
            epochs.insert(opener.await.unwrap().get());
        }
        assert_eq!(epochs.len(), 6);
    }
}
