//! The data socket of Fyers API v3 ("HSM"): binary frames, a login inside the connection, symbols by token number.
//!
//! What is simulated: the token numbers of symbols over HTTP, the check of the token, full and lite mode, subscriptions
//! with their answers, the account's symbol limit, snapshots before updates, message numbers, and the wish for
//! acknowledgements. Not: indices, pausing of channels, and several connections sharing one symbol limit.
//!
//! Prices have four places, the last of which alternates from one message of a topic to the next: a client drops what
//! tells it nothing new, and here every message does.

mod render;
mod request;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio_tungstenite::tungstenite::handshake::server::Request;

use super::{Asked, Envelope, Named, Opening, Place, Refusal, Subject, Venue};
use crate::exchange::desk::Desk;
use crate::exchange::frame::Opcode;
use crate::exchange::http::{HttpAsked, HttpReply};
use crate::exchange::options::ExchangeLimits;
use crate::exchange::walk::{Channel, Event};
use request::Conversation;

/// Where the socket is.
const PATH: &str = "/hsm/v1-5/prod";

/// Most symbols of one question for token numbers.
const QUESTION_SYMBOLS_MAX: usize = 500;

/// What a token number begins with: NSE, cash market, no expiry.
const TOKEN_HEAD: &str = "1010000000";

/// Fyers' data socket.
#[derive(Debug)]
pub(super) struct Fyers;

impl Venue for Fyers {
    fn name(&self) -> &'static str {
        "fyers"
    }

    fn limits(&self) -> ExchangeLimits {
        ExchangeLimits {
            streams_per_connection: 5_000,
            // Acknowledgements are messages, too, and no pace is documented.
            messages_per_second: 10_000,
            ping_interval: Duration::from_secs(30),
            ..ExchangeLimits::default()
        }
    }

    fn symbol(&self, _n: usize, asset: &str) -> String {
        format!("NSE:{asset}-EQ")
    }

    fn http(&self, asked: &HttpAsked<'_>, desk: &Desk) -> HttpReply {
        if (asked.method, asked.target) != ("POST", "/data/symbol-token") {
            return HttpReply::not_found();
        }
        let token = asked.header("authorization").unwrap_or_default();
        let is_admitted = desk.admits_by(|wanted| !token.is_empty() && bare(wanted) == token);
        let (status, body) =
            if is_admitted { numbers(asked.body, desk) } else { (401, error(-16, "Could not authenticate the user")) };
        HttpReply { status, body: body.to_string() }
    }

    fn open(&self, request: &Request, limits: &ExchangeLimits, desk: &Arc<Desk>) -> Result<Opening, Refusal> {
        if request.uri().path() != PATH {
            return Err(Refusal { status: 404, reason: format!("there is nothing here; connect to {PATH}") });
        }
        let conversation = Box::new(Conversation::new(Arc::clone(desk), limits.streams_per_connection));
        Ok(Opening { conversation, envelope: Envelope::Whole, streams: Vec::new() })
    }

    fn subject(&self, stream: &str) -> Option<Subject> {
        let StreamName { topic, symbol, .. } = StreamName::read(stream)?;
        let channel = if topic.starts_with("dp|") { Channel::Book } else { Channel::Ticker };
        Some(Subject { symbol: symbol.to_owned(), channel })
    }

    fn kind<'s>(&self, stream: &'s str) -> &'s str {
        StreamName::read(stream).and_then(|name| name.topic.split('|').next()).unwrap_or(stream)
    }

    fn opcode(&self) -> Opcode {
        Opcode::Binary
    }

    fn render(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize> {
        render::update(out, stream, event)
    }

    fn render_first(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> bool {
        render::snapshot(out, stream, event);
        true
    }

    fn stamp(&self, payload: &mut [u8], number: u32) {
        if let Some(place) = payload.get_mut(3..7) {
            place.copy_from_slice(&number.to_be_bytes());
        }
    }

    fn recorded(&self, frame: Asked<'_>) -> Option<Place> {
        matches!(frame, Asked::Binary([_, _, render::DATA, ..])).then_some(Place::Connection)
    }
}

/// The exchange's own name of a stream: mode, topic and symbol, e.g. `F sf|nse_cm|1 NSE:BTC-EQ`.
#[derive(Debug, Clone, Copy)]
struct StreamName<'a> {
    is_lite: bool,
    topic: &'a str,
    symbol: &'a str,
}

impl<'a> StreamName<'a> {
    fn read(stream: &'a str) -> Option<Self> {
        let (mode, rest) = stream.split_once(' ')?;
        let (topic, symbol) = rest.split_once(' ')?;
        Some(Self { is_lite: mode == "L", topic, symbol })
    }

    fn write(&self) -> Box<str> {
        format!("{} {} {}", if self.is_lite { "L" } else { "F" }, self.topic, self.symbol).into()
    }
}

/// The answer to a question for token numbers: that of a symbol is its place, from 1.
fn numbers(body: &str, desk: &Desk) -> (u16, Value) {
    #[derive(Deserialize)]
    struct Question {
        symbols: Vec<String>,
    }
    let Ok(Question { symbols }) = serde_json::from_str(body) else {
        return (400, error(-50, "Please provide symbols"));
    };
    if QUESTION_SYMBOLS_MAX < symbols.len() {
        return (400, error(-50, "Too many symbols"));
    }
    let (mut valid, mut invalid) = (Map::new(), Vec::new());
    for symbol in symbols {
        match desk.symbols().iter().position(|known| *known == symbol).filter(|_| desk.lists(&symbol)) {
            Some(place) => {
                valid.insert(symbol, format!("{TOKEN_HEAD}{}", place + 1).into());
            }
            None => invalid.push(symbol),
        }
    }
    (200, json!({ "s": "ok", "code": 200, "validSymbol": valid, "invalidSymbol": invalid }))
}

fn error(code: i32, message: &str) -> Value {
    json!({ "s": "error", "code": code, "message": message })
}

/// A token without the app's id before it.
fn bare(token: &str) -> &str {
    token.rsplit_once(':').map_or(token, |(_app, jwt)| jwt)
}

/// The socket's key that a token holds.
fn socket_key(token: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Claims {
        hsm_key: String,
    }
    let payload = bare(token).split('.').nth(1)?;
    let json = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
    serde_json::from_slice::<Claims>(&json).ok().map(|claims| claims.hsm_key)
}

#[cfg(test)]
mod tests;
