//! One connection: what is asked for, and what the frames mean.

use std::borrow::Cow;
use std::collections::BTreeMap;

use secrecy::{ExposeSecret, SecretString};
use serde_json::value::RawValue;

use crate::feed::described::description::{Description, Event, Verdict};
use crate::feed::described::pointer;
use crate::feed::described::template::{Filling, Template};
use crate::feed::{Failure, FeedSession, Incoming, Outgoing, Reading, Remedy, Topic};

/// The kind of all tasks of such feeds.
pub(super) const KIND: &str = "event";

/// Longest reason of a refusal that is passed on, in characters.
const REASON_CHARS_MAX: usize = 200;

/// One connection.
#[derive(Debug)]
pub(super) struct Session {
    description: &'static Description,
    /// Where the provider is, with places to fill in.
    url: Template,
    credential: SecretString,
    /// The symbols it is to carry.
    topics: Vec<Box<str>>,
    /// Those of them without an answer, by their small letters: some providers answer in another case.
    pending: BTreeMap<String, Box<str>>,
}

impl Session {
    pub(super) fn new(
        description: &'static Description,
        url: Template,
        credential: SecretString,
        topics: &[Topic],
    ) -> Self {
        let mut session = Self { description, url, credential, topics: Vec::new(), pending: BTreeMap::new() };
        session.want(topics);
        session
    }

    fn want(&mut self, topics: &[Topic]) {
        for topic in topics {
            self.topics.push(topic.stream.clone());
            self.pending.insert(topic.stream.to_lowercase(), topic.stream.clone());
        }
    }

    fn filling<'a>(&'a self, symbols: &'a [&'a str]) -> Filling<'a> {
        Filling { symbols, credential: self.credential.expose_secret() }
    }

    /// Each template for these symbols: once, for each symbol, or for as many symbols as a message may name.
    fn messages(&self, templates: &[Template], symbols: &[&str]) -> Vec<Outgoing> {
        let mut out = Vec::new();
        for template in templates {
            let chunk = match (template.wants_one_symbol(), template.wants_symbols()) {
                (true, _) => 1,
                (false, true) => self.description.symbols_per_message.max(1),
                (false, false) => symbols.len().max(1),
            };
            let filled = symbols.chunks(chunk).map(|symbols| Outgoing::Text(template.message(self.filling(symbols))));
            out.extend(filled);
        }
        out
    }

    fn answer(&mut self, symbol: &str) -> Option<Box<str>> {
        self.pending.remove(&symbol.to_lowercase())
    }

    /// The streams that a verdict is about.
    fn judged(&mut self, verdict: &Verdict, frame: Event<'_>) -> Vec<Box<str>> {
        let Some(found) = verdict.symbols.as_ref() else {
            return std::mem::take(&mut self.pending).into_values().collect();
        };
        let found = found.find(frame.frame).map_or_else(Vec::new, texts);
        found.iter().filter_map(|symbol| self.answer(symbol)).collect()
    }

    /// What a frame says of subscriptions, if it does.
    fn verdict(&mut self, frame: &RawValue) -> Option<Reading<'static>> {
        let description = self.description;
        let event = Event { frame, event: frame };
        let holds = |verdict: &&Verdict| verdict.rules.iter().all(|rule| rule.holds(event));
        if let Some(refuse) = description.refuse.as_ref().filter(holds) {
            let reason = description.refuse_reason.as_ref().and_then(|reason| reason.find(frame));
            let reason = reason.map_or("the provider gives no reason".into(), pointer::text);
            let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
            let reason = reason.into();
            // Without a place for symbols it cannot be told what is meant: begin again.
            return Some(match &refuse.symbols {
                None => Reading::Failed(Failure { remedy: Remedy::Retry, reason }),
                Some(_) => Reading::Refused { streams: self.judged(refuse, event), reason },
            });
        }
        let confirm = description.confirm.as_ref().filter(holds)?;
        Some(Reading::Confirmed(self.judged(confirm, event)))
    }

    fn text<'f>(&mut self, text: &'f str, out: &mut Vec<Reading<'f>>) {
        let Ok(frame) = serde_json::from_str::<&'f RawValue>(text) else {
            out.push(Reading::Rejected("not_json"));
            return;
        };
        if let Some(verdict) = self.verdict(frame) {
            out.push(verdict);
            return;
        }
        let mut symbols: Vec<Cow<'f, str>> = Vec::new();
        for symbol in self.description.events(frame).into_iter().filter_map(|event| self.description.symbol_of(event)) {
            if !symbols.contains(&symbol) {
                symbols.push(symbol);
            }
        }
        let Some(first) = symbols.first() else {
            // Whoever has said what data looks like knows that there is more than that.
            let is_known = !self.description.only.is_empty();
            out.push(if is_known { Reading::Heartbeat } else { Reading::Rejected("unknown_message") });
            return;
        };
        if self.description.confirm.is_none() {
            let confirmed: Vec<Box<str>> = symbols.iter().filter_map(|symbol| self.answer(symbol)).collect();
            if !confirmed.is_empty() {
                out.push(Reading::Confirmed(confirmed));
            }
        }
        // A newer frame may take the place of an older one only if it is about the same symbols.
        let key = if symbols.len() == 1 { first.clone() } else { Cow::Owned(symbols.join(",")) };
        out.push(Reading::Data { kind: KIND.into(), body: Cow::Borrowed(text), key, mark: None });
    }
}

