//! What the SQLite broker does beside the promises that all brokers make.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError, Enqueue, Enqueued, sqlite};
use common::presence::InstanceId;
use common::queue::{
    Batch, DeadId, DeadLetter, IntakeCounts, LeaseId, QueueName, Retry, Settled, Settlement, Take, Taken, TickCounts,
};
use common::testing::eventually;

use crate::sqlite_broker_audit::{audit, count, tamper};

pub(crate) fn queue() -> QueueName {
    "ticks".parse().expect("the name is good")
}

pub(crate) async fn open(path: &Path) -> Arc<dyn Broker> {
    sqlite::connect(path).await.expect("open")
}

pub(crate) async fn put(broker: &dyn Broker, producer: InstanceId, batch: u64, tasks: &[Vec<u8>]) -> Enqueued {
    let counts = IntakeCounts::default();
    let enqueue = Enqueue { queue: &queue(), producer, batch, tasks, waiting_max: 1_000_000, counts: &counts };
    broker.enqueue(&enqueue).await.expect("enqueue")
}

pub(crate) fn wish(tasks_max: u32, ttl: Duration) -> Take {
    let (queue, lease, worker) = (queue(), LeaseId::fresh(), "w".into());
    Take { queue, lease, tasks_max, bytes_max: 1 << 20, ttl, worker }
}

async fn take(broker: &dyn Broker, take: &Take) -> Option<Batch> {
    match broker.take(take).await.expect("take") {
        Taken::Batch(batch) => Some(batch),
        Taken::Empty | Taken::Paused | Taken::Used => None,
    }
}

pub(crate) fn stored(batch: &Batch) -> Settlement {
    let ticks = batch.tasks.len() as u64;
    Settlement {
        queue: queue(),
        lease: batch.lease,
        settled: u32::try_from(ticks).expect("a batch is small"),
        counts: TickCounts { ticks, stored: ticks, ..TickCounts::default() },
        retry: Vec::new(),
        dead: Vec::new(),
    }
}

fn letter(task: &[u8]) -> DeadLetter {
    DeadLetter {
        id: DeadId::fresh(),
        reason: "row".into(),
        code: Some("22003".into()),
        error: "out of range".to_owned(),
        symbol: None,
        attempts: 1,
        worker: "w".into(),
        died_at: common::clock::now(),
        task: task.to_vec(),
    }
}

fn tasks(names: std::ops::Range<u32>) -> Vec<Vec<u8>> {
    names.map(|name| name.to_string().into_bytes()).collect()
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn everything_is_there_again_after_the_file_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let producer = InstanceId::fresh();
    let (epoch, before, held, again) = {
        let broker = open(&path).await;
        put(&*broker, producer, 1, &tasks(0..10)).await;
        let first = take(&*broker, &wish(4, LONG)).await.unwrap();
        let mut settlement = stored(&first);
        (settlement.settled, settlement.counts) = (2, TickCounts::default());
        settlement.retry = vec![Retry { tasks: first.tasks[2..3].to_vec(), after: LONG }];
        settlement.dead = vec![letter(&first.tasks[3])];
        assert_eq!(broker.settle(&settlement, None).await.unwrap().0, Settled::Done);
        let again = wish(3, LONG);
        let held = take(&*broker, &again).await.unwrap();
        (broker.next_epoch().await.unwrap(), broker.census(&queue()).await.unwrap(), held, again)
    };
    let broker = open(&path).await;
    assert_eq!(broker.census(&queue()).await.unwrap(), before);
    let places = [before.ledger.waiting, before.ledger.leased, before.ledger.delayed, before.ledger.dead];
    assert_eq!(places, [3, 3, 1, 1]);
    assert_eq!(take(&*broker, &again).await.unwrap(), held);
    assert_eq!(put(&*broker, producer, 1, &tasks(0..10)).await, Enqueued::Already);
    assert!(epoch < broker.next_epoch().await.unwrap());
    assert_eq!(broker.settle(&stored(&held), None).await.unwrap().0, Settled::Done);
    assert_eq!(take(&*broker, &wish(9, LONG)).await.unwrap().tasks, tasks(7..10));
    audit(&path);
}

#[tokio::test]
async fn what_cannot_be_a_queue_is_refused_with_advice() {
    let folder = tempfile::tempdir().unwrap();
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, "no database at all, but long enough to look like one ".repeat(100)).unwrap();
    let newer = folder.path().join("newer.db");
    drop(open(&newer).await);
    tamper(&newer, "UPDATE queue_schema SET version = 99");
    for (path, problem) in [
        (folder.path(), "directory"),
        (&garbage, "not a database"),
        (&garbage.join("below_a_file.db"), "director"),
        (&newer, "version 99"),
        (Path::new(""), "file"),
        (Path::new(":memory:"), "file"),
    ] {
        let refused = sqlite::connect(path).await.err();
        assert!(
            matches!(&refused, Some(BrokerError::Unfit { problem: told, fix, .. })
                if told.contains(problem) && !fix.is_empty()),
            "{}: {refused:?}",
            path.display()
        );
    }
    assert!(std::fs::read_to_string(&garbage).unwrap().starts_with("no database"), "it was not touched");
}

