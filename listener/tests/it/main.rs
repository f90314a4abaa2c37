//! The listener against a scripted server and a broker in memory.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod confirm;
mod endings;
mod memory_broker;
mod options;
mod order;
mod outage;
mod overflow;
mod presence;
mod quick_feed;
mod rig;
mod server;
mod stop;
