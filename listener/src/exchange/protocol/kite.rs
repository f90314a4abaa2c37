//! Zerodha Kite (web-socket and market-quotes pages of the Kite Connect 3 documentation).
//!
//! Binary packets by instrument number, a heartbeat each second, the list of instruments over plain HTTP. Unlike the real
//! one it sends nothing between the subscription and the mode, which there is a moment of quotes.

mod packet;
mod request;

use std::fmt::Write;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use tokio_tungstenite::tungstenite::handshake::server::Request;

use super::{Asked, Envelope, Named, Opening, Place, Refusal, Sent, Subject, Venue};
use crate::exchange::desk::Desk;
use crate::exchange::frame::Opcode;
use crate::exchange::http::{HttpAsked, HttpReply};
use crate::exchange::options::ExchangeLimits;
use crate::exchange::walk::{Channel, Event};
use request::Conversation;

/// Kite.
#[derive(Debug)]
pub(super) struct Kite;

/// What stands before the number of a symbol: `NSE:SIM0042`.
const SYMBOL: &str = "NSE:SIM";

/// The lowest byte of an instrument's number: shares of NSE.
const SEGMENT: u32 = 1;

/// The answer to a wrong key or token, as documented.
const WRONG_TOKEN: &str =
    r#"{"status":"error","message":"Incorrect `api_key` or `access_token`.","error_type":"TokenException"}"#;

/// The columns of the list of instruments.
const COLUMNS: &str = "instrument_token,exchange_token,tradingsymbol,name,last_price,expiry,strike,tick_size,lot_size,instrument_type,segment,exchange\n";

impl Venue for Kite {
    fn name(&self) -> &'static str {
        "kite"
    }

    fn limits(&self) -> ExchangeLimits {
        ExchangeLimits {
            connections: 3,
            streams_per_connection: 3_000,
            // Not documented.
            messages_per_second: 50,
            ..ExchangeLimits::default()
        }
    }

    fn symbol(&self, n: usize, _asset: &str) -> String {
        // The number must follow from the name.
        format!("{SYMBOL}{n:04}")
    }

    fn http(&self, asked: &HttpAsked<'_>, desk: &Desk) -> HttpReply {
        if asked.method != "GET" || !["/instruments", "/instruments/NSE"].contains(&asked.target) {
            return HttpReply::not_found();
        }
        let credential = asked.header("authorization").and_then(|value| value.strip_prefix("token "));
        if !credential.is_some_and(|credential| desk.admits(credential)) {
            return HttpReply { status: 403, body: WRONG_TOKEN.to_owned() };
        }
        HttpReply { status: 200, body: instruments(desk.symbols()) }
    }

    fn open(&self, request: &Request, limits: &ExchangeLimits, desk: &Arc<Desk>) -> Result<Opening, Refusal> {
        let query = request.uri().query().unwrap_or("");
        let value = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
        let credential = value("api_key").zip(value("access_token")).map(|(key, token)| format!("{key}:{token}"));
        if !credential.is_some_and(|credential| desk.admits(&credential)) {
            return Err(Refusal { status: 403, reason: WRONG_TOKEN.to_owned() });
        }
        let conversation = Box::new(Conversation::new(Arc::clone(desk), limits.streams_per_connection));
        Ok(Opening { conversation, envelope: Envelope::Whole, streams: Vec::new() })
    }

    fn subject(&self, stream: &str) -> Option<Subject> {
        let (mode, token) = stream.split_once(':')?;
        let channel = match mode {
            "ltp" => Channel::Trade,
            "quote" | "full" => Channel::Ticker,
            _ => return None,
        };
        Some(Subject { symbol: symbol(token.parse().ok()?)?, channel })
    }

    fn kind<'s>(&self, stream: &'s str) -> &'s str {
        stream.split_once(':').map_or(stream, |(mode, _)| mode)
    }

    fn opcode(&self) -> Opcode {
        Opcode::Binary
    }

    fn recorded(&self, frame: Asked<'_>) -> Option<Place> {
        // A single byte is the heartbeat.
        matches!(frame, Asked::Binary([_, _, ..])).then_some(Place::Connection)
    }

    fn render(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize> {
        let token = token(stream.symbol).unwrap_or_default();
        packet::frame(out, self.kind(stream.stream), token, event);
        0..out.len()
    }

    fn beat(&self) -> Option<(Duration, Sent)> {
        Some((Duration::from_secs(1), Sent::Binary(vec![0])))
    }
}

/// `NSE:SIM0042` -> 43 << 8 | 1.
fn token(symbol: &str) -> Option<u32> {
    let n: u32 = symbol.strip_prefix(SYMBOL)?.parse().ok()?;
    Some(n.checked_add(1)?.checked_mul(256)? | SEGMENT)
}

/// The way back.
fn symbol(token: u32) -> Option<String> {
    let n = (token >> 8).checked_sub(1)?;
    (token & 0xff == SEGMENT).then(|| format!("{SYMBOL}{n:04}"))
}

fn instruments(symbols: &[String]) -> String {
    let mut out = COLUMNS.to_owned();
    for symbol in symbols {
        let (exchange, name) = symbol.split_once(':').unwrap_or(("NSE", symbol));
        let token = token(symbol).unwrap_or_default();
        let exchange_token = token >> 8;
        writeln!(out, "{token},{exchange_token},{name},{name},0,,0,0.05,1,EQ,{exchange},{exchange}")
            .expect("writing to a String does not fail");
    }
    out
}

#[cfg(test)]
mod tests;
