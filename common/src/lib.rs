//! What every part of Tidemill shares.
//!
//! Pure vocabulary first: [`market`] (prices, ticks, instruments, symbols), [`queue`] (tasks, leases, settlements),
//! [`ledger`] (the balance), [`roster`] (symbols asked for at run time), [`retry`],
//! [`outage`]. These files import no runtime, no database and no logging.
//!
//! Then the seams, each with its implementations in the folder of its name: [`broker`] (Redis, SQLite),
//! [`store`] (PostgreSQL, SQLite) and [`feed`] (one file per provider). [`masters`] loads what providers say they trade.
//!
//! Parts of the program never import each other: a listener and a worker meet in the broker and the store only.

mod address;
pub mod broker;
mod chain;
pub mod clock;
pub mod credentials;
pub mod failpoint;
pub mod feed;
pub mod health;
pub mod http;
pub mod jwt;
pub mod latency;
pub mod ledger;
#[cfg(feature = "servers")]
pub mod limits;
pub mod market;
pub mod masters;
pub mod outage;
pub mod panics;
pub mod presence;
pub mod queue;
pub mod redact;
pub mod retry;
pub mod roster;
mod scan;
#[cfg(feature = "servers")]
pub mod servers;
pub mod settings;
pub mod shutdown;
pub mod sqlite;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod wipe;

pub use address::Address;
pub use chain::chain;

/// A source error whose library stays hidden behind the seam that reports it.
pub type BoxError = Box<dyn std::error::Error + Send + Sync + 'static>;
