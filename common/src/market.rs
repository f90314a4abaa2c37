//! The market's vocabulary. Pure: no runtime, no database, no logging.

pub mod calendar;
mod catalog;
mod instrument;
mod number;
mod order;
pub mod symbol;
mod tick;

pub use calendar::{Calendar, MarketState, Segment};
pub use catalog::{Catalog, MasterRow};
pub use instrument::{Expiry, Instrument, Kind, Right};
pub use number::{BadNumber, Price, Quantity};
pub use order::{Epoch, OrderKey};
pub use tick::{Fields, Observation};
