//! How a provider speaks. Between the market ([`walk`](super::walk), [`replay`](super::replay)), which knows no
//! provider, and the connections, which know no market. A further provider is one file here and one arm per `match`.

mod binance;

use std::ops::Range;
use std::str::FromStr;

use super::walk::{Channel, Event};

/// Whose protocol the exchange speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// Binance spot, market streams.
    #[default]
    Binance,
}

/// Not a provider that can be simulated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} cannot be simulated; there is: binance")]
pub struct UnknownProvider(String);

impl FromStr for Provider {
    type Err = UnknownProvider;

    fn from_str(name: &str) -> Result<Self, UnknownProvider> {
        match name {
            "binance" => Ok(Self::Binance),
            other => Err(UnknownProvider(other.to_owned())),
        }
    }
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
    pub(super) conversation: Conversation,
    pub(super) envelope: Envelope,
    /// Streams that the URL already names.
    pub(super) streams: Vec<Box<str>>,
}

/// The state of one client's requests.
#[derive(Debug)]
pub(super) enum Conversation {
    Binance(binance::Conversation),
}

/// What a request leads to. The change comes into force together with the reply, in the order of the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) reply: String,
    pub(super) change: Change,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Nothing,
    Subscribe(Vec<Box<str>>),
    Unsubscribe(Vec<Box<str>>),
    Envelope(Envelope),
}

/// What a stream's name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Subject {
    /// In upper case.
    pub(super) symbol: String,
    pub(super) channel: Channel,
}

impl Provider {
    /// Opens the conversation of a connection to this path and query; `Err` says why there is nothing.
    pub(super) fn open(self, target: &str, streams_max: usize) -> Result<Opening, String> {
        match self {
            Self::Binance => binance::open(target, streams_max),
        }
    }

    /// The symbol and channel that a stream's name stands for; `None` for a stream that exists, but stays silent.
    pub(super) fn subject(self, stream: &str) -> Option<Subject> {
        match self {
            Self::Binance => binance::subject(stream),
        }
    }

    /// The kind of a stream, for counting: its name without the symbol.
    pub(super) fn kind(self, stream: &str) -> &str {
        match self {
            Self::Binance => binance::kind(stream),
        }
    }

    /// Appends a frame's payload and says which part of it is the message alone.
    pub(super) fn render(self, out: &mut Vec<u8>, stream: &str, symbol: &str, event: &Event) -> Range<usize> {
        match self {
            Self::Binance => binance::render(out, stream, symbol, event),
        }
    }

    /// Appends the announcement that the server is about to shut down, likewise.
    pub(super) fn shutdown_notice(self, out: &mut Vec<u8>, now_ms: u64) -> Range<usize> {
        match self {
            Self::Binance => binance::shutdown_notice(out, now_ms),
        }
    }

    /// The stream of a recorded frame and where its message alone lies; `None` when it is no market data.
    pub(super) fn recorded(self, frame: &str) -> Option<(Box<str>, Range<usize>)> {
        match self {
            Self::Binance => binance::recorded(frame),
        }
    }
}

impl Conversation {
    /// Answers a request.
    pub(super) fn receive(&mut self, text: &str) -> Answer {
        match self {
            Self::Binance(conversation) => conversation.receive(text),
        }
    }
}
