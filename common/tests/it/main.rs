//! The brokers, on real files and servers.

mod sqlite_broker;
mod sqlite_broker_audit;
mod sqlite_broker_model;
mod sqlite_broker_promises;
mod sqlite_broker_together;
mod sqlite_thread;
