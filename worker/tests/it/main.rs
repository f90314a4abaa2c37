//! Integration tests of the worker on the embedded broker and store, one file per behaviour.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod endings;
mod gaps;
mod idle;
mod long_work;
mod recovery;
mod refusals;
mod rig;
