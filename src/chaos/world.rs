//! The system under trial: servers, wires, a numbered exchange and our own parts as processes.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::broker::{self, Broker};
use common::queue::QueueName;
use common::servers::{Durability, PostgresServer, Proxy, RedisServer, SmallDisk};
use common::shutdown::Shutdown;
use common::store::{self, PriceStore, StoreOptions};
use listener::exchange::{self, ExchangeControls, ExchangeOptions, ExchangeSource, Rate, WalkOptions};
use secrecy::SecretString;

use super::fault::{Fault, RedisFault};
use super::parts::{Part, Parts};
use super::setup::Setup;
use crate::failure::Failure;
use crate::pair::Pair;
use crate::part::OwnProgram;

/// Connections of the driver's own, past all wires.
const STORE_CONNECTIONS: u32 = 2;

/// Room for the append-only file of hours.
const DISK: u64 = 1 << 30;

/// The database's name.
pub(super) const DATABASE: &str = "test_0";

/// A running system. The parts end first when it is dropped, then the wires and the servers.
#[derive(Debug)]
pub(super) struct World {
    pub(super) parts: Parts,
    pub(super) wires: Wires,
    pub(super) exchange: ExchangeControls,
    /// Past the wires.
    pub(super) broker: Arc<dyn Broker>,
    /// Past the wires.
    pub(super) store: Arc<dyn PriceStore>,
    pub(super) redis: Option<RedisServer>,
    pub(super) postgres: Option<PostgresServer>,
    /// Where Redis keeps its data, if we may have one.
    disk: Option<SmallDisk>,
    pub(super) queue: QueueName,
    pub(super) folder: PathBuf,
    pub(super) setup: Setup,
    closing: Shutdown,
}

/// Every way between two parts that can be cut.
#[derive(Debug)]
pub(super) struct Wires {
    pub(super) feed: Proxy,
    /// Of the pair of servers.
    pub(super) servers: Option<ServerWires>,
}

/// The ways to Redis and PostgreSQL.
#[derive(Debug)]
pub(super) struct ServerWires {
    pub(super) listener_redis: Proxy,
    pub(super) worker_redis: Proxy,
    pub(super) worker_postgres: Proxy,
}

impl World {
    /// Starts servers, wires and exchange, and prepares the tables; no part runs yet.
    pub(super) async fn new(setup: Setup, folder: &Path) -> Result<Self, Failure> {
        let walk = WalkOptions {
            symbols: setup.symbols,
            rate: NonZeroU32::new(setup.rate).map_or(Rate::Unlimited, Rate::PerSecond),
            messages: None,
            seed: setup.seed,
            numbered: true,
            ..WalkOptions::default()
        };
        let exchange = exchange::bind(ExchangeOptions::new(ExchangeSource::Walk(walk))).await;
        let exchange = exchange.map_err(|error| crate::exchange::failure(&error))?;
        let feed = Proxy::start(exchange.address()).await?;
        let common = setup.settings(folder, exchange.symbols(), feed.address());
        let mut parts = Parts::new(OwnProgram::find()?, folder, common);

        let data = folder.join("data");
        std::fs::create_dir_all(&data).map_err(|error| Failure::output(&error))?;
        let (mut redis, mut postgres, mut servers, mut disk) = (None, None, None, None);
        let (mut queue_url, mut store_url) =
            (format!("sqlite:{}/queue.db", data.display()), format!("sqlite:{}/market.db", data.display()));
        if setup.pair == Pair::Servers {
            let wanted = &["--appendonly", "yes", "--appendfsync", "everysec"];
            let (mut one, other) =
                (RedisServer::start_with(wanted).await?, PostgresServer::start(Durability::Full).await?);
            (queue_url, store_url) = (one.url(), other.database().await?);
            disk = smalldisk(&mut one, folder).await?;
            let wires = ServerWires::lay(&one, &other).await?;
            wires.tell(&mut parts, &other, setup.workers);
            (redis, postgres, servers) = (Some(one), Some(other), Some(wires));
        }
        let broker = broker::connect(&SecretString::from(queue_url)).await?;
        let options = StoreOptions { connections: STORE_CONNECTIONS };
        let store = store::connect(&SecretString::from(store_url), options).await?;
        store.migrate().await?;
        let (exchange, closing) = run(exchange);
        Ok(Self {
            parts,
            wires: Wires { feed, servers },
            exchange,
            broker,
            store,
            redis,
            postgres,
            disk,
            queue: "websocket_data".parse().expect("letters and an underscore are a queue's name"),
            folder: folder.to_owned(),
            setup,
            closing,
        })
    }

    /// Starts every part that does not run.
    pub(super) fn start_all(&mut self) -> Result<(), Failure> {
        for part in self.wanted() {
            if self.parts.pid(part).is_none() {
                self.parts.start(part)?;
            }
        }
        Ok(())
    }

    /// Whether this machine lets us do it.
    pub(super) fn allows(&self, fault: Fault) -> bool {
        fault != Fault::Redis(RedisFault::DiskFull) || self.disk.is_some()
    }

    /// The parts of a whole system.
    pub(super) fn wanted(&self) -> Vec<Part> {
        (1..=self.setup.workers).map(Part::Worker).chain([Part::Listener]).collect()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.closing.begin();
    }
}

/// Lets Redis keep its data on a small file system. Without one, its disk cannot be filled.
async fn smalldisk(redis: &mut RedisServer, folder: &Path) -> Result<Option<SmallDisk>, Failure> {
    let Ok(Some(disk)) = SmallDisk::mount(&folder.join("redis"), DISK) else { return Ok(None) };
    redis.keep_data_in(disk.folder());
    redis.start().await?;
    Ok(Some(disk))
}

fn run(exchange: exchange::Exchange) -> (ExchangeControls, Shutdown) {
    let (controls, closing) = (exchange.controls(), Shutdown::new());
    closing.spawn("exchange", exchange.run(closing.clone()));
    (controls, closing)
}

impl ServerWires {
    async fn lay(redis: &RedisServer, postgres: &PostgresServer) -> Result<Self, Failure> {
        let postgres: SocketAddr = ([127, 0, 0, 1], postgres.port()).into();
        Ok(Self {
            listener_redis: Proxy::start(redis.address()).await?,
            worker_redis: Proxy::start(redis.address()).await?,
            worker_postgres: Proxy::start(postgres).await?,
        })
    }

    /// Each part reaches the servers by its own wires. The launcher's parts share those of the workers.
    fn tell(&self, parts: &mut Parts, postgres: &PostgresServer, workers: u32) {
        let redis_by = |wire: &Proxy| format!("redis://{}", wire.address());
        let store = postgres.url_at(self.worker_postgres.address().port(), DATABASE);
        let listener = (Part::Listener, redis_by(&self.listener_redis));
        let others = (1..=workers).map(Part::Worker).chain([Part::Launcher]);
        let others = others.map(|part| (part, redis_by(&self.worker_redis)));
        for (part, redis) in others.chain([listener]) {
            parts.set(part, "REDIS_URL", redis);
            parts.set(part, "DATABASE_URL", store.clone());
        }
    }
}
