//! Binance spot: JSON over combined streams, public, no credentials.
//!
//! Source: <https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams>. Combined streams wrap every
//! event as `{"stream":"btcusdt@trade","data":{..}}`. The stream's name is needed: some events (best bid and ask,
//! partial depth) do not say what they are. [`decode`] reads the events of the USD-M futures market as well.

mod channel;
mod decode;
mod session;

use std::time::Duration;

use crate::feed::{DecodeError, Feed, FeedError, FeedLimits, FeedSession, SymbolError, Topic};
use crate::market::symbol::binance::parse_spot;
use crate::market::{Instrument, Observation};

use session::Session;

/// The feed's name.
const NAME: &str = "binance";

/// What Binance documents, with a margin where it cuts connections or bans addresses.
const LIMITS: FeedLimits = FeedLimits {
    streams_per_connection: 1_024,
    // Not documented; what clients commonly send.
    streams_per_message: 200,
    // Five messages per second, pings and pongs included.
    message_interval: Duration::from_millis(250),
    message_bytes_max: 4 * 1024 * 1024,
    // Binance pings every 20 s, so three pings have been missed.
    silence_max: Duration::from_mins(1),
    ping_interval: Duration::from_secs(30),
    // 300 attempts in five minutes.
    connect_interval: Duration::from_secs(1),
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

    fn endpoint(&self) -> &'static str {
        "wss://stream.binance.com:9443"
    }

    fn session(&self, endpoint: &str, topics: &[Topic]) -> Box<dyn FeedSession> {
        Box::new(Session::new(endpoint, topics))
    }

    fn topics(&self, symbols: &[String], channels: &[String]) -> Result<Vec<Topic>, FeedError> {
        channel::topics(symbols, channels)
    }

    fn default_channels(&self) -> &'static [&'static str] {
        &["trade", "bookTicker"]
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        out.push(decode::observation(kind, body)?);
        Ok(())
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        parse_spot(symbol)
    }
}
