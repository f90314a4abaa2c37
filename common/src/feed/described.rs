//! Feeds that the settings describe: JSON over a WebSocket, where everything lies at known places.
//!
//! A [`Description`] says where to connect, what to send, and by JSON pointers where an event's symbol and values are. A
//! task's body is the provider's frame, kept whole; its kind is always `event`.

mod decode;
mod description;
mod pointer;
mod session;
mod template;

use std::collections::HashSet;
use std::time::Duration;

use crate::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, Remedy, SessionRequest, SymbolError,
    Topic,
};
use crate::market::symbol::{check_length, refusal};
use crate::market::{Catalog, Instrument, Kind, Observation};

pub use description::{Description, Rule, Slot, TimeUnit, Verdict};
pub use pointer::Pointer;
pub use template::Template;

use session::{KIND, Session};

/// Nothing is known of such providers, so this is generous.
const MESSAGE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The one channel: what the description subscribes.
const CHANNELS: [&str; 1] = [KIND];

/// A feed of the settings.
#[derive(Debug)]
struct Described {
    name: &'static str,
    socket: &'static str,
    description: &'static Description,
}

/// The feed of a description. It lives as long as the process: make each once.
pub fn feed(description: Description) -> &'static dyn Feed {
    let (name, socket) = (description.name.clone().leak(), description.url.source().leak());
    Box::leak(Box::new(Described { name, socket, description: Box::leak(Box::new(description)) }))
}

impl Feed for Described {
    fn name(&self) -> &'static str {
        self.name
    }

    fn limits(&self) -> FeedLimits {
        let description = self.description;
        FeedLimits {
            streams_per_connection: description.symbols_per_connection,
            streams_per_message: description.symbols_per_message,
            connections_max: description.connections_max,
            symbols_max: description
                .connections_max
                .map(|most| most.saturating_mul(description.symbols_per_connection)),
            message_interval: description.message_interval,
            message_bytes_max: MESSAGE_BYTES_MAX,
            silence_max: description.silence_max,
            // Whether its market trades is not known.
            data_age_max: None,
            ping_interval: description.heartbeat_interval,
            connect_interval: Duration::from_secs(1),
            attempts: None,
            session_age_max: None,
            // Whether the provider bears it is not known.
            may_overlap: false,
        }
    }

    fn endpoints(&self) -> Endpoints<'static> {
        Endpoints { socket: self.socket, http: "" }
    }

    fn credential(&self) -> Option<&'static str> {
        self.description.wants_credential().then_some("the text that stands for {credential} in its description")
    }

    fn default_channels(&self) -> &'static [&'static str] {
        &CHANNELS
    }

    fn topics(&self, symbols: &[String], channels: &[String], _catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        if let Some(unknown) = channels.iter().find(|channel| *channel != KIND) {
            let known = format!("only {KIND:?}: what its description subscribes");
            return Err(FeedError::UnknownChannel { feed: self.name, channel: unknown.clone(), known });
        }
        let mut seen = HashSet::new();
        let mut topics = Vec::with_capacity(symbols.len());
        for symbol in symbols {
            // What the worker could not name must not be subscribed.
            self.instrument(symbol)?;
            if seen.insert(symbol) {
                topics.push(Topic { symbol: symbol.as_str().into(), stream: symbol.as_str().into(), lane: "" });
            }
        }
        Ok(topics)
    }

    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        let fails = |remedy, reason: String| Failure { remedy, reason: reason.into() };
        let credential = request.credential.cloned().unwrap_or_default();
        if request.credential.is_none() && self.description.wants_credential() {
            let reason = format!("{} wants a credential, and there is none", self.name);
            return Err(fails(Remedy::NewCredentials, reason));
        }
        let url = request.endpoints.socket.parse().map_err(|problem| fails(Remedy::Stop, problem))?;
        Ok(Box::new(Session::new(self.description, url, credential, request.topics)))
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        if kind != KIND {
            return Err(DecodeError::Skip("unknown_stream"));
        }
        decode::observations(self.description, body, out)
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        check_length(symbol).map_err(|problem| refusal(self.name, symbol, problem))?;
        if let Some(odd) = symbol.chars().find(|&c| c.is_control() || c.is_whitespace()) {
            return Err(refusal(self.name, symbol, format!("{odd:?} does not occur in symbols").into()));
        }
        // An exchange in front is the provider's; the description names ours.
        let name = symbol.rsplit_once(':').map_or(symbol, |(_, name)| name).to_uppercase();
        if !name.chars().any(char::is_alphanumeric) {
            return Err(refusal(self.name, symbol, "neither a letter nor a digit".into()));
        }
        let kind = self.description.kind;
        let is_pair = [Kind::Spot, Kind::Perp, Kind::Fx].contains(&kind);
        let underlying = if is_pair { name.replace(['-', '_'], "/") } else { name };
        let exchange = self.description.exchange.as_str().into();
        Ok(Instrument { exchange, underlying: underlying.into(), kind, expiry: None, option: None, series: None })
    }
}

#[cfg(test)]
mod tests;
