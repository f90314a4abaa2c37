//! Zerodha Kite: binary market data of Indian exchanges, by instrument number.
//!
//! Source: <https://kite.trade/docs/connect/v3/websocket/>. One connection is asked in JSON (`{"a":"subscribe","v":[..]}`,
//! then `{"a":"mode","v":["full",[..]]}`) and answers with big-endian packets, several in a frame. Nothing confirms a
//! subscription: an instrument's first packet does. Packets become the JSON that the official client libraries hand on.

mod decode;
mod packet;
mod session;
mod text;
mod topics;

use std::time::Duration;

use secrecy::ExposeSecret;

use crate::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, Remedy, SessionRequest, SymbolError,
    Topic,
};
use crate::market::symbol::kite;
use crate::market::{Catalog, Instrument, Observation};

use session::Session;

/// The feed's name.
const NAME: &str = "kite";

/// How much of an instrument each packet tells, least first. An instrument has one mode.
const MODES: [&str; 3] = ["ltp", "quote", "full"];

/// Instrument numbers in one message of ours. Not documented; clients send 200 to 500.
const TOKENS_PER_MESSAGE: usize = 200;

/// What Kite documents.
const LIMITS: FeedLimits = FeedLimits {
    streams_per_connection: 3_000,
    streams_per_message: TOKENS_PER_MESSAGE,
    // A fourth connection of an api key is answered with HTTP 429.
    connections_max: Some(3),
    symbols_max: Some(9_000),
    // Not documented; no client is known to have been cut at this pace.
    message_interval: Duration::from_millis(100),
    // 3,000 full packets in one frame would be 0.6 MB.
    message_bytes_max: 2 * 1024 * 1024,
    // A heartbeat comes every second.
    silence_max: Duration::from_secs(10),
    // Outside trading hours there are heartbeats only.
    data_age_max: None,
    ping_interval: Duration::from_secs(5),
    connect_interval: Duration::from_secs(1),
    attempts: None,
    // The token dies every morning, whatever the age of its connections.
    session_age_max: None,
    // With three connections allowed, a successor would often be the fourth.
    may_overlap: false,
};

/// Zerodha Kite.
#[derive(Debug)]
pub(super) struct Kite;

impl Feed for Kite {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> FeedLimits {
        LIMITS
    }

    fn endpoints(&self) -> Endpoints<'static> {
        Endpoints { socket: "wss://ws.kite.trade", http: "https://api.kite.trade" }
    }

    fn credential(&self) -> Option<&'static str> {
        Some("the app's key and the day's access token, API_KEY:ACCESS_TOKEN")
    }

    fn default_channels(&self) -> &'static [&'static str] {
        // Only this one carries bid, ask and the exchange's time.
        &["full"]
    }

    fn lite_channels(&self) -> &'static [&'static str] {
        &["ltp"]
    }

    fn topics(&self, symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        topics::topics(symbols, channels, catalog)
    }

    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        let credential = request.credential.map_or("", |credential| credential.expose_secret());
        let (key, token) = split(credential)?;
        // The slash is no part of the documented address, but every request has a path.
        let socket = request.endpoints.socket.trim_end_matches('/');
        let url = format!("{socket}/?api_key={key}&access_token={token}");
        Ok(Box::new(Session::new(url.into(), request.topics, request.catalog)))
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        out.push(decode::observation(kind, body)?);
        Ok(())
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        kite::parse(symbol)
    }
}

/// Both parts are letters and digits, so that neither can change the meaning of the URL.
fn split(credential: &str) -> Result<(&str, &str), Failure> {
    let is_word =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-');
    credential.trim().split_once(':').filter(|(key, token)| is_word(key) && is_word(token)).ok_or_else(|| Failure {
        remedy: Remedy::NewCredentials,
        reason:
            "kite wants the credential API_KEY:ACCESS_TOKEN, two words of letters and digits; log in and store it anew"
                .into(),
    })
}

#[cfg(test)]
mod tests;
