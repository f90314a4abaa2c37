//! Fyers API v3, the market data socket ("HSM"): binary frames of Indian exchanges, with an account's daily token.
//!
//! No page describes the frames; the source is what the official client library sends and reads (`fyers-apiv3`,
//! <https://pypi.org/project/fyers-apiv3/>, `FyersWebsocket/data_ws.py`). A connection keeps state: the server binds a
//! number to each topic and then sends only the values that changed. So a [`session`](Feed::session) turns entries into
//! the JSON messages that the official library delivers (<https://myapi.fyers.in/docsv3>, Market Data WebSocket), and
//! [`decode`] reads those, whoever produced them.

mod answer;
mod book;
mod channel;
mod decode;
mod indices;
mod instrument_key;
mod lookup;
mod message;
mod request;
mod requests;
mod session;
mod token;

use std::time::Duration;

use crate::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError, Topic,
};
use crate::market::symbol::fyers::parse;
use crate::market::{Catalog, Instrument, Observation};

use session::Session;

/// The feed's name.
const NAME: &str = "fyers";

/// What Fyers allows, as far as it says so.
const LIMITS: FeedLimits = FeedLimits {
    // One account's symbols; a single socket may carry them all.
    streams_per_connection: 5_000,
    // What the official library puts into one frame at most.
    streams_per_message: 1_500,
    // Not documented. One socket per token is the safe guess, so connections do not overlap either.
    connections_max: None,
    // Counted over all connections of an API key (support pages, August 2025; smaller plans have less, and the server
    // says so).
    symbols_max: Some(5_000),
    // The next subscription leaves with the answer to the one before, so nothing else needs a pace; and an interval
    // after each acknowledgement would keep the pings back.
    message_interval: Duration::ZERO,
    // The answer to the login carries about 26 KiB, a snapshot of 1,500 topics about 250 KiB.
    message_bytes_max: 4 * 1024 * 1024,
    // The server sends nothing by itself while markets are closed, but answers our WebSocket pings: four are missing.
    silence_max: Duration::from_secs(45),
    // While a market is open, of many symbols one always moves.
    data_age_max: Some(Duration::from_mins(1)),
    // The official library's own interval.
    ping_interval: Duration::from_secs(10),
    connect_interval: Duration::from_secs(1),
    attempts: None,
    // The token ends about 03:00 in India; the connection is not cut for its age.
    session_age_max: None,
    may_overlap: false,
};

/// The market data socket of Fyers.
#[derive(Debug)]
pub(super) struct Fyers;

impl Feed for Fyers {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> FeedLimits {
        LIMITS
    }

    fn endpoints(&self) -> Endpoints<'static> {
        Endpoints { socket: "wss://socket.fyers.in", http: "https://api-t1.fyers.in" }
    }

    fn credential(&self) -> Option<&'static str> {
        Some("the access token of the day, APPID:JWT")
    }

    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        Ok(Box::new(Session::new(request)?))
    }

    fn topics(&self, symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        channel::topics(symbols, channels, catalog)
    }

    fn default_channels(&self) -> &'static [&'static str] {
        &["symbol"]
    }

    fn lite_channels(&self) -> &'static [&'static str] {
        &["lite"]
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        out.push(decode::observation(kind, body)?);
        Ok(())
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        parse(symbol)
    }
}
