//! The keys of a described feed.

use std::time::Duration;

use super::plain;
use crate::feed::described::{Slot, TimeUnit};
use crate::market;
use crate::settings::kind::Kind;

/// One key.
#[derive(Debug, Clone, Copy)]
pub(in crate::settings) struct Key {
    pub(in crate::settings) name: &'static str,
    pub(in crate::settings) form: Form,
    /// As text; empty for none.
    pub(in crate::settings) default: &'static str,
    /// What it does.
    pub(in crate::settings) doc: &'static str,
}

/// How a value is written.
#[derive(Debug, Clone, Copy)]
pub(in crate::settings) enum Form {
    /// As a setting of the table.
    Plain(Kind),
    /// A JSON pointer.
    Pointer,
    /// A text with places to fill in.
    Template,
    /// One or several of them.
    Templates,
    /// Texts with places to fill in, by name.
    Headers,
    /// Texts, numbers or words, by JSON pointer.
    Rules,
}

const fn key(name: &'static str, form: Form, default: &'static str, doc: &'static str) -> Key {
    Key { name, form, default, doc }
}

const fn value(name: &'static str, doc: &'static str) -> Key {
    key(name, Form::Pointer, "", doc)
}

const HOUR: Duration = Duration::from_hours(1);
const INTERVAL: Form = plain(Kind::Time { min: Duration::from_secs(1), max: HOUR });
const PAUSE: Form = plain(Kind::Time { min: Duration::ZERO, max: HOUR });
const SYMBOLS: Form = plain(Kind::Count { min: 1, max: 10_000 });
const CONNECTIONS: Form = plain(Kind::Count { min: 0, max: 1_000 });
const UNIT: Form = plain(Kind::Choice(&["s", "ms", "us", "ns", "rfc3339"]));
const KIND: Form =
    plain(Kind::Choice(&["eq", "etf", "index", "spot", "perp", "fx", "debt", "fund", "commodity", "misc"]));

/// All keys, in the order of the page.
#[rustfmt::skip] // one row, one key
pub(in crate::settings) const KEYS: &[Key] = &[
    key("url", Form::Template, "", "Where to connect. Needed"),
    key("headers", Form::Headers, "", "Headers of the handshake"),
    key("subscribe", Form::Templates, "", "Messages that ask for symbols, in order. Needed unless the URL names the symbols"),
    key("unsubscribe", Form::Templates, "", "Messages that end a subscription; without them a new connection is opened"),
    key("heartbeat", Form::Template, "", "Message that is sent every so often, beside the WebSocket's own ping"),
    key("heartbeat_interval", INTERVAL, "20s", "How often"),
    key("symbols_per_connection", SYMBOLS, "100", "Symbols one connection may carry"),
    key("symbols_per_message", SYMBOLS, "50", "Symbols one message may name"),
    key("connections", CONNECTIONS, "0", "Connections the provider allows at one time; 0 for no limit"),
    key("message_interval", PAUSE, "250ms", "Least pause between two messages to the provider"),
    key("silence", INTERVAL, "60s", "A connection on which nothing comes for this long is dead"),
    key("events", Form::Pointer, "", "Where the events of a frame are, an array or one; empty for the frame itself"),
    key("only", Form::Rules, "", "What makes an event market data; all of it must hold"),
    key("symbol", Form::Pointer, "", "Where an event names its symbol. Needed"),
    value("price", "Last price"),
    value("size", "Size of the last trade"),
    value("bid", "Best bid"),
    value("bid_size", "Size at the best bid"),
    value("ask", "Best ask"),
    value("ask_size", "Size at the best ask"),
    value("open", "First price of the day"),
    value("high", "Highest price of the day"),
    value("low", "Lowest price of the day"),
    value("previous_close", "Close of the previous session"),
    value("volume", "Traded so far in the day"),
    value("open_interest", "Open contracts"),
    value("time", "When it happened"),
    key("time_unit", UNIT, "ms", "How the time is written: parts of a second since 1970, or RFC 3339"),
    key("confirm", Form::Rules, "", "What makes a frame a confirmation; without it a symbol's first event confirms it"),
    key("confirm_symbols", Form::Pointer, "", "Where it names the symbols, one or an array; without it all that wait"),
    key("refuse", Form::Rules, "", "What makes a frame a refusal"),
    key("refuse_symbols", Form::Pointer, "", "Where it names the symbols; without it the connection is opened again"),
    key("refuse_reason", Form::Pointer, "", "Where it says why"),
    key("exchange", plain(Kind::Text), "", "Exchange of its instruments, such as `NASDAQ`. Needed"),
    key("kind", KIND, "eq", "What its instruments are"),
];

/// Keys without which nothing works, and what to do.
pub(super) const REQUIRED: [(&str, &str); 3] = [
    ("url", "say where to connect: `url = \"wss://...\"`"),
    ("symbol", "say where an event names its symbol: `symbol = \"/...\"`"),
    ("exchange", "name the exchange of its instruments: `exchange = \"NASDAQ\"`"),
];

/// Keys that mean nothing without another.
pub(super) const NEEDS: [(&str, &str); 3] =
    [("confirm_symbols", "confirm"), ("refuse_symbols", "refuse"), ("refuse_reason", "refuse")];

/// The keys of values.
pub(super) const SLOTS: [(&str, Slot); 12] = [
    ("price", Slot::LastPrice),
    ("size", Slot::LastSize),
    ("bid", Slot::BidPrice),
    ("bid_size", Slot::BidSize),
    ("ask", Slot::AskPrice),
    ("ask_size", Slot::AskSize),
    ("open", Slot::OpenPrice),
    ("high", Slot::HighPrice),
    ("low", Slot::LowPrice),
    ("previous_close", Slot::PreviousClose),
    ("volume", Slot::Volume),
    ("open_interest", Slot::OpenInterest),
];

/// The units of times; the remaining word is RFC 3339.
pub(super) const UNITS: [(&str, TimeUnit); 4] = [
    ("s", TimeUnit::Since1970 { per_second: 1 }),
    ("ms", TimeUnit::Since1970 { per_second: 1_000 }),
    ("us", TimeUnit::Since1970 { per_second: 1_000_000 }),
    ("ns", TimeUnit::Since1970 { per_second: 1_000_000_000 }),
];

/// The kinds of instruments.
pub(super) const KINDS: [(&str, market::Kind); 10] = [
    ("eq", market::Kind::Eq),
    ("etf", market::Kind::Etf),
    ("index", market::Kind::Index),
    ("spot", market::Kind::Spot),
    ("perp", market::Kind::Perp),
    ("fx", market::Kind::Fx),
    ("debt", market::Kind::Debt),
    ("fund", market::Kind::Fund),
    ("commodity", market::Kind::Commodity),
    ("misc", market::Kind::Misc),
];
