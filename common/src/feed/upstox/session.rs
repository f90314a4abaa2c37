//! One connection: what is asked for, and what the frames mean.

use std::collections::HashMap;

use foldhash::fast::RandomState;
use secrecy::{ExposeSecret, SecretString};

use crate::feed::upstox::channel::{Mode, mode_and_key};
use crate::feed::upstox::request::{Method, Requests};
use crate::feed::upstox::schema::{FeedEntry, FeedResponse, MarketInfo, MarketStatus};
use crate::feed::upstox::{authorize, body, kind};
use crate::feed::{Failure, FeedSession, HttpAnswer, HttpRequest, Incoming, Outgoing, Reading, SessionRequest, Topic};

/// One connection to the feed.
#[derive(Debug)]
pub(super) struct Session {
    /// Where the address is asked for.
    http: String,
    token: SecretString,
    address: Address,
    /// What is to be carried, by instrument key.
    streams: HashMap<Box<str>, Stream, RandomState>,
    /// Streams that were ever added: their places keep the order of the settings.
    places: usize,
    requests: Requests,
}

/// Where to connect; asked for once per connection, as its code opens only one.
#[derive(Debug)]
enum Address {
    Unasked,
    Asked,
    Given(SecretString),
}

/// One stream of ours.
#[derive(Debug)]
struct Stream {
    place: usize,
    mode: Mode,
    name: Box<str>,
    /// Whether a frame has carried it. Upstox answers no request.
    is_confirmed: bool,
}

impl Session {
    /// Will carry the request's topics.
    pub(super) fn new(request: &SessionRequest<'_>) -> Result<Self, Failure> {
        let mut session = Self {
            http: request.endpoints.http.to_owned(),
            token: authorize::token(request.credential)?,
            address: Address::Unasked,
            streams: HashMap::default(),
            places: 0,
            requests: Requests::default(),
        };
        for topic in request.topics {
            session.add(topic);
        }
        Ok(session)
    }

    /// The key and what to ask so that `topic` is carried; nothing when it is already.
    fn add<'t>(&mut self, topic: &'t Topic) -> Option<(Method, &'t str)> {
        // Streams are named by `channel` alone, so one that has no mode cannot occur.
        let (mode, key) = mode_and_key(&topic.stream)?;
        let method = match self.streams.get(key) {
            None => Method::Subscribe(mode),
            Some(carried) if carried.mode == mode => return None,
            Some(_) => Method::ChangeMode(mode),
        };
        let stream = Stream { place: self.places, mode, name: topic.stream.clone(), is_confirmed: false };
        self.places += 1;
        self.streams.insert(key.into(), stream);
        Some((method, key))
    }

    /// The key that is carried no longer; nothing when it is carried in another mode now.
    fn remove<'t>(&mut self, topic: &'t Topic) -> Option<&'t str> {
        let (mode, key) = mode_and_key(&topic.stream)?;
        self.streams.get(key).filter(|carried| carried.mode == mode)?;
        self.streams.remove(key);
        Some(key)
    }
}

impl FeedSession for Session {
    fn errand(&mut self) -> Option<HttpRequest> {
        match self.address {
            Address::Unasked => {
                self.address = Address::Asked;
                Some(authorize::request(&self.http, &self.token))
            }
            Address::Asked | Address::Given(_) => None,
        }
    }

    fn returned(&mut self, answer: &HttpAnswer, out: &mut Vec<Reading<'static>>) {
        match authorize::address(answer, &self.http, &self.token) {
            Ok(address) => self.address = Address::Given(address),
            Err(failure) => out.push(Reading::Failed(failure)),
        }
    }

