//! The simulated exchange, over real sockets.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "all of it is tests, but clippy sees only the functions that are marked"
)]

mod breaking;
mod client;
mod limits;
mod replaying;
mod running;
mod subscribing;
mod walking;
