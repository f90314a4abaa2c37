//! Integration tests of the shared parts, one file per behaviour.

mod sqlite_broker;
mod sqlite_broker_audit;
mod sqlite_broker_promises;
mod sqlite_broker_together;
mod sqlite_thread;
