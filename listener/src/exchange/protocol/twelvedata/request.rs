//! What a client asks, and the answers.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use super::place;
use crate::exchange::desk::Desk;
use crate::exchange::outbox::Ending;
use crate::exchange::protocol::{self, Answer, Asked, Change};

/// One connection.
#[derive(Debug)]
pub(super) struct Conversation {
    is_admitted: bool,
    desk: Arc<Desk>,
}

#[derive(Deserialize)]
struct Request {
    action: String,
    #[serde(default)]
    params: Params,
}

#[derive(Default, Deserialize)]
struct Params {
    /// Separated by commas.
    #[serde(default)]
    symbols: String,
}

impl Conversation {
    pub(super) fn new(is_admitted: bool, desk: Arc<Desk>) -> Self {
        Self { is_admitted, desk }
    }

    fn subscribe(&self, symbols: &str) -> Answer {
        let symbols = symbols.split(',').filter(|symbol| !symbol.is_empty());
        let (carried, refused): (Vec<&str>, Vec<&str>) = symbols.partition(|symbol| self.desk.lists(symbol));
        // A refusal names the symbol and gives no reason.
        let fails: Vec<Value> = refused.iter().map(|symbol| json!({ "symbol": symbol })).collect();
        let answer = json!({
            "event": "subscribe-status",
            "status": if carried.is_empty() { "error" } else { "ok" },
            "success": entries(&carried),
            "fails": if fails.is_empty() { Value::Null } else { fails.into() },
        });
        Answer::text(answer.to_string()).with(Change::Subscribe(owned(&carried)))
    }
}

impl protocol::Conversation for Conversation {
    fn greet(&mut self) -> Answer {
        if self.is_admitted {
            return Answer::default();
        }
        let ending = Some(Ending { code: 1008, reason: "unauthorized".to_owned() });
        Answer { ending, ..error(401, "apikey parameter is incorrect or not specified") }
    }

    fn receive(&mut self, message: Asked<'_>) -> Answer {
        if !self.is_admitted {
            return Answer::default();
        }
        let request = match message {
            Asked::Text(text) => serde_json::from_str::<Request>(text),
            Asked::Binary(bytes) => serde_json::from_slice::<Request>(bytes),
        };
        let Ok(Request { action, params }) = request else { return error(400, "the message is not valid") };
        match action.as_str() {
            "heartbeat" => Answer::text(r#"{"event":"heartbeat","status":"ok"}"#),
            "subscribe" => self.subscribe(&params.symbols),
            "unsubscribe" => {
                let ended: Vec<&str> = params.symbols.split(',').collect();
                let answer = json!({ "event": "unsubscribe-status", "status": "ok", "success": entries(&ended) });
                Answer::text(answer.to_string()).with(Change::Unsubscribe(owned(&ended)))
            }
            _ => error(400, "the action is not valid"),
        }
    }
}

/// An error has no `event`.
fn error(code: u16, message: &str) -> Answer {
    Answer::text(json!({ "status": "error", "code": code, "message": message }).to_string())
}

/// `{"symbol":"RY","exchange":"TSX","type":"Common Stock"}`
fn entries(symbols: &[&str]) -> Vec<Value> {
    let entry = |symbol: &&str| {
        let (name, place) = place(symbol);
        let mut entry: Value = serde_json::from_str(&format!("{{{place}}}")).unwrap_or_default();
        entry["symbol"] = name.into();
        entry
    };
    symbols.iter().map(entry).collect()
}

fn owned(symbols: &[&str]) -> Vec<Box<str>> {
    symbols.iter().map(|symbol| (*symbol).into()).collect()
}