#[tokio::test]
async fn a_file_that_is_damaged_is_refused_with_the_way_to_rescue_it() {
    use std::io::{Seek, Write};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = open(&path).await;
    put(&*broker, InstanceId::fresh(), 1, &vec![vec![b'x'; 1_000]; 100]).await;
    assert_eq!(broker.preflight().await.unwrap(), Vec::<String>::new());
    drop(broker);
    let wal = folder.path().join("q.db-wal");
    eventually("the file is closed", Duration::from_secs(10), async || !wal.exists()).await;
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.seek(std::io::SeekFrom::Start(4096)).unwrap();
    file.write_all(&vec![0xA5; 4096 * 20]).unwrap();
    let refused = match sqlite::connect(&path).await {
        Ok(broker) => broker.preflight().await.unwrap_err(),
        Err(refused) => refused,
    };
    assert!(matches!(&refused, BrokerError::Unfit { fix, .. } if fix.contains(".recover")), "{refused:?}");
}

#[tokio::test]
async fn a_deleted_file_takes_no_more_tasks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = open(&path).await;
    std::fs::remove_file(&path).unwrap();
    let counts = IntakeCounts::default();
    let enqueue = Enqueue {
        queue: &queue(),
        producer: InstanceId::fresh(),
        batch: 1,
        tasks: &tasks(0..1),
        waiting_max: 10,
        counts: &counts,
    };
    let refused = broker.enqueue(&enqueue).await.unwrap_err();
    assert!(matches!(refused, BrokerError::Unfit { .. }), "{refused:?}");
}

#[tokio::test]
async fn a_file_that_another_process_locks_for_long_is_unavailable_and_then_works() {
    use diesel::Connection;
    use diesel::connection::SimpleConnection;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = open(&path).await;
    let mut other = diesel::SqliteConnection::establish(path.to_str().unwrap()).unwrap();
    other.batch_execute("BEGIN EXCLUSIVE").unwrap();
    let refused = broker.next_epoch().await.unwrap_err();
    assert!(refused.is_transient(), "{refused:?}");
    assert!(matches!(refused, BrokerError::Unavailable { .. }), "{refused:?}");
    other.batch_execute("ROLLBACK").unwrap();
    broker.next_epoch().await.unwrap();
}

#[tokio::test]
async fn the_queue_shares_a_file_with_other_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("all.db");
    tamper(&path, "CREATE TABLE ticker_base (name TEXT); INSERT INTO ticker_base VALUES ('reliance')");
    tamper(&path, "PRAGMA user_version = 7");
    let broker = open(&path).await;
    put(&*broker, InstanceId::fresh(), 1, &tasks(0..3)).await;
    assert_eq!(count(&path, "SELECT count(*) AS n FROM ticker_base"), 1);
    assert_eq!(count(&path, "SELECT user_version AS n FROM pragma_user_version"), 7);
    assert_eq!(count(&path, "SELECT count(*) AS n FROM sqlite_schema WHERE name NOT LIKE '%queue_%'"), 1);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_a_dead_workers_batch() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = open(&path).await;
    put(&*broker, InstanceId::fresh(), 1, &tasks(0..3)).await;
    take(&*broker, &wish(3, Duration::from_millis(20))).await.unwrap();
    // The lease began an hour ahead of what the clock says now.
    tamper(&path, "UPDATE queue_batch SET since = since + 3600000000, due_at = due_at + 3600000000");
    eventually("the batch is returned", Duration::from_secs(10), async || {
        broker.reap(&queue()).await.unwrap().returned == 1
    })
    .await;
    assert_eq!(take(&*broker, &wish(3, LONG)).await.unwrap().deliveries, 2);
}

#[tokio::test]
async fn names_of_ended_leases_are_forgotten_in_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = open(&path).await;
    let producer = InstanceId::fresh();
    let mut batches = 0;
    let mut work = async |broker: &dyn Broker| {
        batches += 1;
        put(broker, producer, batches, &tasks(0..1)).await;
        let batch = take(broker, &wish(1, LONG)).await.unwrap();
        assert_eq!(broker.settle(&stored(&batch), None).await.unwrap().0, Settled::Done);
    };
    for _ in 0..20 {
        work(&*broker).await;
    }
    assert_eq!(count(&path, "SELECT count(*) AS n FROM queue_tombstone"), 20);
    tamper(&path, "UPDATE queue_tombstone SET expires_at = 0");
    for _ in 0..4 {
        work(&*broker).await;
    }
    assert_eq!(count(&path, "SELECT count(*) AS n FROM queue_tombstone"), 4);
}
