//! What a client asks. Only mistakes are answered, as at the real one.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use super::symbol;
use crate::exchange::desk::Desk;
use crate::exchange::protocol::{self, Answer, Asked, Change};

/// The modes, as clients name them.
const MODES: [&str; 3] = ["ltp", "quote", "full"];

/// One connection's subscriptions.
#[derive(Debug)]
pub(super) struct Conversation {
    desk: Arc<Desk>,
    /// Subscribed instruments.
    tokens: BTreeSet<u32>,
    tokens_max: usize,
}

/// `{"a":"subscribe","v":[..]}`, `{"a":"unsubscribe","v":[..]}`, `{"a":"mode","v":["full",[..]]}`
#[derive(Deserialize)]
#[serde(tag = "a", content = "v", rename_all = "lowercase")]
enum Request {
    Subscribe(Vec<u32>),
    Unsubscribe(Vec<u32>),
    Mode(String, Vec<u32>),
}

impl Conversation {
    pub(super) fn new(desk: Arc<Desk>, tokens_max: usize) -> Self {
        Self { desk, tokens: BTreeSet::new(), tokens_max }
    }

    fn subscribe(&mut self, tokens: Vec<u32>) -> Answer {
        let new = tokens.iter().filter(|token| !self.tokens.contains(token)).collect::<BTreeSet<_>>().len();
        if self.tokens_max < self.tokens.len() + new {
            return error("maximum number of instruments reached");
        }
        // Unknown instruments are taken and stay silent.
        self.tokens.extend(tokens);
        Answer::default()
    }

    fn mode(&self, mode: &str, tokens: &[u32]) -> Answer {
        let Some(mode) = MODES.iter().find(|known| **known == mode) else { return error("invalid mode") };
        let is_sent = |token: &&u32| {
            self.tokens.contains(token) && symbol(**token).is_some_and(|symbol| self.desk.lists(&symbol))
        };
        let streams = tokens.iter().filter(is_sent).map(|token| format!("{mode}:{token}").into());
        Answer { change: Change::Subscribe(streams.collect()), ..Answer::default() }
    }

    fn unsubscribe(&mut self, tokens: &[u32]) -> Answer {
        let gone = tokens.iter().filter(|token| self.tokens.remove(token));
        let streams = gone.flat_map(|token| MODES.map(|mode| format!("{mode}:{token}").into_boxed_str()));
        Answer { change: Change::Unsubscribe(streams.collect()), ..Answer::default() }
    }
}

impl protocol::Conversation for Conversation {
    fn receive(&mut self, message: Asked<'_>) -> Answer {
        let read = match message {
            Asked::Text(text) => serde_json::from_str(text),
            Asked::Binary(bytes) => serde_json::from_slice(bytes),
        };
        match read {
            Ok(Request::Subscribe(tokens)) => self.subscribe(tokens),
            Ok(Request::Unsubscribe(tokens)) => self.unsubscribe(&tokens),
            Ok(Request::Mode(mode, tokens)) => self.mode(&mode, &tokens),
            Err(_) => error("invalid message"),
        }
    }
}

fn error(problem: &str) -> Answer {
    Answer::text(json!({ "type": "error", "data": problem }).to_string())
}