impl FeedSession for Session {
    fn url(&self) -> String {
        let symbols: Vec<&str> = self.topics.iter().map(|symbol| &**symbol).collect();
        self.url.url(self.filling(&symbols))
    }

    fn headers(&self) -> Vec<(String, SecretString)> {
        let headers = self.description.headers.iter();
        headers.map(|(name, value)| (name.clone(), value.header(self.filling(&[])).into())).collect()
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        let waiting = self.topics.iter().filter(|symbol| self.pending.contains_key(&symbol.to_lowercase()));
        let symbols: Vec<&str> = waiting.map(|symbol| &**symbol).collect();
        self.messages(&self.description.subscribe, &symbols)
    }

    fn heartbeat(&mut self) -> Option<Outgoing> {
        let heartbeat = self.description.heartbeat.as_ref()?;
        Some(Outgoing::Text(heartbeat.message(self.filling(&[]))))
    }

    fn change(&mut self, added: &[Topic], removed: &[Topic]) -> Option<Vec<Outgoing>> {
        let description = self.description;
        let cannot_add = !added.is_empty() && description.subscribe.is_empty();
        let cannot_remove = !removed.is_empty() && description.unsubscribe.is_empty();
        if cannot_add || cannot_remove || description.url.wants_symbols() {
            return None;
        }
        let gone: Vec<&str> = removed.iter().map(|topic| &*topic.stream).collect();
        let new: Vec<&str> = added.iter().map(|topic| &*topic.stream).collect();
        self.topics.retain(|symbol| !gone.contains(&&**symbol));
        self.pending.retain(|_, symbol| !gone.contains(&&**symbol));
        self.want(added);
        let mut out = self.messages(&description.unsubscribe, &gone);
        out.extend(self.messages(&description.subscribe, &new));
        Some(out)
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        match frame {
            Incoming::Text(text) => self.text(text, out),
            // Some providers send their JSON in binary frames.
            Incoming::Binary(bytes) => match std::str::from_utf8(bytes) {
                Ok(text) => self.text(text, out),
                Err(_) => out.push(Reading::Rejected("binary_frame")),
            },
        }
    }
}

/// One text, or those of an array.
fn texts(found: &RawValue) -> Vec<String> {
    match serde_json::from_str::<Vec<&RawValue>>(found.get()) {
        Ok(several) => several.into_iter().map(|one| pointer::text(one).into_owned()).collect(),
        Err(_) => vec![pointer::text(found).into_owned()],
    }
}

#[cfg(test)]
mod tests;
