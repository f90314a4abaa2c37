//! One connection: what is asked for, and what the frames mean.

use std::borrow::Cow;
use std::mem;

use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use crate::feed::key::ApiKey;
use crate::feed::loose::Loose;
use crate::feed::twelvedata::name::{Named, qualified};
use crate::feed::twelvedata::{CHANNEL, LIMITS};
use crate::feed::{Failure, FeedSession, Incoming, Outgoing, Reading, Remedy, Topic};

/// What is said of a refused symbol: the answer gives no reason.
const REFUSED: &str = "Twelve Data refuses it: unknown there, or not part of the plan";

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    endpoint: Box<str>,
    key: ApiKey,
    /// The streams that have had no answer.
    pending: Vec<Box<str>>,
}

impl Session {
    /// Will carry `topics`.
    pub(super) fn new(endpoint: &str, key: ApiKey, topics: &[Topic]) -> Self {
        Self { endpoint: endpoint.trim_end_matches('/').into(), key, pending: streams_of(topics) }
    }

    /// Takes the streams that `named` settles off those without an answer.
    fn settle(&mut self, named: &Named<'_>) -> Vec<Box<str>> {
        let settled = named.among(&self.pending);
        let mut places = 0..;
        let (settled, pending) = mem::take(&mut self.pending)
            .into_iter()
            .partition(|_| places.next().is_some_and(|at| settled.contains(&at)));
        self.pending = pending;
        settled
    }

    /// `{"event":"subscribe-status","status":"ok","success":[{"symbol":"AAPL","exchange":"NASDAQ"}],"fails":null}`
    fn subscribed<'f>(&mut self, frame: &Frame<'f>, out: &mut Vec<Reading<'f>>) {
        // Those that are carried first: what is refused may be named by its ticker only.
        let carried: Vec<_> = named(frame.success).iter().flat_map(|named| self.settle(named)).collect();
        let refused: Vec<_> = named(frame.fails).iter().flat_map(|named| self.settle(named)).collect();
        if carried.is_empty() && refused.is_empty() {
            let is_error = frame.status.and_then(Loose::text).is_some_and(|status| status == "error");
            out.push(if is_error { Reading::Rejected("unexplained_refusal") } else { Reading::Heartbeat });
        }
        if !carried.is_empty() {
            out.push(Reading::Confirmed(carried));
        }
        if !refused.is_empty() {
            let reason = frame.message.and_then(Loose::text).unwrap_or(REFUSED.into());
            out.push(Reading::Refused { streams: refused, reason: self.key.hidden_in(&reason).into() });
        }
    }

    /// `{"status":"error","code":401,"message":".."}`: an error of the whole connection.
    fn failed(&self, frame: &Frame<'_>) -> Failure {
        let code = frame.code.and_then(Loose::integer);
        let message = frame.message.and_then(Loose::text).unwrap_or("no reason given".into());
        let message = self.key.hidden_in(&message);
        let reason = code.map_or(message.clone(), |code| format!("{message} (code {code})"));
        Failure { remedy: remedy(code), reason: reason.into() }
    }
}

impl FeedSession for Session {
    fn url(&self) -> String {
        format!("{}/v1/quotes/price?apikey={}", self.endpoint, self.key.expose())
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        actions("subscribe", &self.pending).collect()
    }

    fn heartbeat(&mut self) -> Option<Outgoing> {
        Some(Outgoing::Text(json!({ "action": "heartbeat" }).to_string()))
    }

    fn change(&mut self, added: &[Topic], removed: &[Topic]) -> Option<Vec<Outgoing>> {
        let (added, removed) = (streams_of(added), streams_of(removed));
        self.pending.retain(|stream| !removed.contains(stream));
        let out = actions("unsubscribe", &removed).chain(actions("subscribe", &added)).collect();
        self.pending.extend(added);
        Some(out)
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        let Incoming::Text(text) = frame else {
            out.push(Reading::Rejected("binary_frame"));
            return;
        };
        match serde_json::from_str::<Frame<'f>>(text) {
            Ok(frame) if text.trim_ascii_start().starts_with('{') => self.meaning(text, &frame, out),
            Ok(_) => out.push(Reading::Rejected("unknown_message")),
            Err(error) if error.is_data() => out.push(Reading::Rejected("unknown_message")),
            Err(_) => out.push(Reading::Rejected("not_json")),
        }
    }
}

