//! What the settings say of a feed.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::value::RawValue;

use crate::feed::described::pointer::{self, Pointer};
use crate::feed::described::template::Template;
use crate::market::Kind;

/// A feed as the settings describe it; every part has been checked alone.
#[derive(Debug, Clone)]
pub struct Description {
    /// Its name, which no built-in feed has.
    pub name: String,
    /// Where to connect.
    pub url: Template,
    /// Headers of the handshake.
    pub headers: Vec<(String, Template)>,
    /// Messages that ask for symbols, in order.
    pub subscribe: Vec<Template>,
    /// Messages that ask for symbols no longer; without them only a new connection can.
    pub unsubscribe: Vec<Template>,
    /// What to send every so often.
    pub heartbeat: Option<Template>,
    /// How often.
    pub heartbeat_interval: Duration,
    /// Symbols of a connection.
    pub symbols_per_connection: usize,
    /// Symbols of a message.
    pub symbols_per_message: usize,
    /// Connections at one time, where the provider limits them.
    pub connections_max: Option<usize>,
    /// Least time between two messages of ours.
    pub message_interval: Duration,
    /// A connection without any frame for this long is dead.
    pub silence_max: Duration,
    /// Where the events of a frame are: an array, or one event.
    pub events: Pointer,
    /// What makes an event market data; all of it.
    pub only: Vec<Rule>,
    /// Where an event names its symbol.
    pub symbol: Pointer,
    /// Where its values are.
    pub values: Vec<(Slot, Pointer)>,
    /// Where it says when it happened, and how.
    pub time: Option<(Pointer, TimeUnit)>,
    /// What a message is that confirms symbols.
    pub confirm: Option<Verdict>,
    /// What a message is that refuses symbols.
    pub refuse: Option<Verdict>,
    /// Where a refusal says why.
    pub refuse_reason: Option<Pointer>,
    /// The exchange of its instruments, e.g. `NASDAQ`.
    pub exchange: String,
    /// What its instruments are.
    pub kind: Kind,
}

impl Description {
    /// Whether any part of it wants the account's credential.
    pub(super) fn wants_credential(&self) -> bool {
        let messages = self.subscribe.iter().chain(&self.unsubscribe).chain(&self.heartbeat);
        let headers = self.headers.iter().map(|(_, value)| value);
        messages.chain(headers).chain([&self.url]).any(Template::wants_credential)
    }
}

/// This place holds this text, number or word.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Where.
    pub pointer: Pointer,
    /// The content of a text; what is no text, as JSON writes it.
    pub value: String,
}

impl Rule {
    pub(super) fn holds(&self, event: Event<'_>) -> bool {
        event.at(&self.pointer).is_some_and(|found| pointer::text(found) == self.value)
    }
}

/// A message of the provider about symbols.
#[derive(Debug, Clone)]
pub struct Verdict {
    /// What makes it one; all of it.
    pub rules: Vec<Rule>,
    /// Where its symbols are: one, or an array. Without, all that wait for an answer are meant.
    pub symbols: Option<Pointer>,
}

/// The values of an event that can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in `Fields`")]
pub enum Slot {
    LastPrice,
    LastSize,
    BidPrice,
    BidSize,
    AskPrice,
    AskSize,
    OpenPrice,
    HighPrice,
    LowPrice,
    PreviousClose,
    Volume,
    OpenInterest,
}

/// How a time is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeUnit {
    /// Since 1970, in so many parts of a second.
    Since1970 {
        /// 1 for seconds, 1,000 for milliseconds, and so on.
        per_second: u32,
    },
    /// `2026-07-06T10:41:28Z`, or with an offset.
    Rfc3339,
}

/// One event of a frame. What it lacks is looked for in the frame: many providers say there what all events share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Event<'a> {
    pub(super) frame: &'a RawValue,
    pub(super) event: &'a RawValue,
}

impl<'a> Event<'a> {
    pub(super) fn at(self, pointer: &Pointer) -> Option<&'a RawValue> {
        pointer.find(self.event).or_else(|| pointer.find(self.frame))
    }
}

impl Description {
    /// The events of a frame that are market data and name their symbol; empty when it has none.
    pub(super) fn events<'a>(&self, frame: &'a RawValue) -> Vec<Event<'a>> {
        let Some(events) = self.events.find(frame) else { return Vec::new() };
        let all = match serde_json::from_str::<Vec<&'a RawValue>>(events.get()) {
            Ok(events) => events,
            Err(_) => vec![events],
        };
        let all = all.into_iter().map(|event| Event { frame, event });
        all.filter(|event| self.only.iter().all(|rule| rule.holds(*event)) && self.symbol_of(*event).is_some())
            .collect()
    }

    /// The symbol that an event names.
    pub(super) fn symbol_of<'a>(&self, event: Event<'a>) -> Option<Cow<'a, str>> {
        let symbol = pointer::text(event.at(&self.symbol)?);
        (!symbol.is_empty()).then_some(symbol)
    }
}
