//! Integration tests of the listener, one file per behaviour: against a scripted server and a broker in memory, and
//! of the simulated exchange against a plain client.

#![expect(clippy::unwrap_used, reason = "what fails here fails the test")]

mod confirm;
mod endings;
mod exchange;
mod feeds;
mod fyers;
mod massive;
mod memory_broker;
mod night;
mod on_exchange;
mod options;
mod order;
mod outage;
mod overflow;
mod presence;
mod quick_feed;
mod rig;
mod rivals;
mod rotation;
mod server;
mod simulated;
mod spool;
mod stop;
mod twelvedata;
mod upstox;
