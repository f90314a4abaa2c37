//! Massive (Polygon.io until 2025): US stocks, options and indices, crypto and foreign exchange. JSON, with an API key.
//!
//! Source: <https://massive.com/docs/websocket/quickstart>. Each market ("cluster") has a WebSocket of its own, and a key
//! has one connection per cluster: a second one closes the first. The server speaks first; then comes the key, and only
//! when that is accepted, the subscriptions.
//!
//! What is stored is what was traded: trades with conditions that keep them from setting the last sale (odd lots, out of
//! sequence, average price) are prices too and are not filtered.

mod channel;
mod decode;
mod session;

use std::time::Duration;

use crate::feed::key::ApiKey;
use crate::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError, Topic,
};
use crate::market::symbol::massive::parse;
use crate::market::{Catalog, Instrument, Observation};

use session::Session;

/// The feed's name.
const NAME: &str = "massive";

/// What Massive documents, with a margin where it cuts connections.
const LIMITS: FeedLimits = FeedLimits {
    // "No limitation ... as long as you can consume the data fast enough"; a number all the same. Quotes of options are
    // the exception: 1,000 contracts.
    streams_per_connection: 100_000,
    // A refusal does not say what is refused, so one stream is asked for at a time.
    streams_per_message: 1,
    // One per cluster. A listener of symbols of two clusters would need two; run one listener for each.
    connections_max: Some(1),
    symbols_max: None,
    // Not documented. Subscriptions go at the pace of their answers.
    message_interval: Duration::from_millis(100),
    // After a pause much may come in one array.
    message_bytes_max: 16 * 1024 * 1024,
    // Connections die without a goodbye, mostly at night: three pings have had no answer.
    silence_max: Duration::from_mins(1),
    // It does not say whether a market trades, and a contract may go for hours without a trade.
    data_age_max: None,
    ping_interval: Duration::from_secs(20),
    connect_interval: Duration::from_secs(1),
    attempts: None,
    session_age_max: None,
    // The newer connection closes the older one.
    may_overlap: false,
};

/// Massive, all its clusters.
#[derive(Debug)]
pub(super) struct Massive;

impl Feed for Massive {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> FeedLimits {
        LIMITS
    }

    fn endpoints(&self) -> Endpoints<'static> {
        Endpoints { socket: "wss://socket.massive.com", http: "" }
    }

    fn credential(&self) -> Option<&'static str> {
        Some("the API key")
    }

    fn default_channels(&self) -> &'static [&'static str] {
        &["T", "Q"]
    }

    fn lite_channels(&self) -> &'static [&'static str] {
        &["T"]
    }

    fn topics(&self, symbols: &[String], channels: &[String], _catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        channel::topics(symbols, channels)
    }

    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        let key = ApiKey::new(NAME, request.credential)?;
        Ok(Box::new(Session::new(request.endpoints.socket, key, request.topics)))
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        out.push(decode::observation(kind, body)?);
        Ok(())
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        parse(symbol)
    }
}
