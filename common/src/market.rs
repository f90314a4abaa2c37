//! The market's vocabulary. Pure: no runtime, no database, no logging.

pub mod alias;
pub mod calendar;
mod catalog;
mod day;
mod instrument;
pub mod master;
mod number;
mod order;
pub mod symbol;
mod tick;

pub use alias::Aliases;
pub use calendar::{Calendar, MarketState, Segment};
pub use catalog::{Catalog, MasterRow};
pub use day::trading_day;
pub use instrument::{Expiry, Instrument, Kind, Right};
pub use number::{BadNumber, Price, Quantity};
pub use order::{Epoch, OrderKey};
pub use tick::{Fields, Observation};
