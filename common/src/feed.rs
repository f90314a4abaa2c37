//! The seam to providers: one file or folder each, one row in [`table`].
//!
//! A feed does no input or output. It says where to connect and what to send, tells what a received frame means, and
//! decodes a task's body. Anything stateful about one connection lives in its [`FeedSession`].

use std::borrow::Cow;
use std::fmt::Debug;
use std::time::Duration;

use crate::market::{BadNumber, Instrument, Observation};

mod binance;

/// All feeds.
pub fn table() -> &'static [&'static dyn Feed] {
    &[&binance::Binance]
}

/// The feed of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Feed> {
    table().iter().copied().find(|feed| feed.name() == name)
}

/// A provider's stream.
pub trait Feed: Send + Sync + Debug {
    /// Its name in settings, tasks and tables, e.g. `binance`.
    fn name(&self) -> &'static str;

    /// What the provider allows.
    fn limits(&self) -> FeedLimits;

    /// Where the provider really is.
    fn endpoint(&self) -> &'static str;

    /// Opens the protocol of one connection that is to carry `topics`. The URL to connect to is the session's.
    fn session(&self, endpoint: &str, topics: &[Topic]) -> Box<dyn FeedSession>;

    /// The streams that `symbols` mean for this feed under the wanted channels, e.g. `BTCUSDT` with `trade` ->
    /// `btcusdt@trade`. An unknown channel is an error that lists the known ones.
    fn topics(&self, symbols: &[String], channels: &[String]) -> Result<Vec<Topic>, FeedError>;

    /// Channels that are subscribed when the settings name none.
    fn default_channels(&self) -> &'static [&'static str];

    /// Reads a task's body into observations, appended to `out`. Appends nothing on error.
    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError>;

    /// What a symbol means.
    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError>;
}

/// One stream of one symbol.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The symbol, as the settings spell it.
    pub symbol: Box<str>,
    /// The provider's name of the stream, e.g. `btcusdt@trade`.
    pub stream: Box<str>,
}

/// What a provider allows.
#[derive(Debug, Clone, Copy)]
pub struct FeedLimits {
    /// Streams one connection may carry.
    pub streams_per_connection: usize,
    /// Streams one subscribe message may name.
    pub streams_per_message: usize,
    /// Least time between two messages we send.
    pub message_interval: Duration,
    /// Largest message it sends, in bytes, with a margin.
    pub message_bytes_max: usize,
    /// A connection without any frame, pings included, for this long is dead.
    pub silence_max: Duration,
    /// How often we ping.
    pub ping_interval: Duration,
    /// Least time between two connection attempts of one process.
    pub connect_interval: Duration,
}

/// The protocol of one connection: pure, fed with frames.
pub trait FeedSession: Send + Debug {
    /// Where to connect.
    fn url(&self) -> String;

    /// What to send once connected, in order; the caller keeps the provider's message interval. Called again when
    /// streams stay unconfirmed: then only what has had no answer.
    fn opening(&mut self) -> Vec<Outgoing>;

    /// What a received frame means, appended to `out`. Never fails: what is not understood is [`Reading::Rejected`].
    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>);
}

/// A frame to send.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in RFC 6455")]
pub enum Outgoing {
    Text(String),
    Binary(Vec<u8>),
}

/// A received data frame.
#[derive(Debug, Clone, Copy)]
#[expect(missing_docs, reason = "as in RFC 6455")]
pub enum Incoming<'f> {
    Text(&'f str),
    Binary(&'f [u8]),
}

/// What (a part of) a frame means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading<'f> {
    /// Market data: becomes a task.
    Data {
        /// What the feed calls this kind of message.
        kind: Cow<'f, str>,
        /// One JSON value, kept whole.
        body: Cow<'f, str>,
        /// Symbol or stream, for merging under overflow: of two messages with one key and kind the newer is enough.
        key: Cow<'f, str>,
    },
    /// The provider carries these streams now.
    Confirmed(Vec<Box<str>>),
    /// The provider refuses these streams.
    Refused {
        /// Which.
        streams: Vec<Box<str>>,
        /// Its reason.
        reason: Box<str>,
    },
    /// A sign of life without content.
    Heartbeat,
    /// The provider announces that it will cut this connection.
    Closing(Box<str>),
    /// The provider reports an error that concerns the whole connection.
    Failed {
        /// What to do about it.
        remedy: Remedy,
        /// Its reason.
        reason: Box<str>,
    },
    /// Not a message of this feed: counted under the reason, the connection goes on.
    Rejected(&'static str),
}

/// What helps after an error of the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Connect again, with backoff.
    Retry,
    /// Connect again with fresh credentials.
    NewCredentials,
    /// Nothing we can do: a person must act.
    Stop,
}

/// A body that is no price message of the feed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// A well-formed message with nothing to store, e.g. of a stream we do not keep. Its reason is counted.
    #[error("nothing to store: {0}")]
    Skip(&'static str),
    /// Not what the provider documents: wrong types, missing fields.
    #[error("not a {kind} message: {problem}")]
    Malformed {
        /// What it was taken for.
        kind: Box<str>,
        /// What is wrong with it.
        problem: String,
    },
    /// A price or quantity that is no finite decimal.
    #[error("field `{field}`: {number}")]
    Number {
        /// Which field.
        field: &'static str,
        /// What is wrong with it.
        number: BadNumber,
    },
}

/// A symbol that the feed's grammar does not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{symbol:?} is no {feed} symbol: {problem}")]
pub struct SymbolError {
    /// The feed.
    pub feed: &'static str,
    /// The symbol, cut to a readable length.
    pub symbol: Box<str>,
    /// What is wrong with it.
    pub problem: Box<str>,
}

/// Settings that a feed cannot serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FeedError {
    /// No such channel.
    #[error("{feed} has no channel {channel:?}; it has {known}")]
    UnknownChannel {
        /// The feed.
        feed: &'static str,
        /// What was asked for.
        channel: String,
        /// What there is.
        known: String,
    },
    /// A symbol that cannot be subscribed.
    #[error(transparent)]
    Symbol(#[from] SymbolError),
}
