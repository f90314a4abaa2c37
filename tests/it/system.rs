//! The whole system: real processes on real servers or embedded files, from the exchange's socket to the rows.

mod kills;
mod processes;
mod recordings;
mod replay;
mod rig;
mod tables;
