//! Integration tests of the shared parts, one file per behaviour.

mod binance;
mod captures;
mod credentials;
mod fyers;
mod kite;
mod massive;
mod masters;
mod masters_loading;
mod proxy;
mod redis_broker;
mod redis_cluster;
mod redis_faults;
mod redis_keys;
mod redis_shards;
mod sqlite_broker;
mod sqlite_broker_audit;
mod sqlite_broker_promises;
mod sqlite_broker_together;
mod sqlite_shards;
mod sqlite_thread;
mod store_postgres;
mod store_sqlite;
mod symbols;
mod tidy;
mod twelvedata;
mod upstox;
