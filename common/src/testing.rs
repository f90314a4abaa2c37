//! What tests of several crates share: private servers and conformance suites.

pub mod broker_suite;
mod eventually;
mod redis_server;

pub use eventually::eventually;
pub use redis_server::RedisServer;
