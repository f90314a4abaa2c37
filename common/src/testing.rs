//! What tests of several crates share: private servers and conformance suites.

mod eventually;
mod postgres_server;
pub mod store_suite;

pub use eventually::eventually;
pub use postgres_server::{Durability, PostgresServer, sql};
