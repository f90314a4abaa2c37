//! The whole system: real processes on real servers or embedded files, from the exchange's socket to the rows.

#![expect(
    clippy::panic,
    clippy::print_stderr,
    reason = "what surprises here fails its test and is shown with its logs"
)]

mod bad_input;
mod chaos;
mod feed_trial;
mod feeds;
mod freezes;
mod health;
mod kills;
mod outages;
mod poison;
mod presence_watch;
mod processes;
mod recordings;
mod reload;
mod repairs;
mod replay;
mod rig;
mod sharing;
mod silence;
mod spool;
mod stopping;
mod surroundings;
mod tables;
mod venues;
mod websocket_server;
mod wrong_start;
