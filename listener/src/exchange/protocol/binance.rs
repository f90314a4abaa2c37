//! Binance market streams, spot and USD-M futures (web-socket-streams pages of the API documentation, 2026-07).
//!
//! Futures have a path for each category of streams. A stream of another category, and every stream on a path without
//! one, is acknowledged and stays silent, as at the real exchange since April 2026.

mod render;
mod request;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;
use tokio_tungstenite::tungstenite::handshake::server::Request;

use super::{Asked, Envelope, Named, Opening, Place, Refusal, Subject, Venue};
use crate::exchange::desk::Desk;
use crate::exchange::options::ExchangeLimits;
use crate::exchange::walk::{Channel, Event};
use render::{render, shutdown_notice};
use request::Conversation;

/// Binance's markets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binance {
    Spot,
    Usdm,
}

/// Whether a stream is sent on a connection.
type Carries = fn(&str) -> bool;

impl Venue for Binance {
    fn name(&self) -> &'static str {
        match self {
            Self::Spot => "binance",
            Self::Usdm => "binance_usdm",
        }
    }

    fn limits(&self) -> ExchangeLimits {
        let spot = ExchangeLimits::default();
        match self {
            Self::Spot => spot,
            Self::Usdm => ExchangeLimits {
                messages_per_second: 10,
                ping_interval: Duration::from_mins(3),
                pong_max: Duration::from_mins(10),
                ..spot
            },
        }
    }

    fn symbol(&self, _n: usize, asset: &str) -> String {
        format!("{asset}USDT")
    }

    fn open(&self, request: &Request, limits: &ExchangeLimits, _desk: &Arc<Desk>) -> Result<Opening, Refusal> {
        let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
        open(*self, target, limits.streams_per_connection).map_err(|reason| Refusal { status: 400, reason })
    }

    fn subject(&self, stream: &str) -> Option<Subject> {
        subject(stream)
    }

    fn kind<'s>(&self, stream: &'s str) -> &'s str {
        stream.split_once('@').map_or(stream, |(_, kind)| kind)
    }

    fn render(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize> {
        render(out, *self, stream, event)
    }

    fn shutdown_notice(&self, out: &mut Vec<u8>, now_ms: u64) -> Option<Range<usize>> {
        Some(shutdown_notice(out, now_ms))
    }

    fn recorded(&self, frame: Asked<'_>) -> Option<Place> {
        let Asked::Text(frame) = frame else { return None };
        recorded(frame).map(|(stream, data)| Place::Stream(stream, data))
    }
}

/// `/stream` wraps messages with their stream's name and may list streams; `/ws` sends them bare and may name streams
/// as path segments.
fn open(market: Binance, target: &str, streams_max: usize) -> Result<Opening, String> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let parameter = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    if parameter("timeUnit").is_some_and(|unit| !unit.eq_ignore_ascii_case("millisecond")) {
        return Err("the simulated exchange sends milliseconds only".to_owned());
    }
    let (path, carries) = category(market, path);
    let (envelope, listed) = match path.trim_end_matches('/') {
        "/stream" => (Envelope::Whole, parameter("streams").unwrap_or("")),
        "/ws" => (Envelope::DataOnly, ""),
        other => match other.strip_prefix("/ws/") {
            Some(listed) => (Envelope::DataOnly, listed),
            None => return Err(format!("there is nothing at {path}; connect to /stream or /ws")),
        },
    };
    let mut conversation = Conversation::new(envelope, streams_max, carries);
    let mut streams = Vec::new();
    for name in listed.split('/').filter(|name| !name.is_empty()) {
        streams.push(percent_decoded(name)?);
    }
    conversation.subscribe(&streams)?;
    streams.retain(|stream| carries(stream));
    Ok(Opening { conversation: Box::new(conversation), envelope, streams })
}

