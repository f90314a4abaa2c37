//! Feeds to tasks.
//!
//! [`run`] splits the wanted symbols into `shards`, keeps one WebSocket session per shard alive for ever (`fleet`, `shard`, `relay`),
//! and appends every message to a queue. A frame travels:
//!
//! ```text
//! session (one task per shard) -> intake (one bounded backlog) -> enqueuer (one round trip at a time) -> broker
//! ```
//!
//! The session never waits for the broker; the enqueuer pushes all that has gathered while its last push was in flight.
//! While the broker does not accept, the policy `spool` takes the way over the disk (`spool`, `drain`), in order.
//! Decisions are pure (`shards`, `backlog`, `liveness`, `subscription`, `numbering`, `retreat`,
//! `ending`); `session`, `shard` and `enqueuer` only carry values to and from them.

mod accepted_log;
mod attempt;
mod backlog;
mod beat;
mod board;
mod carry;
pub mod continuity;
mod data_age;
mod deceased;
mod dial;
mod drain;
mod element;
mod ending;
mod enqueuer;
mod epochs;
mod errand;
mod error;
pub mod exchange;
mod fence;
mod fleet;
mod gate;
mod handover;
mod intake;
mod lease_keeper;
mod listener;
mod liveness;
mod login;
mod market_watch;
mod monitor;
mod numbering;
mod options;
mod probe;
mod readiness;
pub mod recorder;
mod relay;
mod retreat;
mod rivals;
mod samples;
mod session;
mod shard;
mod shards;
mod signals;
mod spool;
mod subscription;
mod wire;

pub use error::ListenerError;
pub use listener::{ListenerSummary, record, run};
pub use options::{
    BadOverflow, BufferLimits, EnqueueLimits, LinkTimes, ListenerOptions, Overflow, ShardLimits, SpoolOptions,
};
pub use probe::{Probed, probe};
