//! What needs the broker's own connection to be provoked.

use diesel::connection::SimpleConnection;

use super::*;
use crate::queue::{Batch, IntakeCounts, TickCounts};

async fn put(broker: &SqliteBroker, batch: u64, tasks: &[Vec<u8>]) -> Result<Enqueued, BrokerError> {
    let (queue, producer) = ("ticks".parse().unwrap(), InstanceId::fresh());
    let counts = IntakeCounts::default();
    let enqueue = Enqueue { queue: &queue, producer, batch, tasks, waiting_max: 1_000_000, counts: &counts };
    broker.enqueue(&enqueue).await
}

async fn take(broker: &SqliteBroker) -> Option<Batch> {
    let (queue, lease, ttl) = ("ticks".parse().unwrap(), LeaseId::fresh(), Duration::from_mins(1));
    let take = Take { queue, lease, tasks_max: 500, bytes_max: 1 << 20, ttl, worker: "w".into() };
    match broker.take(&take).await.unwrap() {
        Taken::Batch(batch) => Some(batch),
        Taken::Empty | Taken::Paused | Taken::Used => None,
    }
}

#[tokio::test]
async fn a_full_disk_refuses_tasks_and_can_still_be_drained() {
    let folder = tempfile::tempdir().unwrap();
    let broker = SqliteBroker::open(&folder.path().join("q.db")).await.unwrap();
    // SQLite reports its own limit exactly as it reports a full disk.
    broker.call(|db| db.batch_execute("PRAGMA max_page_count = 300")).await.unwrap().unwrap();
    let tasks = vec![vec![b'x'; 1_000]; 100];
    let mut accepted = 0;
    let refused = loop {
        match put(&broker, 1, &tasks).await {
            Ok(Enqueued::Accepted) => accepted += tasks.len(),
            Ok(other) => panic!("{other:?}"),
            Err(refused) => break refused,
        }
    };
    assert!(matches!(refused, BrokerError::OutOfRoom { .. }), "{refused:?}");
    assert!(refused.is_transient() && 0 < accepted);
    let mut drained = 0;
    while let Some(batch) = take(&broker).await {
        let ticks = batch.tasks.len() as u64;
        let settlement = Settlement {
            queue: "ticks".parse().unwrap(),
            lease: batch.lease,
            settled: u32::try_from(ticks).unwrap(),
            counts: TickCounts { ticks, stored: ticks, ..TickCounts::default() },
            retry: Vec::new(),
            dead: Vec::new(),
        };
        assert_eq!(broker.settle(&settlement, None).await.unwrap().0, Settled::Done);
        drained += batch.tasks.len();
    }
    assert_eq!(drained, accepted);
    assert_eq!(put(&broker, 1, &tasks).await.unwrap(), Enqueued::Accepted, "there is room again");
}

#[tokio::test]
async fn an_idle_worker_does_not_wait_for_a_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = SqliteBroker::open(&path).await.unwrap();
    assert_eq!(take(&broker).await, None, "the queue is known from now on");
    let writer = SqliteThread::open(&path).await.unwrap();
    writer.call(|db| db.batch_execute("BEGIN IMMEDIATE")).await.unwrap().unwrap();
    let asked = clock::monotonic();
    assert_eq!(take(&broker).await, None);
    assert_eq!(broker.reap(&"ticks".parse().unwrap()).await.unwrap(), Reaped::default());
    assert!(asked.elapsed() < SqliteThread::BUSY_TIMEOUT);
}

#[tokio::test]
async fn the_way_to_the_first_task_does_not_grow_with_the_queue() {
    use diesel::RunQueryDsl;
    use diesel::sql_types::{BigInt, Text};
    let folder = tempfile::tempdir().unwrap();
    let broker = SqliteBroker::open(&folder.path().join("q.db")).await.unwrap();
    let plans = [
        "EXPLAIN QUERY PLAN SELECT * FROM queue_chunk c JOIN queue_body b ON b.id = c.body
             WHERE c.queue = 1 AND c.batch = 0 ORDER BY c.body, c.start",
        "EXPLAIN QUERY PLAN SELECT * FROM queue_batch
             WHERE queue = 1 AND lease IS NULL AND due_at <= 1 ORDER BY due_at, id LIMIT 1",
        "EXPLAIN QUERY PLAN SELECT * FROM queue_batch WHERE queue = 1 AND lease = 'x'",
        "EXPLAIN QUERY PLAN UPDATE queue_chunk SET batch = 1 WHERE queue = 1 AND batch = 0 AND (body, start) <= (1, 2)",
    ];
    for plan in plans {
        let rows = broker
            .call(move |db| {
                type Row = (BigInt, BigInt, BigInt, Text);
                crate::sqlite::query::<Row>(plan).load::<(i64, i64, i64, String)>(db)
            })
            .await
            .unwrap()
            .unwrap();
        for (_, _, _, step) in rows {
            assert!(step.contains("SEARCH"), "{plan}: {step}");
        }
    }
}

/// Puts a link in the place of the log. SQLite itself goes on with what it has open.
#[cfg(target_os = "linux")]
fn misplace_log(database: &Path, to: &Path) {
    let log = format!("{}-wal", database.display());
    std::fs::rename(&log, format!("{log}.away")).unwrap();
    std::os::unix::fs::symlink(to, &log).unwrap();
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_enqueue_that_may_not_be_on_the_disk_is_not_answered_as_accepted_and_none_is_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = SqliteBroker::open(&path).await.unwrap();
    misplace_log(&path, Path::new("/dev/full")); // which can be opened, and refuses to be flushed
    for (batch, says) in [(1, "Invalid argument"), (2, "earlier")] {
        let refused = put(&broker, batch, &[b"1".to_vec()]).await.unwrap_err();
        assert!(matches!(&refused, BrokerError::Unfit { problem, .. } if problem.contains(says)), "{refused:?}");
    }
    assert_eq!(take(&broker).await.unwrap().tasks.len(), 1, "and what is there is still worked on");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn where_the_log_cannot_be_opened_the_commit_itself_waits_for_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = SqliteBroker::open(&path).await.unwrap();
    misplace_log(&path, Path::new("/nowhere/at/all"));
    assert_eq!(put(&broker, 1, &[b"1".to_vec()]).await.unwrap(), Enqueued::Accepted);
    assert_eq!(take(&broker).await.unwrap().tasks.len(), 1);
}

#[cfg(unix)]
#[tokio::test]
async fn the_log_of_a_file_behind_a_link_is_found_and_another_one_after_a_panic() {
    let (folder, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (link, path) = (folder.path().join("q.db"), other.path().join("real.db"));
    drop(SqliteBroker::open(&path).await.unwrap());
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let broker = SqliteBroker::open(&link).await.unwrap();
    let log = broker.thread.log().unwrap();
    assert_eq!(put(&broker, 1, &[b"1".to_vec()]).await.unwrap(), Enqueued::Accepted);
    assert!(0 < log.metadata().unwrap().len());
    broker.call(|_db| panic!("a bug")).await.map(|()| "ended").unwrap_err();
    assert_eq!(put(&broker, 2, &[b"2".to_vec()]).await.unwrap(), Enqueued::Accepted);
    assert!(!Arc::ptr_eq(&log, &broker.thread.log().unwrap()));
}
