//! Upstox Market Data Feed V3: Protocol Buffers over WebSocket, for an account's access token.
//!
//! Source: <https://upstox.com/developer/api-documentation/v3/get-market-data-feed>. Before each connection an address is
//! asked for that opens it once ([`authorize`]). Requests are JSON in binary frames ([`request`]) and have no answer: the
//! first frame that carries an instrument confirms it. Frames hold many instruments ([`schema`]); each becomes a message
//! of its own, in the JSON form that Upstox' clients hand on ([`body`]), which the worker reads ([`decode`]).

mod authorize;
mod body;
mod channel;
mod decode;
mod kind;
mod request;
pub mod schema;
mod session;

use std::time::Duration;

use crate::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError, Topic,
};
use crate::market::symbol::upstox::parse;
use crate::market::{Catalog, Instrument, Observation};

use channel::Mode;
use session::Session;

/// The feed's name.
const NAME: &str = "upstox";

/// What Upstox documents for the standard plan; what it does not is said beside it.
const LIMITS: FeedLimits = FeedLimits {
    // Of the default channel; see `streams_per_connection`.
    streams_per_connection: 2_000,
    // Not documented. Some 12 KiB of keys.
    streams_per_message: 500,
    // Per user. The Plus plan allows five.
    connections_max: Some(2),
    symbols_max: None,
    // Not documented.
    message_interval: Duration::from_millis(200),
    // A snapshot of 2,000 instruments in `full` has about 1.4 MiB.
    message_bytes_max: 8 * 1024 * 1024,
    // Upstox pings when there is nothing to send; our own pings are answered too.
    silence_max: Duration::from_secs(45),
    // In an open market something moves among the instruments of a connection.
    data_age_max: Some(Duration::from_mins(1)),
    ping_interval: Duration::from_secs(15),
    connect_interval: Duration::from_secs(1),
    attempts: None,
    session_age_max: None,
    // The connection that overlaps would be one more than the account has, when both are in use.
    may_overlap: false,
};

/// Upstox.
#[derive(Debug)]
pub(super) struct Upstox;

impl Feed for Upstox {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> FeedLimits {
        LIMITS
    }

    fn streams_per_connection(&self, channels: &[String]) -> usize {
        let modes = channels.iter().filter_map(|channel| Mode::from_name(channel));
        modes.map(Mode::instruments_max).min().unwrap_or(LIMITS.streams_per_connection)
    }

    fn endpoints(&self) -> Endpoints<'static> {
        Endpoints { socket: "wss://api.upstox.com", http: "https://api.upstox.com" }
    }

    fn credential(&self) -> Option<&'static str> {
        Some("the access token of the day, as Upstox gives it out at the login")
    }

    fn default_channels(&self) -> &'static [&'static str] {
        &["full"]
    }

    fn lite_channels(&self) -> &'static [&'static str] {
        &["ltpc"]
    }

    fn topics(&self, symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        channel::topics(symbols, channels, catalog)
    }

    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        Ok(Box::new(Session::new(request)?))
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        decode::observations(kind, body, out)
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        parse(symbol)
    }
}
