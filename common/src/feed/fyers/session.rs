//! One connection: login, mode, subscriptions one after the other, data, acknowledgements.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;

use secrecy::ExposeSecret;

use crate::feed::fyers::answer::{self, Bytes};
use crate::feed::fyers::book::Book;
use crate::feed::fyers::channel::{Family, family_of, is_lite};
use crate::feed::fyers::lookup::Lookup;
use crate::feed::fyers::request::{self, Mode};
use crate::feed::fyers::requests::{Request, Requests};
use crate::feed::fyers::token::{self, AccessToken};
use crate::feed::fyers::{NAME, instrument_key};
use crate::feed::{
    Failure, FeedSession, HttpAnswer, HttpRequest, Incoming, Outgoing, Reading, Remedy, SessionRequest, Topic,
};
use crate::market::Catalog;

/// Where the socket is behind the provider's name.
const PATH: &str = "/hsm/v1-5/prod";

/// The code of a token that has run out; and, says the official library, of too many symbols.
const CODE_TOKEN_EXPIRED: i32 = -99;

/// One connection to the data socket.
#[derive(Debug)]
pub(super) struct Session {
    url: String,
    http: String,
    token: AccessToken,
    mode: Mode,
    lookup: Lookup,
    /// Streams whose symbols have no token number yet.
    unnamed: Vec<(Topic, Family)>,
    /// Token numbers by symbol, of the streams there are.
    numbers: BTreeMap<Box<str>, (Box<str>, String)>,
    book: Book,
    requests: Requests,
    stage: Stage,
    /// Found out where nobody could be told; told with the first frame.
    untold: Vec<Reading<'static>>,
}

/// How far the connection is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not logged in.
    Closed,
    /// Logged in. After every so many data frames the server wants an acknowledgement, 0 for never; and how many came
    /// since the last one.
    Open { acknowledge_every: u32, frames: u32 },
}

impl Session {
    /// Will carry the topics of `request`.
    pub(super) fn new(request: &SessionRequest<'_>) -> Result<Self, Failure> {
        let token = token::read(request.credential, request.now)?;
        let mode = if request.topics.iter().any(is_lite) { Mode::Lite } else { Mode::Full };
        let mut numbers = BTreeMap::new();
        let mut unknown = BTreeSet::new();
        for topic in request.topics {
            match request.catalog.find(NAME, &topic.symbol) {
                Some(row) => {
                    numbers.insert(topic.symbol.clone(), (row.symbol.clone(), row.key.to_string()));
                }
                None => {
                    unknown.insert(topic.symbol.clone());
                }
            }
        }
        let mut session = Self {
            url: format!("{}{PATH}", request.endpoints.socket),
            http: request.endpoints.http.to_owned(),
            token,
            mode,
            lookup: Lookup::new(unknown),
            unnamed: request.topics.iter().map(|topic| (topic.clone(), family_of(topic, request.catalog))).collect(),
            numbers,
            book: Book::new(mode),
            requests: Requests::default(),
            stage: Stage::Closed,
            untold: Vec::new(),
        };
        let mut untold = Vec::new();
        session.name_streams(&mut untold);
        session.untold = untold;
        Ok(session)
    }

    /// Takes up the streams whose symbols have a number; names those that cannot be taken up.
    fn name_streams(&mut self, out: &mut Vec<Reading<'static>>) {
        for (topic, family) in mem::take(&mut self.unnamed) {
            match self.take_up(&topic, family) {
                None => self.unnamed.push((topic, family)),
                Some(Ok(())) => {}
                Some(Err(reason)) => {
                    out.push(Reading::Refused { streams: vec![topic.stream], reason: reason.into() });
                }
            }
        }
    }

    /// Nothing where the symbol's number is not known.
    fn take_up(&mut self, topic: &Topic, family: Family) -> Option<Result<(), String>> {
        let (symbol, number) = self.numbers.get(&topic.symbol)?;
        let wire = match instrument_key::topic(family, symbol, number) {
            Ok(wire) => wire,
            Err(problem) => return Some(Err(problem.to_owned())),
        };
        Some(self.book.add(topic, family, wire))
    }

    fn next_request(&mut self) -> Option<Outgoing> {
        self.requests.next(&self.book, self.token.bytes).map(Outgoing::Binary)
    }

    fn login(&self) -> Outgoing {
        Outgoing::Binary(request::auth(self.token.socket_key.expose_secret()))
    }
}

impl FeedSession for Session {
    fn errand(&mut self) -> Option<HttpRequest> {
        self.lookup.next(&self.http, &self.token.jwt)
    }

    fn returned(&mut self, answer: &HttpAnswer, out: &mut Vec<Reading<'static>>) {
        let found = match self.lookup.read(answer) {
            Ok(found) => found,
            Err(failure) => return out.push(Reading::Failed(failure)),
        };
        for (symbol, told) in found {
            match told {
                Ok(number) => {
                    self.numbers.insert(symbol.clone(), (symbol, number));
                }
                Err(reason) => {
                    let streams = self.unnamed.extract_if(.., |(topic, _)| topic.symbol == symbol);
                    let streams = streams.map(|(topic, _)| topic.stream).collect();
                    out.push(Reading::Refused { streams, reason: reason.into() });
                }
            }
        }
        self.name_streams(out);
    }

    fn url(&self) -> String {
        self.url.clone()
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        match self.stage {
            Stage::Closed => vec![self.login()],
            Stage::Open { .. } => {
                self.requests.again(&self.book, self.token.bytes).map(Outgoing::Binary).into_iter().collect()
            }
        }
    }

    fn heartbeat(&mut self) -> Option<Outgoing> {
        Some(Outgoing::Binary(request::PING.to_vec()))
    }

