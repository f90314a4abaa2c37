//! Feeds to tasks.
//!
//! [`run`] splits the wanted symbols into [`shards`](mod@shards), keeps one WebSocket session per shard alive for ever,
//! and appends every message to a queue. A frame travels:
//!
//! ```text
//! session (one task per shard) -> intake (one bounded backlog) -> enqueuer (one round trip at a time) -> broker
//! ```
//!
//! The session never waits for the broker; the enqueuer pushes all that has gathered while its last push was in flight.
//! Decisions are pure ([`shards`](mod@shards), `backlog`, `liveness`, `subscription`, `numbering`, `retreat`,
//! `ending`); `session`, `shard` and `enqueuer` only carry values to and from them.

mod backlog;
mod beat;
mod board;
pub mod continuity;
mod dial;
mod element;
mod ending;
mod enqueuer;
mod epochs;
mod errand;
pub mod exchange;
mod gate;
mod intake;
mod listener;
mod liveness;
mod monitor;
mod numbering;
mod options;
mod retreat;
mod session;
mod shard;
pub mod shards;
mod subscription;
mod wire;

pub use listener::{ListenerError, ListenerSummary, run};
pub use options::{BadOverflow, BufferLimits, EnqueueLimits, LinkTimes, ListenerOptions, Overflow, ShardLimits};
