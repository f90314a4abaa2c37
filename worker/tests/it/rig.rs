//! A worker on a queue and a store of its own.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, Enqueue, Enqueued};
use common::clock::{self, UnixMicros};
use common::ledger::Ledger;
use common::market::Epoch;
use common::masters::Catalogs;
use common::presence::{InstanceId, Part};
use common::queue::{DeadFilter, DeadLetter, IntakeCounts, QueueName, Task, WIRE_VERSION};
use common::retry::Backoff;
use common::shutdown::Shutdown;
use common::sqlite::SqliteThread;
use common::store::{PriceStore, StoreOptions, UnknownTicker};
use common::testing::{Durability, PostgresServer, eventually};
use diesel::connection::SimpleConnection;
use serde_json::value::RawValue;
use tempfile::TempDir;
use worker::{WorkerOptions, WorkerSummary};

const SOON: Duration = Duration::from_secs(30);

pub(crate) struct Rig {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) store: Arc<dyn PriceStore>,
    pub(crate) queue: QueueName,
    folder: TempDir,
    database: Option<(String, PostgresServer)>,
}

impl Rig {
    pub(crate) async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let broker = common::broker::sqlite::connect(&folder.path().join("queue.db")).await.unwrap();
        let store = common::store::sqlite::connect(&folder.path().join("market.db")).await.unwrap();
        store.migrate().await.unwrap();
        Self { broker, store, queue: "ticks".parse().unwrap(), folder, database: None }
    }

    /// As [`new`](Self::new), but prices go to a PostgreSQL of its own.
    pub(crate) async fn on_postgres() -> Self {
        let server = PostgresServer::start(Durability::None).await;
        let url = server.database().await;
        let store = common::store::postgres::connect(&url, StoreOptions { connections: 4 }).await.unwrap();
        store.migrate().await.unwrap();
        Self { store, database: Some((url, server)), ..Self::new().await }
    }

    /// Runs statements in the store, past the worker.
    pub(crate) async fn sql(&self, statements: &str) {
        if let Some((url, _)) = &self.database {
            common::testing::sql(url, statements).await;
            return;
        }
        let beside = SqliteThread::open(&self.market_file()).await.unwrap();
        let statements = statements.to_owned();
        beside.call(move |connection| connection.batch_execute(&statements)).await.unwrap().unwrap();
    }

    /// What the worker says it waits for.
    pub(crate) async fn trouble(&self) -> Option<String> {
        self.broker.presences().await.unwrap().into_iter().find_map(|presence| match presence.part {
            Part::Worker(worker) => worker.trouble,
            Part::Listener(_) => None,
        })
    }

    pub(crate) fn market_file(&self) -> std::path::PathBuf {
        self.folder.path().join("market.db")
    }

    pub(crate) fn options(&self) -> WorkerOptions {
        WorkerOptions {
            queues: vec![self.queue.clone()],
            concurrency: 2,
            batch_tasks: 100,
            batch_bytes: 1 << 20,
            lease: Duration::from_secs(2),
            age_max: None,
            history: true,
            catalogs: Catalogs::default(),
            unknown_ticker: UnknownTicker::Create,
            row_retry: Backoff { first: Duration::from_millis(20), longest: Duration::from_millis(50), times: Some(2) },
            drain: Duration::from_secs(5),
            limits: None,
            latency_log: None,
            health: None,
            name: "under-test".into(),
            look_every: WorkerOptions::LOOK_EVERY,
        }
    }

    /// Puts elements on the queue, as one enqueue of a producer of its own.
    pub(crate) async fn enqueue(&self, elements: &[Vec<u8>]) {
        let enqueue = Enqueue {
            queue: &self.queue,
            producer: InstanceId::fresh(),
            batch: 1,
            tasks: elements,
            waiting_max: u64::MAX,
            counts: &IntakeCounts::default(),
        };
        assert_eq!(self.broker.enqueue(&enqueue).await.unwrap(), Enqueued::Accepted);
    }

    pub(crate) async fn ledger(&self) -> Ledger {
        self.broker.census(&self.queue).await.unwrap().ledger
    }

    pub(crate) async fn letters(&self) -> Vec<DeadLetter> {
        self.broker.dead_page(&self.queue, &DeadFilter::default(), None, 100).await.unwrap().letters
    }

    /// Runs a worker until every task has ended, and stops it.
    pub(crate) async fn work(&self, options: WorkerOptions) -> WorkerSummary {
        let shutdown = Shutdown::new();
        let (broker, store) = (Arc::clone(&self.broker), Arc::clone(&self.store));
        let running = tokio::spawn(worker::run(options, broker, store, shutdown.clone()));
        eventually("every task has ended", SOON, async || self.ledger().await.open() == 0).await;
        shutdown.begin();
        running.await.unwrap().unwrap()
    }
}

/// A Binance trade as the listener queues it.
pub(crate) fn trade(seq: u32, symbol: &str, price: &str) -> Vec<u8> {
    let frame = format!(
        r#"{{"stream":"{}@trade","data":{{"e":"trade","E":1,"s":"{symbol}","t":{seq},"p":"{price}","q":"1","T":1,"m":true}}}}"#,
        symbol.to_lowercase()
    );
    element(seq, clock::now(), "trade", &frame)
}

/// Any message as a task.
pub(crate) fn element(seq: u32, at: UnixMicros, kind: &str, frame: &str) -> Vec<u8> {
    let body: &RawValue = serde_json::from_str(frame).unwrap();
    let epoch = Epoch::new(7).unwrap();
    let (feed, kind) = ("binance".into(), kind.into());
    Task { v: WIRE_VERSION, feed, kind, conn: 1, epoch, seq, at, attempt: 0, body }.encode()
}
