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
