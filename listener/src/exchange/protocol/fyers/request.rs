//! What a client asks, and the answers.

use std::sync::Arc;

use super::{StreamName, socket_key};
use crate::exchange::desk::Desk;
use crate::exchange::protocol::{self, Answer, Asked, Change, Sent};

/// Types of frames, the client's and their answers'.
const AUTH: u8 = 1;
const SUBSCRIBE: u8 = 4;
const UNSUBSCRIBE: u8 = 5;
const PAUSE: u8 = 7;
const RESUME: u8 = 8;
const MODE: u8 = 12;
/// The server's own words.
const WORDS: u8 = 51;

/// The code of more symbols than the account may have.
const SYMBOL_LIMIT: i32 = 51_001;

/// How many data frames a client may leave unacknowledged.
const ACKNOWLEDGE_EVERY: u32 = 64;

/// One connection's login, mode and subscriptions.
#[derive(Debug)]
pub(super) struct Conversation {
    desk: Arc<Desk>,
    streams_max: usize,
    is_open: bool,
    is_lite: bool,
    streams: Vec<Box<str>>,
}

impl Conversation {
    pub(super) fn new(desk: Arc<Desk>, streams_max: usize) -> Self {
        Self { desk, streams_max, is_open: false, is_lite: false, streams: Vec::new() }
    }

    fn auth(&mut self, key: &[u8]) -> Answer {
        self.is_open = !key.is_empty()
            && self.desk.admits_by(|wanted| socket_key(wanted).is_some_and(|wanted| wanted.as_bytes() == key));
        let every = if self.is_open { ACKNOWLEDGE_EVERY } else { 0 };
        let mut frame = result(AUTH, self.is_open);
        frame[3] = 2;
        frame.extend([2, 0, 4]);
        frame.extend(every.to_be_bytes());
        say([frame])
    }

    fn subscribe(&mut self, topics: &[&str]) -> Answer {
        let mut streams: Vec<Box<str>> = topics.iter().filter_map(|topic| self.stream(topic)).collect();
        streams.retain(|stream| !self.streams.contains(stream));
        if self.streams_max < self.streams.len() + streams.len() {
            return say([words(SYMBOL_LIMIT, "Symbol limit exceeded", SUBSCRIBE), result(SUBSCRIBE, false)]);
        }
        self.streams.extend(streams.iter().cloned());
        say([result(SUBSCRIBE, true)]).with(Change::Subscribe(streams))
    }

    fn unsubscribe(&mut self, topics: &[&str]) -> Answer {
        let streams: Vec<Box<str>> = topics.iter().filter_map(|topic| self.stream(topic)).collect();
        self.streams.retain(|stream| !streams.contains(stream));
        say([result(UNSUBSCRIBE, true)]).with(Change::Unsubscribe(streams))
    }

    /// The stream of a topic, e.g. `sf|nse_cm|1`: its token is the symbol's place, from 1. A topic of anything else
    /// exists, but stays silent.
    fn stream(&self, topic: &str) -> Option<Box<str>> {
        if self.desk.symbols().is_empty() {
            // A recording: whatever it holds of the topic.
            return Some(StreamName { is_lite: self.is_lite, topic, symbol: topic }.write());
        }
        let mut parts = topic.split('|');
        let (Some("sf" | "dp"), Some("nse_cm"), Some(token), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return None;
        };
        let symbol = self.desk.symbols().get(token.parse::<usize>().ok()?.checked_sub(1)?)?;
        Some(StreamName { is_lite: self.is_lite, topic, symbol }.write())
    }
}

impl protocol::Conversation for Conversation {
    fn receive(&mut self, message: Asked<'_>) -> Answer {
        let Asked::Binary([_, _, kind, rest @ ..]) = message else { return Answer::default() };
        let field = |wanted: u8| field(rest, wanted).unwrap_or_default();
        match *kind {
            AUTH => self.auth(field(1)),
            // Nobody is answered before the login.
            _ if !self.is_open => Answer::default(),
            SUBSCRIBE => self.subscribe(&topics(field(1))),
            UNSUBSCRIBE => self.unsubscribe(&topics(field(1))),
            MODE => {
                self.is_lite = field(2) == b"L";
                say([result(MODE, true)])
            }
            PAUSE | RESUME => say([result(*kind, true)]),
            // Acknowledgements and pings.
            _ => Answer::default(),
        }
    }
}

fn say<const N: usize>(frames: [Vec<u8>; N]) -> Answer {
    Answer { replies: frames.map(Sent::Binary).into(), ..Answer::default() }
}

/// `K` or `N`.
fn result(kind: u8, is_ok: bool) -> Vec<u8> {
    vec![0, 6, kind, 1, 1, 0, 1, if is_ok { b'K' } else { b'N' }]
}

fn words(code: i32, text: &str, about: u8) -> Vec<u8> {
    let mut frame = vec![0, 0, WORDS, 3, 1, 0, 4];
    frame.extend(code.to_be_bytes());
    frame.extend([2, 0, u8::try_from(text.len()).unwrap_or(0)]);
    frame.extend(text.as_bytes());
    frame.extend([3, 0, 1, about]);
    frame
}

/// The field of a frame, behind its type.
fn field(body: &[u8], wanted: u8) -> Option<&[u8]> {
    let (count, mut rest) = body.split_first()?;
    for _ in 0..*count {
        let ([id, high, low], after) = rest.split_first_chunk::<3>()?;
        let (bytes, after) = after.split_at_checked(u16::from_be_bytes([*high, *low]).into())?;
        if *id == wanted {
            return Some(bytes);
        }
        rest = after;
    }
    None
}

/// A list of topics, as far as it can be read.
fn topics(list: &[u8]) -> Vec<&str> {
    let mut topics = Vec::new();
    let mut rest = list.get(2..).unwrap_or_default();
    while let Some((length, after)) = rest.split_first() {
        let Some((topic, after)) = after.split_at_checked((*length).into()) else { break };
        topics.extend(str::from_utf8(topic));
        rest = after;
    }
    topics
}
