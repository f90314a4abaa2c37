//! Several processes on one file.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
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

const TASKS: usize = PRODUCERS * BATCHES * BATCH_TASKS;

/// Every producer and worker has a connection and a thread of its own, as processes would.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tasks_of_many_producers_reach_exactly_one_of_many_workers_each() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let settled = Arc::new(AtomicUsize::new(0));
    let producers: Vec<_> = (0..PRODUCERS).map(|number| tokio::spawn(produce(path.clone(), number))).collect();
    let workers: Vec<_> = (0..WORKERS).map(|_| tokio::spawn(work(path.clone(), Arc::clone(&settled)))).collect();
    for producer in producers {
        producer.await.unwrap();
    }
    let mut times: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for worker in workers {
        for task in worker.await.unwrap() {
            *times.entry(task).or_default() += 1;
        }
    }
    assert_eq!(times.len(), TASKS, "none lost");
    assert!(times.values().all(|times| *times == 1), "none doubled");
    let ledger = open(&path).await.census(&queue()).await.unwrap().ledger;
    assert!(ledger.is_balanced() && ledger.open() == 0, "{ledger:?}");
    audit(&path);
}

async fn produce(path: PathBuf, number: usize) {
    let (broker, producer) = (open(&path).await, InstanceId::fresh());
    for batch in 1..=BATCHES {
        let name = |task| format!("{number}.{batch}.{task}").into_bytes();
        let tasks: Vec<Vec<u8>> = (0..BATCH_TASKS).map(name).collect();
        assert_eq!(put(&*broker, producer, batch as u64, &tasks).await, Enqueued::Accepted);
        assert_eq!(put(&*broker, producer, batch as u64, &tasks).await, Enqueued::Already);
    }
}

/// Returns what this worker has settled.
async fn work(path: PathBuf, settled: Arc<AtomicUsize>) -> Vec<Vec<u8>> {
    let broker = open(&path).await;
    let mut seen = Vec::new();
    while settled.load(Ordering::SeqCst) < TASKS {
        // 10 does not divide the producers' batches, so they are cut.
        match broker.take(&wish(10, Duration::from_mins(1))).await.expect("take") {
            Taken::Batch(batch) => {
                assert_eq!(broker.settle(&stored(&batch), None).await.expect("settle").0, Settled::Done);
                settled.fetch_add(batch.tasks.len(), Ordering::SeqCst);
                seen.extend(batch.tasks);
            }
            Taken::Empty | Taken::Paused | Taken::Used => tokio::task::yield_now().await,
        }
    }
    seen
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
