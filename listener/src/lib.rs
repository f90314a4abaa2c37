//! Feeds to tasks; and the simulated exchange.

pub mod exchange;
