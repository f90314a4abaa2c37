//! Integration tests of the shared parts, one file per behaviour.

mod redis_broker;
