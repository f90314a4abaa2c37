//! Twelve Data's price stream (twelvedata.com/docs#websocket, 2026). A walk's assets are in turn shares of the United
//! States, shares of Toronto and coins in dollars.

mod request;

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use tokio_tungstenite::tungstenite::handshake::server::Request;

use serde::Deserialize;

use super::{Asked, Envelope, Named, Opening, Place, Refusal, Subject, Venue};
use crate::exchange::desk::Desk;
use crate::exchange::digits::{push, push_fixed, push_fixed_sum, push_text as text};
use crate::exchange::options::ExchangeLimits;
use crate::exchange::walk::{Channel, Event, Ticker};
use request::Conversation;

const PATH: &str = "/v1/quotes/price";

/// Twelve Data.
#[derive(Debug)]
pub(super) struct TwelveData;

impl Venue for TwelveData {
    fn name(&self) -> &'static str {
        "twelvedata"
    }

    fn symbol(&self, n: usize, asset: &str) -> String {
        match n % 3 {
            0 => asset.to_owned(),
            1 => format!("{asset}:TSX"),
            _ => format!("{asset}/USD"),
        }
    }

    fn open(&self, request: &Request, _limits: &ExchangeLimits, desk: &Arc<Desk>) -> Result<Opening, Refusal> {
        if request.uri().path() != PATH {
            return Err(Refusal { status: 404, reason: format!("there is nothing here; connect to {PATH}") });
        }
        let query = request.uri().query().unwrap_or_default();
        let key = query.split('&').find_map(|pair| pair.strip_prefix("apikey=")).unwrap_or_default();
        let conversation = Box::new(Conversation::new(desk.admits(key), Arc::clone(desk)));
        Ok(Opening { conversation, envelope: Envelope::Whole, streams: Vec::new() })
    }

    fn subject(&self, stream: &str) -> Option<Subject> {
        Some(Subject { symbol: stream.to_owned(), channel: Channel::Ticker })
    }

    fn kind<'s>(&self, _stream: &'s str) -> &'s str {
        "price"
    }

    fn recorded(&self, frame: Asked<'_>) -> Option<Place> {
        #[derive(Deserialize)]
        struct Kind<'a> {
            #[serde(borrow)]
            event: Cow<'a, str>,
        }
        let Asked::Text(text) = frame else { return None };
        let message: Kind<'_> = serde_json::from_str(text).ok()?;
        (message.event == "price").then_some(Place::Connection)
    }

    fn render(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize> {
        let start = out.len();
        // No other event is asked for.
        if let Event::Ticker(ticker) = event {
            price(out, stream.symbol, ticker);
        }
        start..out.len()
    }
}

/// What the event says of a symbol: its name without the exchange, and where it trades.
fn place(symbol: &str) -> (&str, &'static str) {
    match symbol.split_once(':') {
        Some((ticker, _)) => (ticker, r#""currency":"CAD","exchange":"TSX","type":"Common Stock""#),
        None if symbol.contains('/') => (symbol, r#""exchange":"Coinbase Pro","type":"Digital Currency""#),
        None => (symbol, r#""currency":"USD","exchange":"NASDAQ","type":"Common Stock""#),
    }
}

/// Coins have bid, ask and volume; shares have the price only.
fn price(out: &mut Vec<u8>, symbol: &str, ticker: &Ticker) {
    let (name, place) = place(symbol);
    text(out, r#"{"event":"price","symbol":""#);
    text(out, name);
    text(out, r#"","#);
    text(out, place);
    text(out, r#","timestamp":"#);
    push(out, ticker.day.at_ms / 1_000);
    text(out, r#","price":"#);
    push_fixed(out, ticker.day.close);
    if symbol.contains('/') {
        text(out, r#","bid":"#);
        push_fixed(out, ticker.book.bid);
        text(out, r#","ask":"#);
        push_fixed(out, ticker.book.ask);
        text(out, r#","day_volume":"#);
        push_fixed_sum(out, ticker.day.volume);
    }
    text(out, "}");
}

#[cfg(test)]
mod tests;
