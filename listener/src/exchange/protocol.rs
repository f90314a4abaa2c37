//! How a provider speaks. Between the market ([`walk`](super::walk), [`replay`](super::replay)), which knows no
//! provider, and the connections, which know no market. A further provider is one file here and one row in [`table`].

mod binance;
mod fyers;
mod kite;
mod massive;
mod twelvedata;
mod upstox;

use std::fmt::Debug;
use std::ops::Range;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use tokio_tungstenite::tungstenite::handshake::server::Request;

use super::desk::Desk;
use super::frame::Opcode;
use super::http::{HttpAsked, HttpReply};
use super::options::ExchangeLimits;
use super::outbox::Ending;
use super::walk::{Channel, Event};

/// All venues.
fn table() -> &'static [&'static dyn Venue] {
    &[
        &binance::Binance::Spot,
        &binance::Binance::Usdm,
        &fyers::Fyers,
        &kite::Kite,
        &massive::Massive,
        &twelvedata::TwelveData,
        &upstox::Upstox,
    ]
}

/// Whose protocol the exchange speaks.
#[derive(Debug, Clone, Copy)]
pub struct Provider(pub(super) &'static dyn Venue);

impl Provider {
    /// What this provider allows its clients.
    pub fn limits(self) -> ExchangeLimits {
        self.0.limits()
    }

    /// Its name, that of the feed.
    pub fn name(self) -> &'static str {
        self.0.name()
    }
}

impl Default for Provider {
    fn default() -> Self {
        Self(&binance::Binance::Spot)
    }
}

/// Not a provider that can be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be simulated; there is: {known}", known = known())]
pub struct UnknownProvider(String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        let found = table().iter().find(|venue| venue.name() == name);
        found.map(|venue| Self(*venue)).ok_or_else(|| UnknownProvider(name.to_owned()))
    }
}

fn known() -> String {
    table().iter().map(|venue| venue.name()).collect::<Vec<_>>().join(", ")
}

/// The server's side of one provider's protocol. It has no state: that of a connection is its [`Conversation`], that of
/// the whole exchange the [`Desk`].
pub(super) trait Venue: Send + Sync + Debug {
    /// The name of the feed that it serves.
    fn name(&self) -> &'static str;

    /// What it allows its clients.
    fn limits(&self) -> ExchangeLimits {
        ExchangeLimits::default()
    }

    /// How it spells symbol number `n` (from 0) of a walk, whose asset is called e.g. `BTC` or `SIM001`.
    fn symbol(&self, n: usize, asset: &str) -> String;

    /// Answers a plain HTTP request, e.g. for a one-time address or a list of instruments.
    fn http(&self, _asked: &HttpAsked<'_>, _desk: &Desk) -> HttpReply {
        HttpReply::not_found()
    }

    /// Opens the conversation of a connection.
    fn open(&self, request: &Request, limits: &ExchangeLimits, desk: &Arc<Desk>) -> Result<Opening, Refusal>;

    /// The symbol and channel that a stream's name stands for; `None` for a stream that exists, but stays silent.
    fn subject(&self, stream: &str) -> Option<Subject>;

    /// The kind of a stream, for counting.
    fn kind<'s>(&self, stream: &'s str) -> &'s str;

    /// What its market messages are.
    fn opcode(&self) -> Opcode {
        Opcode::Text
    }

    /// Appends a message's payload and says which part of it is the message alone.
    fn render(&self, out: &mut Vec<u8>, stream: Named<'_>, event: &Event) -> Range<usize>;

    /// Appends the message that a new subscriber gets instead of his first one, e.g. a snapshot; `false` for no
    /// difference.
    fn render_first(&self, _out: &mut Vec<u8>, _stream: Named<'_>, _event: &Event) -> bool {
        false
    }

    /// Writes the number of a message on its connection, counted from 1, into its payload.
    fn stamp(&self, _payload: &mut [u8], _number: u32) {}

    /// What every connection is sent every so often, however quiet the market is.
    fn beat(&self) -> Option<(Duration, Sent)> {
        None
    }

    /// What every connection is told when the market opens or closes.
    fn market_notice(&self, _is_open: bool) -> Option<Sent> {
        None
    }

    /// What the older connections of an account are told, and how they end, when it opens a further one; `None` where
    /// an account may have several.
    fn eviction(&self) -> Option<(Sent, Ending)> {
        None
    }

    /// Appends the announcement that the server is about to shut down, and says which part is the message alone.
    fn shutdown_notice(&self, _out: &mut Vec<u8>, _now_ms: u64) -> Option<Range<usize>> {
        None
    }

    /// Where a recorded frame belongs; `None` when it is no market data.
    fn recorded(&self, _frame: Asked<'_>) -> Option<Place> {
        None
    }
}

/// Where a recorded frame belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// To a stream's subscribers; the message alone lies there.
    Stream(Box<str>, Range<usize>),
    /// To whatever connection stands for the recorded one: it holds several streams, or only its connection can read it.
    Connection,
}

/// A stream that something is rendered for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named<'a> {
    /// Its number at this exchange, from 0.
    pub(super) number: usize,
    /// Its name.
    pub(super) stream: &'a str,
    /// Its symbol's name.
    pub(super) symbol: &'a str,
}

/// Which part of a frame a connection gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Envelope {
    /// All of it.
    Whole,
    /// The message alone, without the stream's name around it.
    DataOnly,
}

/// How a connection starts.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) conversation: Box<dyn Conversation>,
    pub(super) envelope: Envelope,
    /// Streams that the URL already names.
    pub(super) streams: Vec<Box<str>>,
}

/// Why a connection is not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// HTTP status.
    pub(super) status: u16,
    /// Body.
    pub(super) reason: String,
}

/// The state of one client's requests.
pub(super) trait Conversation: Send + Debug {
    /// What the server says first.
    fn greet(&mut self) -> Answer {
        Answer::default()
    }

    /// Answers a message.
    fn receive(&mut self, message: Asked<'_>) -> Answer;
}

/// A client's message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    Text(&'a str),
    Binary(&'a [u8]),
}

/// A message to a client that is no market data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sent {
    Text(String),
    Binary(Vec<u8>),
}

/// What a message leads to. The change comes into force together with the replies, in the order of the connection.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) replies: Vec<Sent>,
    pub(super) change: Change,
    /// How the connection ends after the replies.
    pub(super) ending: Option<Ending>,
    /// The account whose connection this is from now on; see [`Venue::eviction`].
    pub(super) account: Option<Box<str>>,
}

impl Answer {
    /// One text.
    pub(super) fn text(reply: impl Into<String>) -> Self {
        Self { replies: vec![Sent::Text(reply.into())], ..Self::default() }
    }

    /// The same with a change.
    pub(super) fn with(self, change: Change) -> Self {
        Self { change, ..self }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Change {
    #[default]
    Nothing,
    Subscribe(Vec<Box<str>>),
    Unsubscribe(Vec<Box<str>>),
    /// Streams that take the place of others.
    Replace {
        ended: Vec<Box<str>>,
        begun: Vec<Box<str>>,
    },
    Envelope(Envelope),
}

/// What a stream's name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// As [`Venue::symbol`] spells it.
    pub(super) symbol: String,
    pub(super) channel: Channel,
}
