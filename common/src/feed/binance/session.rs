//! One connection: what is asked for, and what the frames mean.

mod quick;

use std::borrow::Cow;
use std::mem;

use serde::{Deserialize, Deserializer};
use serde_json::json;
use serde_json::value::RawValue;

use crate::feed::binance::{STREAMS_PER_MESSAGE, channel};
use crate::feed::{Failure, FeedSession, Incoming, Mark, Outgoing, Reading, Remedy, Topic};

/// The name of the announcement that this connection will be cut.
const SHUTDOWN: &str = "serverShutdown";

/// Its stream, where streams are combined.
const SHUTDOWN_STREAM: &str = "!serverShutdown";

/// One connection to the combined streams.
#[derive(Debug)]
pub(super) struct Session {
    url: String,
    /// What its path allows it to carry.
    lane: &'static str,
    /// What was asked; a request's id is its place, counted from 1.
    requests: Vec<Request>,
}

/// One message of ours.
#[derive(Debug)]
enum Request {
    /// Its streams.
    Subscribe(Vec<Box<str>>),
    Unsubscribe,
    /// The answer has been heard.
    Answered,
}

impl Session {
    /// Will carry `topics`, which are all of `lane`.
    pub(super) fn new(endpoint: &str, lane: &'static str, topics: &[Topic]) -> Self {
        let endpoint = endpoint.trim_end_matches('/');
        let url = if lane.is_empty() { format!("{endpoint}/stream") } else { format!("{endpoint}/{lane}/stream") };
        Self { url, lane, requests: requests_for(topics).collect() }
    }

    /// The request that `id` answers; `None` when we sent none, or the answer has been heard.
    fn take(&mut self, id: Option<&RawValue>) -> Option<Request> {
        let place = id?.get().parse::<usize>().ok()?.checked_sub(1)?;
        match mem::replace(self.requests.get_mut(place)?, Request::Answered) {
            Request::Answered => None,
            request @ (Request::Subscribe(_) | Request::Unsubscribe) => Some(request),
        }
    }

    /// What an answer to one of our messages means.
    fn answer(&mut self, frame: &Frame<'_>) -> Reading<'static> {
        let refusal = frame.refusal();
        match (self.take(frame.id), refusal) {
            (Some(Request::Subscribe(streams)), Some(reason)) => Reading::Refused { streams, reason },
            (Some(Request::Subscribe(streams)), None) => Reading::Confirmed(streams),
            (Some(Request::Unsubscribe | Request::Answered), None) => Reading::Heartbeat,
            // An error that names no subscription of ours: which streams run is not known, so begin again.
            (_, Some(reason)) => Reading::Failed(Failure { remedy: Remedy::Retry, reason }),
            (None, None) => Reading::Rejected("unknown_request"),
        }
    }
}

impl FeedSession for Session {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        // Only what has had no answer is asked for again.
        let unanswered = self.requests.iter().zip(1..).filter_map(|(request, id)| match request {
            Request::Subscribe(streams) => Some(message("SUBSCRIBE", streams, id)),
            Request::Unsubscribe | Request::Answered => None,
        });
        unanswered.collect()
    }

    fn change(&mut self, added: &[Topic], removed: &[Topic]) -> Option<Vec<Outgoing>> {
        if added.iter().any(|topic| topic.lane != self.lane) {
            return None;
        }
        let mut out = Vec::new();
        for request in requests_for(added) {
            self.requests.push(request);
            if let Some(Request::Subscribe(streams)) = self.requests.last() {
                out.push(message("SUBSCRIBE", streams, self.requests.len()));
            }
        }
        for topics in removed.chunks(STREAMS_PER_MESSAGE) {
            self.requests.push(Request::Unsubscribe);
            out.push(message("UNSUBSCRIBE", &streams_of(topics), self.requests.len()));
        }
        Some(out)
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        if let Incoming::Text(text) = frame
            && let Some(data) = quick::data(text)
        {
            return out.push(data);
        }
        out.push(self.read_thoroughly(frame));
    }
}

impl Session {
    /// With a parser that reads all JSON and tells what is none.
    fn read_thoroughly<'f>(&mut self, frame: Incoming<'f>) -> Reading<'f> {
        match frame {
            Incoming::Binary(_) => Reading::Rejected("binary_frame"),
            Incoming::Text(text) => match serde_json::from_str::<Frame<'f>>(text) {
                Ok(frame) if text.trim_ascii_start().starts_with('{') => self.meaning(text, frame),
                Ok(_) => Reading::Rejected("unknown_message"),
                Err(error) if error.is_data() => Reading::Rejected("unknown_message"),
                Err(_) => Reading::Rejected("not_json"),
            },
        }
    }

    fn meaning<'f>(&mut self, text: &'f str, frame: Frame<'f>) -> Reading<'f> {
        if let (Some(Text(stream)), true) = (&frame.stream, frame.data.is_some()) {
            if stream == SHUTDOWN_STREAM {
                return Reading::Closing(SHUTDOWN.into());
            }
            let kind = channel::kind(stream);
            let mark = frame.data.and_then(|data| mark(&kind, data));
            return Reading::Data { kind, body: Cow::Borrowed(text), key: stream.clone(), mark };
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

fn requests_for(topics: &[Topic]) -> impl Iterator<Item = Request> {
    topics.chunks(STREAMS_PER_MESSAGE).map(|topics| Request::Subscribe(streams_of(topics)))
}

fn streams_of(topics: &[Topic]) -> Vec<Box<str>> {
    topics.iter().map(|topic| topic.stream.clone()).collect()
}

fn message(method: &str, streams: &[Box<str>], id: usize) -> Outgoing {
    Outgoing::Text(json!({ "id": id, "method": method, "params": streams }).to_string())
}

/// The number of a trade or of an aggregate trade: both grow by one per symbol.
fn mark(kind: &str, data: &RawValue) -> Option<Mark> {
    #[derive(Deserialize)]
    struct Trade {
        t: i64,
    }
    #[derive(Deserialize)]
    struct AggTrade {
        a: i64,
    }
    let number = match kind {
        "trade" => serde_json::from_str::<Trade>(data.get()).map(|trade| trade.t),
        "aggTrade" => serde_json::from_str::<AggTrade>(data.get()).map(|trade| trade.a),
        _ => return None,
    };
    // A message without its number is still data; the worker says what is wrong with it.
    number.ok().map(Mark::Contiguous)
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
