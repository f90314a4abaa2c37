//! The queue's vocabulary. Pure: no runtime, no database, no logging.
//!
//! A **task** is one market-data message on a queue. A worker *takes* a batch of tasks under a **lease** it names
//! itself, and *settles* the lease once the rows are committed. Silence means redelivery.

mod dead;
mod dead_line;
mod envelope;
mod finding;
mod gap;
mod lease;
mod name;
mod settlement;
mod task;

pub use dead::{DeadFilter, DeadId, DeadLetter, DeadPage};
pub use dead_line::BadLine;
pub use envelope::Envelope;
pub use finding::{Check, Finding, Findings, Flaw, imbalances};
pub use gap::{GAP_KIND, Gap, GapReason};
pub use lease::{Batch, LeaseId, Reaped, Take, Taken};
pub use name::{BadQueueName, QueueName};
pub use settlement::{IntakeCounts, Retry, Settled, Settlement, TickCounts};
pub use task::{BadTask, Task, WIRE_VERSION};
