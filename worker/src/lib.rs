//! Tasks to rows.
//!
//! A worker runs [`WorkerOptions::concurrency`] consumer loops over one broker and one store. A loop takes a leased
//! batch, decodes and normalises it, folds it to one row per instrument, commits the rows, and only then settles the
//! lease, taking the next batch in the same round trip. Silence means redelivery.
//!
//! The pure steps are [`decode`](mod@decode), [`coalesce`](mod@coalesce) and the [`docket`]; the shells around them
//! are [`consumer`], [`writer`] and [`leases`].

mod asks;
mod batch_size;
mod beat;
#[doc(hidden)]
pub mod bench;
mod checkpoint;
mod coalesce;
mod consumer;
mod decode;
mod docket;
mod guard;
mod idle;
mod leases;
mod normalise;
mod options;
mod readiness;
mod reaper;
mod revive;
mod run;
mod stamps;
mod stats;
mod together;
mod trouble;
mod writer;

pub use options::{WorkerLimits, WorkerOptions};
pub use run::{WorkerError, WorkerSummary, run};
