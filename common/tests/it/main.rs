//! Integration tests of the shared parts, one file per behaviour.

mod binance;
mod captures;
mod redis_broker;
mod redis_cluster;
mod redis_faults;
mod redis_keys;
mod store_postgres;
mod store_sqlite;
mod symbols;
