//! What tests of several crates share: private servers and conformance suites.

pub mod backlog;
pub mod broker_suite;
mod eventually;
mod postgres_server;
mod redis_server;
pub mod store_suite;

pub use eventually::eventually;
pub use postgres_server::{Durability, PostgresServer, sql};
pub use redis_server::RedisServer;
