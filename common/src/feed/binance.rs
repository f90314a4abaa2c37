//! Binance spot: JSON over combined streams, public, no credentials.
//!
//! Source: <https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams>. Combined streams wrap every
//! event as `{"stream":"btcusdt@trade","data":{..}}`. The stream's name is needed: some events (best bid and ask,
//! partial depth) do not say what they are. [`decode`] reads the events of the USD-M futures market as well.

mod channel;
mod decode;
mod session;

use std::time::Duration;

use crate::feed::{
    Attempts, DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError,
    Topic,
};
use crate::market::symbol::binance::parse_spot;
use crate::market::{Catalog, Instrument, Observation};

use session::Session;

/// The feed's name.
const NAME: &str = "binance";

/// What Binance documents, with a margin where it cuts connections or bans addresses.
const LIMITS: FeedLimits = FeedLimits {
    streams_per_connection: 1_024,
    // Not documented; what clients commonly send.
    streams_per_message: 200,
    connections_max: None,
    symbols_max: None,
    // Five messages per second, pings and pongs included.
    message_interval: Duration::from_millis(250),
    message_bytes_max: 4 * 1024 * 1024,
    // Binance pings every 20 s, so three pings have been missed.
    silence_max: Duration::from_mins(1),
    // A quiet pair may go without a trade for long.
    data_age_max: None,
    ping_interval: Duration::from_secs(30),
    connect_interval: Duration::from_secs(1),
    attempts: Some(Attempts { most: 300, window: Duration::from_mins(5) }),
    session_age_max: Some(Duration::from_hours(24)),
    may_overlap: true,
};

/// Binance spot.
#[derive(Debug)]
pub(super) struct Binance;

impl Feed for Binance {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> FeedLimits {
        LIMITS
    }

    fn endpoints(&self) -> Endpoints<'static> {
        Endpoints { socket: "wss://stream.binance.com:9443", http: "https://api.binance.com" }
    }

    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        Ok(Box::new(Session::new(request.endpoints.socket, request.topics)))
    }

    fn topics(&self, symbols: &[String], channels: &[String], _catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        channel::topics(symbols, channels)
    }

    fn default_channels(&self) -> &'static [&'static str] {
        &["trade", "bookTicker"]
    }

    fn lite_channels(&self) -> &'static [&'static str] {
        &["miniTicker"]
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        out.push(decode::observation(kind, body)?);
        Ok(())
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        parse_spot(symbol)
    }
}