/// Takes the category off a path of the futures market.
fn category(market: Binance, path: &str) -> (&str, Carries) {
    let parts = path.strip_prefix('/').and_then(|path| path.split_at_checked(path.find('/')?));
    match (market, parts) {
        (Binance::Spot, _) => (path, |_| true),
        (Binance::Usdm, Some(("public", rest))) => (rest, is_public),
        (Binance::Usdm, Some(("market", rest))) => (rest, |stream| !is_public(stream)),
        (Binance::Usdm, _) => (path, |_| false),
    }
}

/// Order books and single trades are public, what is computed from trades is market.
fn is_public(stream: &str) -> bool {
    let channel = stream.split_once('@').map_or("", |(_, channel)| channel);
    channel == "trade" || channel == "bookTicker" || channel.starts_with("depth")
}

fn percent_decoded(text: &str) -> Result<Box<str>, String> {
    let broken = || format!("{text:?} is not well percent-encoded");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first == b'%' {
            let digits = rest.get(..2).and_then(|digits| std::str::from_utf8(digits).ok()).ok_or_else(broken)?;
            bytes.push(u8::from_str_radix(digits, 16).ok().ok_or_else(broken)?);
            rest = &rest[2..];
        } else {
            bytes.push(*first);
        }
    }
    String::from_utf8(bytes).map(String::into_boxed_str).ok().ok_or_else(broken)
}

/// `btcusdt@trade` and the like. A name in upper case is accepted and stays silent, as at the real exchange.
fn subject(stream: &str) -> Option<Subject> {
    let (symbol, channel) = stream.split_once('@')?;
    if symbol.chars().any(char::is_uppercase) {
        return None;
    }
    let channel = match channel {
        "trade" => Channel::Trade,
        "aggTrade" => Channel::AggregateTrade,
        "bookTicker" => Channel::Book,
        depth if is_partial_depth(depth) => Channel::Book,
        "miniTicker" => Channel::Day,
        "ticker" => Channel::Ticker,
        other => Channel::Candle { interval_ms: interval_ms(other.strip_prefix("kline_")?)? },
    };
    Some(Subject { symbol: symbol.to_uppercase(), channel })
}

/// `depth5`, `depth10@100ms` and the like: of the simulated book only the best level is known.
fn is_partial_depth(channel: &str) -> bool {
    let levels = channel.split_once('@').map_or(channel, |(levels, _speed)| levels);
    ["depth5", "depth10", "depth20"].contains(&levels)
}

/// Candlestick intervals of fixed length; weeks and months do not start at multiples of their length.
const INTERVALS: [(&str, u64); 14] = [
    ("1s", 1),
    ("1m", 60),
    ("3m", 180),
    ("5m", 300),
    ("15m", 900),
    ("30m", 1_800),
    ("1h", 3_600),
    ("2h", 7_200),
    ("4h", 14_400),
    ("6h", 21_600),
    ("8h", 28_800),
    ("12h", 43_200),
    ("1d", 86_400),
    ("3d", 259_200),
];

fn interval_ms(name: &str) -> Option<u64> {
    INTERVALS.iter().find(|(known, _)| *known == name).map(|(_, seconds)| seconds * 1_000)
}

fn interval_name(interval_ms: u64) -> &'static str {
    INTERVALS.iter().find(|(_, seconds)| seconds * 1_000 == interval_ms).map_or("", |(name, _)| name)
}

fn recorded(frame: &str) -> Option<(Box<str>, Range<usize>)> {
    #[derive(Deserialize)]
    struct Combined<'a> {
        #[serde(borrow)]
        stream: Cow<'a, str>,
        #[serde(borrow)]
        data: &'a RawValue,
    }
    let combined: Combined<'_> = serde_json::from_str(frame).ok()?;
    let data = combined.data.get();
    let start = data.as_ptr().addr() - frame.as_ptr().addr();
    Some((combined.stream.into(), start..start + data.len()))
}

#[cfg(test)]
mod tests;
