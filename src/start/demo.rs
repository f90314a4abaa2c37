//! The simulated exchange that a launcher runs until symbols are configured.

use std::net::SocketAddr;
use std::num::NonZeroU32;

use common::settings::Settings;
use common::shutdown::Shutdown;
use listener::exchange::{self, ExchangeOptions, ExchangeReport, ExchangeSource, Rate, WalkOptions};
use tokio::task::JoinHandle;

use super::output::Output;
use crate::failure::Failure;

/// A running simulated exchange.
#[derive(Debug)]
pub(crate) struct Demo {
    address: SocketAddr,
    symbols: Vec<String>,
    symbols_per_connection: usize,
    shutdown: Shutdown,
    running: JoinHandle<ExchangeReport>,
}

/// Starts it when the settings name no symbols: there is nothing real to connect to then.
pub(crate) async fn begin_if_wanted(settings: &Settings, output: &Output) -> Result<Option<Demo>, Failure> {
    if !settings.listener.symbols.is_empty() {
        output.say(&format!("  ✓ feed       {} · {} symbols", settings.listener.feed, settings.listener.symbols.len()));
        return Ok(None);
    }
    let start = &settings.start;
    let walk = WalkOptions {
        symbols: usize::try_from(start.symbols).unwrap_or(usize::MAX),
        rate: NonZeroU32::new(start.rate).map_or(Rate::Unlimited, Rate::PerSecond),
        ..WalkOptions::default()
    };
    let exchange = exchange::bind(ExchangeOptions::new(ExchangeSource::Walk(walk))).await;
    let exchange = exchange.map_err(|error| crate::exchange::failure(&error))?;
    let (address, symbols) = (exchange.address(), exchange.symbols().to_vec());
    output.say(&format!(
        "  ✓ feed       simulated: {} symbols, {} connections, {} messages/s at ws://{address}",
        start.symbols, start.connections, start.rate
    ));
    output.say("               (set listener.symbols in tidemill.toml for real prices)");
    let shutdown = Shutdown::new();
    let running = tokio::spawn(exchange.run(shutdown.clone()));
    let symbols_per_connection = symbols.len().div_ceil(usize::try_from(start.connections).unwrap_or(1).max(1));
    Ok(Some(Demo { address, symbols, symbols_per_connection, shutdown, running }))
}

impl Demo {
    /// What the listener needs to know, unless `said` says otherwise.
    pub(crate) fn environment(&self, said: &[(String, String)]) -> Vec<(String, String)> {
        let ours = [
            ("TIDEMILL_LISTENER__FEED", "binance".to_owned()),
            ("TIDEMILL_LISTENER__ENDPOINT", format!("ws://{}", self.address)),
            ("TIDEMILL_LISTENER__SYMBOLS", self.symbols.join(",")),
            ("TIDEMILL_LISTENER__SYMBOLS_PER_CONNECTION", self.symbols_per_connection.to_string()),
            ("TIDEMILL_LISTENER__MAX_SYMBOLS", self.symbols.len().to_string()),
            // A real provider limits connection attempts; ours does not.
            ("TIDEMILL_LISTENER__CONNECTION_DELAY", "0s".to_owned()),
        ];
        let unsaid = |(key, _): &(&str, String)| !said.iter().any(|(said, _)| said == key);
        ours.into_iter().filter(unsaid).map(|(key, value)| (key.to_owned(), value)).collect()
    }

    /// Stops it.
    pub(crate) async fn end(self) {
        self.shutdown.begin();
        if let Ok(report) = self.running.await {
            tracing::debug!(?report, "the simulated exchange has stopped");
        }
    }
}
