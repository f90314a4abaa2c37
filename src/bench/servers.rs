//! Redis and PostgreSQL of the benchmark's own.

use common::servers::{Durability, PostgresServer, RedisServer};

use super::usage::Usage;
use crate::failure::Failure;

/// As many are likely to run it: what a crash of the machine costs is a second.
const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "everysec"];

/// Both, running. They end when it is dropped.
#[derive(Debug)]
pub(crate) struct OwnServers {
    redis: RedisServer,
    postgres: PostgresServer,
    /// Where the queue is.
    pub(crate) redis_url: String,
    /// Where the store is: a database of its own.
    pub(crate) store_url: String,
}

/// What the two servers have used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct ServersUsed {
    /// Redis.
    pub(crate) redis: Usage,
    /// PostgreSQL with all its processes.
    pub(crate) postgres: Usage,
}

impl OwnServers {
    /// Starts them on free ports with their data in temporary folders: Redis with a log that is synced every second,
    /// PostgreSQL with its default settings.
    pub(crate) async fn start() -> Result<Self, Failure> {
        let redis = RedisServer::start_with(DURABLE).await?;
        let postgres = PostgresServer::start(Durability::Full).await?;
        let (redis_url, store_url) = (redis.url(), postgres.database().await?);
        Ok(Self { redis, postgres, redis_url, store_url })
    }

    /// CPU time since their start, and the memory that they have now.
    pub(crate) fn used(&self) -> ServersUsed {
        let family = |pid: Option<u32>| pid.map(Usage::of_family).unwrap_or_default();
        ServersUsed { redis: family(self.redis.pid()), postgres: family(self.postgres.pid()) }
    }
}

impl ServersUsed {
    /// CPU time since `before`; memory as it is.
    pub(crate) fn since(self, before: Self) -> Self {
        Self { redis: self.redis.since(before.redis), postgres: self.postgres.since(before.postgres) }
    }
}
