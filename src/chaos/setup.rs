//! What is put on trial, and how its parts are set up.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::pair::Pair;

/// What is put on trial.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setup {
    pub(super) pair: Pair,
    /// Symbols of the exchange, all of them subscribed.
    pub(super) symbols: usize,
    /// Messages a second.
    pub(super) rate: u32,
    /// Worker processes.
    pub(super) workers: u32,
    pub(super) lease: Duration,
    /// How long a fault lasts that does not pass by itself.
    pub(super) hold: Duration,
    pub(super) seed: u64,
    /// Whether every tick is kept and checked on its own.
    pub(super) history: bool,
}

/// Where a listener writes what the queue has accepted.
pub(super) fn accepted_log(folder: &Path) -> PathBuf {
    folder.join("accepted.log")
}

/// Two connections for the usual number of symbols.
const CONNECTIONS: usize = 2;

impl Setup {
    /// The settings that all parts have in common, as environment variables.
    pub(super) fn settings(&self, folder: &Path, symbols: &[String], feed: SocketAddr) -> Vec<(&'static str, String)> {
        let lease_ms = self.lease.as_millis();
        let per_connection = symbols.len().div_ceil(CONNECTIONS);
        let overflow = match self.pair {
            Pair::Servers => "spool",
            Pair::Embedded => "merge", // its queue is a file on the disk that a spool would be on
        };
        vec![
            ("TIDEMILL_DATA_DIR", folder.join("data").display().to_string()),
            ("TIDEMILL_LOG__FORMAT", "text".to_owned()),
            ("TIDEMILL_STORE__HISTORY", self.history.to_string()),
            ("TIDEMILL_WORKER__LEASE", format!("{lease_ms}ms")),
            ("TIDEMILL_WORKER__DRAIN", "5s".to_owned()),
            ("TIDEMILL_LISTENER__FEED", "binance".to_owned()),
            ("TIDEMILL_LISTENER__ENDPOINT", format!("ws://{feed}")),
            ("TIDEMILL_LISTENER__SYMBOLS", symbols.join(",")),
            ("TIDEMILL_LISTENER__CHANNELS", "trade,bookTicker".to_owned()),
            ("TIDEMILL_LISTENER__MAX_SYMBOLS", symbols.len().to_string()),
            ("TIDEMILL_LISTENER__SYMBOLS_PER_CONNECTION", per_connection.to_string()),
            ("TIDEMILL_LISTENER__CONNECTION_DELAY", "0s".to_owned()),
            ("TIDEMILL_LISTENER__OVERFLOW", overflow.to_owned()),
            ("TIDEMILL_LISTENER__ACCEPTED_LOG", accepted_log(folder).display().to_string()),
        ]
    }
}
