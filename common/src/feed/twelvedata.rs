//! Twelve Data: prices of shares, indices, currencies and coins of the whole world. JSON, with an API key in the URL.
//!
//! Source: <https://twelvedata.com/docs#websocket>. One channel, `price`: an event has the last price, and sometimes
//! best bid and ask and the day's volume. Events have neither number nor trade size, and nothing is sent again: what was
//! missed is lost. Streaming needs a paid plan; every subscribed symbol costs one credit of it.

mod decode;
mod name;
mod session;

use std::collections::HashSet;
use std::time::Duration;

use crate::feed::key::ApiKey;
use crate::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError, Topic,
};
use crate::market::symbol::twelvedata::parse;
use crate::market::{Catalog, Instrument, Observation};

use session::Session;

/// The feed's name.
const NAME: &str = "twelvedata";

/// Its only channel.
const CHANNEL: &str = "price";

/// What Twelve Data documents, with a margin where it cuts connections.
const LIMITS: FeedLimits = FeedLimits {
    // Not documented: the plan's credits end first.
    streams_per_connection: 2_000,
    // Not documented; short enough that a refused message costs little, and 250 symbols still are three messages.
    streams_per_message: 100,
    // A further one closes an older one.
    connections_max: Some(3),
    // One credit each; how many there are is the plan's, and what is too many is refused by name.
    symbols_max: None,
    // About 100 messages in a minute, heartbeats included.
    message_interval: Duration::from_millis(650),
    message_bytes_max: 1024 * 1024,
    // It answers each of our heartbeats: three are missing.
    silence_max: Duration::from_secs(30),
    // It does not say whether a market trades; currencies and shares may share a connection.
    data_age_max: None,
    // A heartbeat every 10 s is what it recommends.
    ping_interval: Duration::from_secs(10),
    connect_interval: Duration::from_secs(1),
    attempts: None,
    session_age_max: None,
    // Both connections would count, and each symbol twice.
    may_overlap: false,
};

/// Twelve Data.
#[derive(Debug)]
pub(super) struct TwelveData;

impl Feed for TwelveData {
    fn name(&self) -> &'static str {
        NAME
    }

    fn limits(&self) -> FeedLimits {
        LIMITS
    }

    fn endpoints(&self) -> Endpoints<'static> {
        Endpoints { socket: "wss://ws.twelvedata.com", http: "" }
    }

    fn credential(&self) -> Option<&'static str> {
        Some("the API key")
    }

    fn default_channels(&self) -> &'static [&'static str] {
        &[CHANNEL]
    }

    fn topics(&self, symbols: &[String], channels: &[String], _catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        if let Some(unknown) = channels.iter().find(|channel| *channel != CHANNEL) {
            return Err(FeedError::UnknownChannel { feed: NAME, channel: unknown.clone(), known: CHANNEL.to_owned() });
        }
        let mut seen = HashSet::with_capacity(symbols.len());
        let mut topics = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            // What the worker could not name must not be subscribed.
            parse(symbol)?;
            if seen.insert(symbol) {
                topics.push(Topic { symbol: symbol.as_str().into(), stream: symbol.as_str().into(), lane: "" });
            }
        }
        Ok(topics)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn topics(symbols: &[&str], channel: &str) -> Result<Vec<Topic>, FeedError> {
        let own: Vec<String> = symbols.iter().map(|&symbol| symbol.to_owned()).collect();
        TwelveData.topics(&own, &[channel.to_owned()], &Catalog::default())
    }

    #[test]
    fn a_symbol_is_subscribed_as_it_is_spelled_and_once() {
        let topics = topics(&["RY", "RY:TSX", "EUR/USD", "RY"], "price").unwrap();
        assert_eq!(topics.iter().map(|topic| &*topic.stream).collect::<Vec<_>>(), ["RY", "RY:TSX", "EUR/USD"]);
    }

    #[test]
    fn an_unknown_channel_and_a_symbol_without_a_form_are_refused() {
        assert!(topics(&["AAPL"], "trade").unwrap_err().to_string().contains("it has price"));
        assert!(matches!(topics(&["A,B"], "price"), Err(FeedError::Symbol(_))));
    }
}
