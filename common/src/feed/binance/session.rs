//! One connection: what is asked for, and what the frames mean.

use std::borrow::Cow;
use std::mem;

use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;

use crate::feed::binance::{LIMITS, channel};
use crate::feed::{FeedSession, Incoming, Outgoing, Reading, Remedy, Topic};

/// The name of the announcement that this connection will be cut.
const SHUTDOWN: &str = "serverShutdown";

/// Its stream, where streams are combined.
const SHUTDOWN_STREAM: &str = "!serverShutdown";

/// One connection to the combined streams.
#[derive(Debug)]
pub(super) struct Session {
    url: String,
    /// The streams of each subscribe message; the message's id is its place, counted from 1. Emptied by the answer.
    requests: Vec<Vec<Box<str>>>,
}

impl Session {
    /// Will carry `topics`.
    pub(super) fn new(endpoint: &str, topics: &[Topic]) -> Self {
        let url = format!("{}/stream", endpoint.trim_end_matches('/'));
        let requests = topics
            .chunks(LIMITS.streams_per_message)
            .map(|topics| topics.iter().map(|topic| topic.stream.clone()).collect())
            .collect();
        Self { url, requests }
    }

    /// The streams of the request that `id` answers; nothing when we sent none, or the answer has been heard.
    fn take(&mut self, id: Option<&RawValue>) -> Option<Vec<Box<str>>> {
        let place = id?.get().parse::<usize>().ok()?.checked_sub(1)?;
        let streams = mem::take(self.requests.get_mut(place)?);
        (!streams.is_empty()).then_some(streams)
    }

    /// What an answer to one of our messages means.
    fn answer(&mut self, frame: &Frame<'_>) -> Reading<'static> {
        let refusal = frame.refusal();
        match (self.take(frame.id), refusal) {
            (Some(streams), Some(reason)) => Reading::Refused { streams, reason },
            // An error that names none of our messages: which streams run is not known, so begin again.
            (None, Some(reason)) => Reading::Failed { remedy: Remedy::Retry, reason },
            (Some(streams), None) => Reading::Confirmed(streams),
            (None, None) => Reading::Rejected("unknown_request"),
        }
    }
}

impl FeedSession for Session {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        let subscribe = |(streams, id): (&Vec<Box<str>>, usize)| {
            json!({ "id": id, "method": "SUBSCRIBE", "params": streams }).to_string()
        };
        // An answered request has no streams left: only what has had no answer is asked for again.
        let unanswered = self.requests.iter().zip(1..).filter(|(streams, _)| !streams.is_empty());
        unanswered.map(subscribe).map(Outgoing::Text).collect()
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        out.push(match frame {
            Incoming::Binary(_) => Reading::Rejected("binary_frame"),
            Incoming::Text(text) => match serde_json::from_str::<Frame<'f>>(text) {
                Ok(frame) if text.trim_ascii_start().starts_with('{') => self.meaning(text, frame),
                Ok(_) => Reading::Rejected("unknown_message"),
                Err(error) if error.is_data() => Reading::Rejected("unknown_message"),
                Err(_) => Reading::Rejected("not_json"),
            },
        });
    }
}

impl Session {
    fn meaning<'f>(&mut self, text: &'f str, frame: Frame<'f>) -> Reading<'f> {
        if let (Some(Text(stream)), true) = (&frame.stream, frame.data.is_some()) {
            if stream == SHUTDOWN_STREAM {
                return Reading::Closing(SHUTDOWN.into());
            }
            return Reading::Data { kind: channel::kind(stream), body: Cow::Borrowed(text), key: stream.clone() };
        }
        if frame.is_answer() {
            return self.answer(&frame);
        }
        match frame.event {
            Some(event) if event.0 == SHUTDOWN => Reading::Closing(SHUTDOWN.into()),
            _ => Reading::Rejected("unknown_message"),
        }
    }
}

/// A received message, as deep as routing needs. Which fields are there tells what it is.
#[derive(Deserialize)]
struct Frame<'f> {
    /// Market data: its stream, and the event.
    #[serde(borrow)]
    stream: Option<Text<'f>>,
    #[serde(borrow)]
    data: Option<&'f RawValue>,
    /// An answer: the message's number, and either `"result":null` or what is wrong.
    #[serde(borrow)]
    id: Option<&'f RawValue>,
    #[serde(borrow, default, deserialize_with = "present")]
    result: Option<&'f RawValue>,
    #[serde(borrow)]
    code: Option<&'f RawValue>,
    #[serde(borrow)]
    msg: Option<Text<'f>>,
    #[serde(borrow)]
    error: Option<Refusal<'f>>,
    /// An event outside the streams.
    #[serde(borrow, rename = "e")]
    event: Option<Text<'f>>,
}

/// `{"code":2,"msg":"Invalid request: ..."}`
#[derive(Deserialize)]
struct Refusal<'f> {
    #[serde(borrow)]
    code: Option<&'f RawValue>,
    #[serde(borrow)]
    msg: Option<Text<'f>>,
}

/// Text of a frame, borrowed unless it holds escapes. (`Option<Cow>` by itself would always be copied.)
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'f>(#[serde(borrow)] Cow<'f, str>);

impl Frame<'_> {
    fn is_answer(&self) -> bool {
        let confirms = self.result.is_some_and(|result| result.get() == "null");
        confirms || self.code.is_some() || self.error.is_some()
    }

    /// The reason when the answer is an error; both documented shapes are in use.
    fn refusal(&self) -> Option<Box<str>> {
        let (code, msg) = match &self.error {
            Some(refusal) => (refusal.code, &refusal.msg),
            None if self.code.is_some() => (self.code, &self.msg),
            None => return None,
        };
        let msg = msg.as_ref().map_or("no reason given", |msg| &msg.0);
        Some(code.map_or_else(|| msg.into(), |code| format!("{msg} (code {})", code.get()).into()))
    }
}

/// Tells `"result":null` from no result.
fn present<'f, D: Deserializer<'f>>(value: D) -> Result<Option<&'f RawValue>, D::Error> {
    <&RawValue>::deserialize(value).map(Some)
}

#[cfg(test)]
mod tests;