    fn change(&mut self, added: &[Topic], removed: &[Topic]) -> Option<Vec<Outgoing>> {
        // The mode is the connection's, and numbers are asked for before it opens.
        let is_of_mode = |topic: &Topic| is_lite(topic) == (self.mode == Mode::Lite);
        if !added.iter().all(|topic| is_of_mode(topic) && self.numbers.contains_key(&topic.symbol)) {
            return None;
        }
        for topic in added {
            self.take_up(topic, family_of(topic, &Catalog::default()))?.ok()?;
        }
        let (added, removed) = (self.book.places(added), self.book.places(removed));
        for place in &removed {
            self.book.want(*place, false);
        }
        for place in &added {
            self.book.want(*place, true);
        }
        if self.stage != Stage::Closed {
            // What is no longer wanted makes room first.
            self.requests.push(&self.book, removed, Request::Unsubscribe);
            self.requests.push(&self.book, added, Request::Subscribe);
        }
        Some(self.next_request().into_iter().collect())
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        out.extend(mem::take(&mut self.untold));
        let Incoming::Binary(bytes) = frame else { return out.push(Reading::Rejected("text_frame")) };
        let mut body = Bytes(bytes);
        let (Some(_length), Some(kind)) = (body.u16(), body.u8()) else {
            return out.push(Reading::Rejected("short_frame"));
        };
        match kind {
            1 => self.login_answered(body, out),
            4 => self.subscribe_answered(body, out),
            5 => {
                self.requests.answered_unsubscribe();
                out.push(Reading::Heartbeat);
                out.extend(self.next_request().map(Reading::Reply));
            }
            6 => self.data(body, out),
            12 if !answer::is_ok(body) => out.push(Reading::Rejected("mode_refused")),
            51 => out.push(self.announced(body)),
            // The mode is on, a channel rests, the master's data, and what may come one day.
            _ => out.push(Reading::Heartbeat),
        }
    }
}

impl Session {
    fn login_answered(&mut self, body: Bytes<'_>, out: &mut Vec<Reading<'_>>) {
        if !answer::is_ok(body) {
            let reason = "Fyers refuses the access token (authentication failed, code 11001); log in again".into();
            return out.push(Reading::Failed(Failure { remedy: Remedy::NewCredentials, reason }));
        }
        if self.stage != Stage::Closed {
            return out.push(Reading::Heartbeat);
        }
        self.stage = Stage::Open { acknowledge_every: answer::number(body, 2).unwrap_or(0), frames: 0 };
        self.requests.push(&self.book, self.book.wanted(), Request::Subscribe);
        out.push(Reading::Reply(Outgoing::Binary(request::mode(self.mode))));
        out.extend(self.next_request().map(Reading::Reply));
    }

    fn subscribe_answered(&mut self, body: Bytes<'_>, out: &mut Vec<Reading<'_>>) {
        let Some(places) = self.requests.answered_subscribe() else { return out.push(Reading::Heartbeat) };
        if answer::is_ok(body) {
            out.push(Reading::Confirmed(self.book.confirm(&places)));
        } else {
            let reason = "Fyers refuses the subscription (code 11011)".into();
            out.push(Reading::Refused { streams: self.book.unconfirmed(&places), reason });
        }
        out.extend(self.next_request().map(Reading::Reply));
    }

    fn data(&mut self, mut body: Bytes<'_>, out: &mut Vec<Reading<'_>>) {
        let before = out.len();
        let (Some(message), Some(entries)) = (body.u32(), body.u16()) else {
            return out.push(Reading::Rejected("short_frame"));
        };
        let mut shown = Vec::new();
        for _ in 0..entries {
            match answer::entry(&mut body).map(|entry| self.book.apply(entry)) {
                Ok(Ok((message, stream))) => {
                    out.extend(message);
                    shown.extend(stream);
                }
                Ok(Err(reason)) => out.push(Reading::Rejected(reason)),
                Err(reason) => {
                    // Where the next entry begins is not known, so the rest of the frame is lost.
                    out.push(Reading::Rejected(reason));
                    break;
                }
            }
        }
        let confirmed = self.book.confirm(&shown);
        if !confirmed.is_empty() {
            out.push(Reading::Confirmed(confirmed));
        }
        out.extend(self.acknowledgement(message).map(Reading::Reply));
        if out.len() == before {
            out.push(Reading::Heartbeat);
        }
    }

    /// Counts a data frame; what to send when the server wants an acknowledgement now.
    fn acknowledgement(&mut self, message: u32) -> Option<Outgoing> {
        let Stage::Open { acknowledge_every: every @ 1.., frames } = &mut self.stage else { return None };
        *frames += 1;
        if *frames < *every {
            return None;
        }
        *frames = 0;
        Some(Outgoing::Binary(request::acknowledge(message)))
    }

    /// What the server says in words.
    fn announced(&self, body: Bytes<'_>) -> Reading<'static> {
        let code = answer::number(body, 1).map(u32::cast_signed);
        let text = answer::field(body, 2).map_or("no reason given".into(), String::from_utf8_lossy);
        let reason = match code {
            Some(code) => format!("{text} (code {code})").into(),
            None => Box::from(text.as_ref()),
        };
        let about = answer::field(body, 3).and_then(|bytes| bytes.first());
        let is_expired = code == Some(CODE_TOKEN_EXPIRED) && !text.to_ascii_lowercase().contains("limit");
        if about == Some(&1) || is_expired {
            return Reading::Failed(Failure { remedy: Remedy::NewCredentials, reason });
        }
        // Words about anything but the subscription on its way concern no stream that we could name.
        let asked = self.requests.asked().filter(|_| matches!(about, Some(4) | None));
        Reading::Refused { streams: asked.map_or(Vec::new(), |places| self.book.unconfirmed(places)), reason }
    }
}

#[cfg(test)]
mod tests;
