//! The protocol of one connection, without the connection: values in, values out.

use std::borrow::Cow;
use std::fmt::{self, Debug};

use secrecy::SecretString;

use crate::clock::UnixMicros;
use crate::feed::Topic;
use crate::market::Catalog;

/// What a session is opened with. Everything in it is read anew at every attempt.
#[derive(Debug, Clone, Copy)]
pub struct SessionRequest<'a> {
    /// Where the provider is.
    pub endpoints: Endpoints<'a>,
    /// What the connection is to carry.
    pub topics: &'a [Topic],
    /// The account's key or token.
    pub credential: Option<&'a SecretString>,
    /// What symbol masters know.
    pub catalog: &'a Catalog,
    /// Now, to tell a token that has run out.
    pub now: UnixMicros,
}

/// Where a provider is. Neither ends in a slash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Endpoints<'a> {
    /// Its WebSocket, e.g. `wss://stream.binance.com:9443`.
    pub socket: &'a str,
    /// Its HTTP API, e.g. `https://api.upstox.com`; empty where a session has no errand there.
    pub http: &'a str,
}

/// The protocol of one connection: pure, fed with frames.
pub trait FeedSession: Send + Sync + Debug {
    /// What to ask over HTTP before connecting, one request after the other until there is none.
    fn errand(&mut self) -> Option<HttpRequest> {
        None
    }

    /// The answer to the last errand. What it means, e.g. refused symbols, is appended to `out`.
    fn returned(&mut self, _answer: &HttpAnswer, _out: &mut Vec<Reading<'static>>) {}

    /// Where to connect. May hold a secret: never shown.
    fn url(&self) -> String;

    /// Further headers of the handshake, name and value. May hold secrets: never shown.
    fn headers(&self) -> Vec<(String, SecretString)> {
        Vec::new()
    }

    /// What to send once connected, in order; the caller keeps the provider's message interval. Called again when
    /// streams stay unconfirmed: then only what has had no answer. Where a server speaks first, nothing; what it says
    /// is answered by [`Reading::Reply`].
    fn opening(&mut self) -> Vec<Outgoing>;

    /// What to send at every ping interval beside the WebSocket's own ping.
    fn heartbeat(&mut self) -> Option<Outgoing> {
        None
    }

    /// What to send to carry `added` as well and `removed` no longer; `None` where only a new connection can.
    fn change(&mut self, _added: &[Topic], _removed: &[Topic]) -> Option<Vec<Outgoing>> {
        None
    }

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
        /// Its number among those of its key and kind, where the provider numbers them.
        mark: Option<Mark>,
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
    /// To be sent before anything that waits, e.g. the next step of a handshake.
    Reply(Outgoing),
    /// The provider says whether a market segment trades.
    Market {
        /// Its own name of the segment, e.g. `NSE_EQ`.
        segment: Box<str>,
        /// Whether it trades.
        is_open: bool,
    },
    /// A sign of life without content.
    Heartbeat,
    /// The provider announces that it will cut this connection.
    Closing(Box<str>),
    /// The provider reports an error that concerns the whole connection.
    Failed(Failure),
    /// Not a message of this feed: counted under the reason, the connection goes on.
    Rejected(&'static str),
}

/// The place of a message among those of its stream, by the provider's own numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// Each number is the last one plus one: a jump is a gap.
    Contiguous(i64),
    /// Numbers grow, by any step: only repetitions and backward steps show.
    Increasing(i64),
}

/// An error of the whole connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What to do about it.
    pub remedy: Remedy,
    /// The provider's reason, or ours.
    pub reason: Box<str>,
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

/// An errand. Its URL and headers may hold secrets, so it shows neither.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// How.
    pub method: HttpMethod,
    /// Where.
    pub url: String,
    /// Name and value.
    pub headers: Vec<(&'static str, String)>,
    /// JSON to send.
    pub body: Option<String>,
}

/// An errand's verb.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "as in RFC 9110")]
pub enum HttpMethod {
    Get,
    Post,
}

/// What an errand brought back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// Status code.
    pub status: u16,
    /// Text of the body; what is no UTF-8 is replaced.
    pub body: String,
}

impl Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest").field("method", &self.method).finish_non_exhaustive()
    }
}
