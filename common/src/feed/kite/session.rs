//! One connection: what is asked for, and what the frames mean.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Value, json};

use crate::feed::kite::packet::{self, Shape};
use crate::feed::kite::{NAME, TOKENS_PER_MESSAGE, text, topics};
use crate::feed::{FeedSession, Incoming, Outgoing, Reading, Topic};
use crate::market::Catalog;

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    /// Holds the access token.
    url: SecretString,
    wanted: HashMap<u32, Wanted, RandomState>,
}

/// An instrument that was asked for.
#[derive(Debug)]
struct Wanted {
    mode: &'static str,
    /// As its topic names it.
    stream: Box<str>,
    /// Its trading symbol, where it is known.
    name: Option<Box<str>>,
    /// A packet has come.
    is_confirmed: bool,
}

impl Session {
    /// Will carry `topics`.
    pub(super) fn new(url: SecretString, topics: &[Topic], catalog: &Catalog) -> Self {
        let mut session = Self { url, wanted: HashMap::default() };
        for topic in topics {
            session.want(topic, catalog);
        }
        session
    }

    fn want(&mut self, topic: &Topic, catalog: &Catalog) -> Option<u32> {
        let (mode, token) = topics::parts(&topic.stream)?;
        let known = catalog.find(NAME, &topic.symbol).or_else(|| catalog.find(NAME, &token.to_string()));
        // What is no number was spelled as a trading symbol.
        let spelled = Some(&topic.symbol).filter(|symbol| symbol.parse::<u32>().is_err());
        let name = known.map(|row| &row.symbol).or(spelled).cloned();
        self.wanted.insert(token, Wanted { mode, stream: topic.stream.clone(), name, is_confirmed: false });
        Some(token)
    }

    /// The messages that ask for these instruments: their streams, then how much each tells.
    fn ask(&self, mut tokens: Vec<u32>) -> Vec<Outgoing> {
        tokens.sort_unstable();
        let mut out = messages("subscribe", &tokens, |tokens| json!(tokens));
        for mode in super::MODES {
            let of_mode = |token: &u32| self.wanted.get(token).is_some_and(|wanted| wanted.mode == mode);
            let tokens: Vec<u32> = tokens.iter().copied().filter(of_mode).collect();
            out.extend(messages("mode", &tokens, |tokens| json!([mode, tokens])));
        }
        out
    }

    fn packets(&mut self, frame: &[u8], out: &mut Vec<Reading<'_>>) {
        let Some((count, mut rest)) = number(frame) else {
            // One byte of any value is the heartbeat.
            out.push(if frame.is_empty() { Reading::Rejected("bad_frame") } else { Reading::Heartbeat });
            return;
        };
        let mut confirmed = Vec::new();
        for _ in 0..count {
            let Some((packet, after)) = number(rest).and_then(|(length, rest)| rest.split_at_checked(length)) else {
                out.push(Reading::Rejected("bad_frame"));
                break;
            };
            rest = after;
            out.push(self.packet(packet, &mut confirmed));
        }
        if !confirmed.is_empty() {
            out.push(Reading::Confirmed(confirmed));
        }
    }

    fn packet(&mut self, packet: &[u8], confirmed: &mut Vec<Box<str>>) -> Reading<'static> {
        let Some(shape) = Shape::of(packet) else { return Reading::Rejected("unknown_packet") };
        let token = packet::token(packet);
        let wanted = self.wanted.get_mut(&token);
        let body = packet::json(shape, packet, wanted.as_ref().and_then(|wanted| wanted.name.as_deref()));
        if let Some(wanted) = wanted.filter(|wanted| !wanted.is_confirmed) {
            wanted.is_confirmed = true;
            confirmed.push(wanted.stream.clone());
        }
        Reading::Data {
            kind: Cow::Borrowed(shape.kind()),
            body: Cow::Owned(body),
            key: Cow::Owned(token.to_string()),
            mark: None,
        }
    }
}

impl FeedSession for Session {
    fn url(&self) -> String {
        self.url.expose_secret().to_owned()
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        let unconfirmed = self.wanted.iter().filter(|(_, wanted)| !wanted.is_confirmed);
        self.ask(unconfirmed.map(|(token, _)| *token).collect())
    }

    fn change(&mut self, added: &[Topic], removed: &[Topic]) -> Option<Vec<Outgoing>> {
        let removed = removed.iter().filter_map(|topic| Some(topics::parts(&topic.stream)?.1));
        let removed: Vec<u32> = removed.filter(|token| self.wanted.remove(token).is_some()).collect();
        let added = added.iter().filter_map(|topic| self.want(topic, &Catalog::default())).collect();
        let mut out = messages("unsubscribe", &removed, |tokens| json!(tokens));
        out.extend(self.ask(added));
        Some(out)
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        match frame {
            Incoming::Binary(bytes) => self.packets(bytes, out),
            Incoming::Text(text) => out.push(text::meaning(text)),
        }
    }
}

/// `{"a":"subscribe","v":[408065]}`, as many as the tokens need.
fn messages(action: &str, tokens: &[u32], value: impl Fn(&[u32]) -> Value) -> Vec<Outgoing> {
    let message = |tokens| Outgoing::Text(json!({ "a": action, "v": value(tokens) }).to_string());
    tokens.chunks(TOKENS_PER_MESSAGE).map(message).collect()
}

/// Two bytes of number, and what follows.
fn number(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u16::from_be_bytes(*number).into(), rest))
}

#[cfg(test)]
mod tests;