    fn url(&self) -> String {
        match &self.address {
            Address::Given(address) => address.expose_secret().to_owned(),
            // Nobody connects before the errand has come back.
            Address::Unasked | Address::Asked => String::new(),
        }
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        // Only what has had no answer is asked for again.
        let mut waiting: Vec<(&Stream, &str)> = self
            .streams
            .iter()
            .filter(|(_, stream)| !stream.is_confirmed)
            .map(|(key, stream)| (stream, &**key))
            .collect();
        waiting.sort_unstable_by_key(|(stream, _)| (stream.mode, stream.place));
        let mut out = Vec::new();
        for same in waiting.chunk_by(|(one, _), (other, _)| one.mode == other.mode) {
            let keys: Vec<&str> = same.iter().map(|(_, key)| *key).collect();
            self.requests.ask(Method::Subscribe(same[0].0.mode), &keys, &mut out);
        }
        out
    }

    fn change(&mut self, added: &[Topic], removed: &[Topic]) -> Option<Vec<Outgoing>> {
        let added: Vec<(Method, &str)> = added.iter().filter_map(|topic| self.add(topic)).collect();
        let removed: Vec<&str> = removed.iter().filter_map(|topic| self.remove(topic)).collect();
        let mut out = Vec::new();
        // First what makes room.
        self.requests.ask(Method::Unsubscribe, &removed, &mut out);
        for same in added.chunk_by(|(one, _), (other, _)| one == other) {
            let keys: Vec<&str> = same.iter().map(|(_, key)| *key).collect();
            self.requests.ask(same[0].0, &keys, &mut out);
        }
        Some(out)
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        match frame {
            Incoming::Text(_) => out.push(Reading::Rejected("text_frame")),
            Incoming::Binary([]) => out.push(Reading::Rejected("empty_frame")),
            Incoming::Binary(bytes) => match FeedResponse::read(bytes) {
                Ok(response) => self.meaning(&response, out),
                Err(_) => out.push(Reading::Rejected("not_protobuf")),
            },
        }
    }
}

impl Session {
    fn meaning(&mut self, response: &FeedResponse, out: &mut Vec<Reading<'_>>) {
        let before = out.len();
        if let Some(info) = &response.market_info {
            market(info, out);
        }
        let confirmed = response.feeds.iter().filter_map(|entry| self.confirm(&entry.key)).collect::<Vec<_>>();
        if !confirmed.is_empty() {
            out.push(Reading::Confirmed(confirmed));
        }
        for entry in &response.feeds {
            data(response, entry, out);
        }
        if out.len() == before {
            // A frame with a time and nothing else is a sign of life; one without even that is not of this feed.
            let is_ours = response.current_ts != 0 || response.market_info.is_some();
            out.push(if is_ours { Reading::Heartbeat } else { Reading::Rejected("unknown_message") });
        }
    }

    /// The stream that this key confirms, the first time.
    fn confirm(&mut self, key: &str) -> Option<Box<str>> {
        let stream = self.streams.get_mut(key).filter(|stream| !stream.is_confirmed)?;
        stream.is_confirmed = true;
        Some(stream.name.clone())
    }
}

fn data(response: &FeedResponse, entry: &FeedEntry, out: &mut Vec<Reading<'_>>) {
    if entry.key.is_empty() {
        out.push(Reading::Rejected("no_instrument_key"));
        return;
    }
    let Some(kind) = kind::of(entry) else {
        out.push(Reading::Rejected("unknown_values"));
        return;
    };
    let body = body::body(response, entry);
    if body.not_finite != 0 {
        out.push(Reading::Rejected("not_finite"));
    }
    out.push(Reading::Data {
        kind: kind.into(),
        body: body.text.into(),
        key: entry.key.clone().into(),
        // Upstox numbers nothing.
        mark: None,
    });
}

fn market(info: &MarketInfo, out: &mut Vec<Reading<'_>>) {
    for (segment, status) in &info.segment_status {
        out.push(match MarketStatus::try_from(*status) {
            Ok(status) => Reading::Market { segment: segment.as_str().into(), is_open: status.is_open() },
            // A state that was invented later: what it means is not known, so what was said before stays.
            Err(_) => Reading::Rejected("unknown_market_status"),
        });
    }
}

#[cfg(test)]
mod tests;
