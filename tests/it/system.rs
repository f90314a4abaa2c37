//! The whole system: real processes on real servers or embedded files, from the exchange's socket to the rows.

mod bad_input;
mod kills;
mod outages;
mod poison;
mod processes;
mod recordings;
mod replay;
mod rig;
mod stopping;
mod tables;
mod websocket_server;
mod wrong_start;
