//! Integration tests of the shared parts, one file per behaviour.

mod binance;
mod captures;
mod redis_broker;
mod store_postgres;
mod store_sqlite;
mod symbols;
