//! Integration tests of the shared parts, one file per behaviour.

mod redis_broker;
mod redis_cluster;
mod redis_faults;
mod redis_keys;