impl Session {
    fn meaning<'f>(&mut self, text: &'f str, frame: &Frame<'f>, out: &mut Vec<Reading<'f>>) {
        let event = frame.event.and_then(Loose::text);
        match event.as_deref() {
            Some(CHANNEL) => {
                let exchange = frame.exchange.and_then(Loose::text);
                let key = qualified(frame.symbol.and_then(Loose::text).unwrap_or_default(), exchange.as_deref());
                out.push(Reading::Data { kind: CHANNEL.into(), body: Cow::Borrowed(text), key, mark: None });
            }
            Some("subscribe-status") => self.subscribed(frame, out),
            Some("heartbeat" | "unsubscribe-status" | "reset-status") => out.push(Reading::Heartbeat),
            Some(_) => out.push(Reading::Rejected("unknown_message")),
            None => match frame.status.and_then(Loose::text).as_deref() {
                Some("error") => out.push(Reading::Failed(self.failed(frame))),
                Some(_) | None => out.push(Reading::Rejected("unknown_message")),
            },
        }
    }
}

/// What helps after an error with this code; the codes are those of HTTP.
fn remedy(code: Option<i64>) -> Remedy {
    match code {
        Some(401 | 403) => Remedy::NewCredentials,
        // Too many messages, and what is the server's fault, pass by themselves.
        None | Some(408 | 429) => Remedy::Retry,
        // A request that it does not take, or that the plan does not include, stays refused.
        Some(400..=499) => Remedy::Stop,
        Some(_) => Remedy::Retry,
    }
}

fn streams_of(topics: &[Topic]) -> Vec<Box<str>> {
    topics.iter().map(|topic| topic.stream.clone()).collect()
}

/// `{"action":"subscribe","params":{"symbols":"AAPL,RY:TSX"}}`, in as many messages as are needed.
fn actions(name: &str, streams: &[Box<str>]) -> impl Iterator<Item = Outgoing> {
    streams.chunks(LIMITS.streams_per_message).map(move |streams| {
        Outgoing::Text(json!({ "action": name, "params": { "symbols": streams.join(",") } }).to_string())
    })
}

/// A list of symbols in an answer; an entry that is none is passed over.
fn named<'a>(list: Option<&'a RawValue>) -> Vec<Named<'a>> {
    let entries: Vec<Loose<'a>> = list.and_then(|list| serde_json::from_str(list.get()).ok()).unwrap_or_default();
    let named = |entry: Loose<'a>| entry.text().map(|symbol| Named { symbol, venues: Vec::new() });
    entries.into_iter().filter_map(|entry| named(entry).or_else(|| Entry::read(entry.json()))).collect()
}

/// A received message, as deep as routing needs.
#[derive(Deserialize)]
struct Frame<'f> {
    /// Missing in errors.
    #[serde(borrow)]
    event: Option<Loose<'f>>,
    #[serde(borrow)]
    status: Option<Loose<'f>>,
    #[serde(borrow)]
    code: Option<Loose<'f>>,
    #[serde(borrow)]
    message: Option<Loose<'f>>,
    #[serde(borrow)]
    symbol: Option<Loose<'f>>,
    #[serde(borrow)]
    exchange: Option<Loose<'f>>,
    #[serde(borrow)]
    success: Option<&'f RawValue>,
    #[serde(borrow)]
    fails: Option<&'f RawValue>,
}

/// `{"symbol":"RY","exchange":"TSX","mic_code":"XTSE","country":"Canada","type":"Common Stock"}`
#[derive(Deserialize)]
struct Entry<'f> {
    #[serde(borrow)]
    symbol: Loose<'f>,
    #[serde(borrow)]
    exchange: Option<Loose<'f>>,
    #[serde(borrow)]
    mic_code: Option<Loose<'f>>,
    #[serde(borrow)]
    country: Option<Loose<'f>>,
}

impl<'f> Entry<'f> {
    fn read(json: &'f str) -> Option<Named<'f>> {
        let entry: Self = serde_json::from_str(json).ok()?;
        let venues = [entry.exchange, entry.mic_code, entry.country].into_iter().flatten().filter_map(Loose::text);
        Some(Named { symbol: entry.symbol.text()?, venues: venues.collect() })
    }
}

#[cfg(test)]
mod tests;
