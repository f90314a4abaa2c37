//! Massive's clusters (massive.com/docs/websocket, 2026): stocks under the names of a walk's assets, and crypto pairs
//! of them against the dollar. The other clusters can be connected to and stay silent.

mod render;
mod request;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use tokio_tungstenite::tungstenite::handshake::server::Request;

use serde::Deserialize;

use super::{Asked, Envelope, Named, Opening, Place, Refusal, Sent, Subject, Venue};
use crate::exchange::desk::Desk;
use crate::exchange::options::ExchangeLimits;
use crate::exchange::outbox::Ending;
use crate::exchange::walk::{Channel, Event};
use request::{Conversation, status};

/// What is behind the name of a coin in the crypto cluster.
const QUOTE: &str = "-USD";

const MINUTE_MS: u64 = 60_000;
const SECOND_MS: u64 = 1_000;

/// Each cluster and its channels.
const CLUSTERS: [(&str, &[&str]); 5] = [
    ("stocks", &["T", "Q", "A", "AM", "LULD", "NOI", "FMV"]),
    ("options", &["T", "Q", "A", "AM", "FMV"]),
    ("indices", &["V", "A", "AM"]),
    ("crypto", &["XT", "XQ", "XA", "XAS", "FMV"]),
    ("forex", &["C", "CA", "CAS", "FMV"]),
];

/// Massive.
#[derive(Debug)]
pub(super) struct Massive;

impl Venue for Massive {
    fn name(&self) -> &'static str {
        "massive"
    }

    fn limits(&self) -> ExchangeLimits {
        // Nothing is documented; clients ask for one stream after the other, as fast as they are answered.
        ExchangeLimits { streams_per_connection: 100_000, messages_per_second: 100_000, ..ExchangeLimits::default() }
    }

    fn symbol(&self, _n: usize, asset: &str) -> String {
        asset.to_owned()
    }

    fn open(&self, request: &Request, _limits: &ExchangeLimits, desk: &Arc<Desk>) -> Result<Opening, Refusal> {
        let path = request.uri().path().trim_matches('/');
        let Some((cluster, channels)) = CLUSTERS.iter().find(|(cluster, _)| *cluster == path) else {
            let known = CLUSTERS.map(|(cluster, _)| cluster).join(", ");
            return Err(Refusal { status: 404, reason: format!("no cluster {path:?}; there is {known}") });
        };
        let conversation = Box::new(Conversation::new(cluster, channels, Arc::clone(desk)));
        Ok(Opening { conversation, envelope: Envelope::Whole, streams: Vec::new() })
    }

    fn subject(&self, stream: &str) -> Option<Subject> {
        let (channel, ticker) = stream.split_once('.')?;
        let coin = || ticker.strip_suffix(QUOTE);
        let (symbol, channel) = match channel {
            "T" => (ticker, Channel::Trade),
            "Q" => (ticker, Channel::Book),
            "A" => (ticker, Channel::Candle { interval_ms: SECOND_MS }),
            "AM" => (ticker, Channel::Candle { interval_ms: MINUTE_MS }),
            "XT" => (coin()?, Channel::Trade),
            "XQ" => (coin()?, Channel::Book),
            "XAS" => (coin()?, Channel::Candle { interval_ms: SECOND_MS }),
            "XA" => (coin()?, Channel::Candle { interval_ms: MINUTE_MS }),
            _ => return None,
        };
        Some(Subject { symbol: symbol.to_owned(), channel })
    }

    fn kind<'s>(&self, stream: &'s str) -> &'s str {
        stream.split_once('.').map_or(stream, |(channel, _)| channel)
    }

    fn recorded(&self, frame: Asked<'_>) -> Option<Place> {
        #[derive(Deserialize)]
        struct Kind<'a> {
            #[serde(borrow)]
            ev: Cow<'a, str>,
        }
        let Asked::Text(text) = frame else { return None };
        let events: Vec<Kind<'_>> = serde_json::from_str(text).ok()?;
        events.iter().any(|event| event.ev != "status").then_some(Place::Connection)
    }

    fn render(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize> {
        render::render(out, stream.stream, event)
    }

    fn eviction(&self) -> Option<(Sent, Ending)> {
        let notice = status("max_connections", "Maximum number of websocket connections exceeded.");
        Some((Sent::Text(format!("[{notice}]")), Ending { code: 1008, reason: "max connections".to_owned() }))
    }
}

#[cfg(test)]
mod tests;
