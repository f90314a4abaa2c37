//! One connection: the handshake, one subscription at a time, and what the frames mean.

mod frame;
mod requests;

use std::borrow::Cow;

use serde_json::json;
use serde_json::value::RawValue;

use crate::feed::key::ApiKey;
use crate::feed::loose::Loose;
use crate::feed::{Failure, FeedSession, Incoming, Mark, Outgoing, Reading, Remedy, Topic};
use crate::market::symbol::massive::Cluster;

use frame::{Element, Status};
use requests::Requests;

/// What is said when another connection has the place of this one.
const EVICTED: &str = "another connection with this API key took the place of this one: Massive allows one per key and \
    market. Stop the other process or give it its own key, then start this listener again";

/// One connection to a cluster.
#[derive(Debug)]
pub(super) struct Session {
    url: String,
    key: ApiKey,
    stage: Stage,
    requests: Requests,
    /// Whether the caller has asked before what to send.
    is_opened: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The server has to speak first.
    Greeting,
    /// The key is sent.
    LoggingIn,
    /// Subscriptions may be asked for.
    LoggedIn,
}

impl Session {
    /// Will carry `topics`, which are of one cluster.
    pub(super) fn new(endpoint: &str, key: ApiKey, topics: &[Topic]) -> Self {
        let cluster = topics.first().map_or(Cluster::Stocks.name(), |topic| topic.lane);
        Self {
            url: format!("{}/{cluster}", endpoint.trim_end_matches('/')),
            key,
            stage: Stage::Greeting,
            requests: Requests::new(topics.iter().map(|topic| topic.stream.clone())),
            is_opened: false,
        }
    }

    fn log_in(&mut self) -> Outgoing {
        self.stage = Stage::LoggingIn;
        Outgoing::Text(json!({ "action": "auth", "params": self.key.expose() }).to_string())
    }

    /// The next subscription, when none is under way.
    fn ask(&mut self) -> Option<Outgoing> {
        if self.stage != Stage::LoggedIn {
            return None;
        }
        self.requests.next().map(|stream| action("subscribe", stream))
    }

    fn status<'f>(&mut self, status: &Status<'f>, out: &mut Vec<Reading<'f>>) {
        let message = status.message();
        let failure = |remedy, reason: String| Reading::Failed(Failure { remedy, reason: reason.into() });
        let refused = |what| self.key.hidden_in(&format!("{what}: {message}"));
        match status.name() {
            "connected" if self.stage == Stage::Greeting => out.push(Reading::Reply(self.log_in())),
            "auth_success" if self.stage != Stage::LoggedIn => {
                self.stage = Stage::LoggedIn;
                out.push(Reading::Heartbeat);
            }
            "connected" | "auth_success" => out.push(Reading::Heartbeat),
            "auth_failed" => out.push(failure(Remedy::NewCredentials, refused("the API key is refused"))),
            "auth_timeout" => out.push(failure(Remedy::Retry, refused("the login came too late"))),
            "max_connections" => out.push(failure(Remedy::Stop, EVICTED.to_owned())),
            "success" => self.success(message, out),
            "error" => match self.requests.refused() {
                Some(stream) => {
                    let reason = self.key.hidden_in(message).into();
                    out.push(Reading::Refused { streams: vec![stream], reason });
                }
                None => out.push(Reading::Rejected("unexpected_refusal")),
            },
            _ => out.push(Reading::Rejected("unknown_status")),
        }
        out.extend(self.ask().map(Reading::Reply));
    }

    /// `subscribed to: T.AAPL`
    fn success<'f>(&mut self, message: &str, out: &mut Vec<Reading<'f>>) {
        let Some(streams) = message.strip_prefix("subscribed to:") else {
            let is_end = message.starts_with("unsubscribed");
            out.push(if is_end { Reading::Heartbeat } else { Reading::Rejected("unknown_status") });
            return;
        };
        let streams: Vec<Box<str>> = streams.split(',').map(|stream| stream.trim().into()).collect();
        streams.iter().for_each(|stream| self.requests.confirmed(stream));
        out.push(Reading::Confirmed(streams));
    }
}

impl FeedSession for Session {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn opening(&mut self) -> Vec<Outgoing> {
        if !self.is_opened {
            self.is_opened = true;
            return Vec::new(); // the server speaks first
        }
        if self.stage != Stage::LoggedIn {
            // It has not: the greeting or the answer to the login may be lost.
            return vec![self.log_in()];
        }
        // Asked again only after a long silence: the one under way gets no answer.
        self.requests.give_up();
        self.ask().into_iter().collect()
    }

    /// No message of its own: goes on with the next subscription when one stays without an answer.
    fn heartbeat(&mut self) -> Option<Outgoing> {
        self.requests.give_up_a_stuck_one();
        self.ask()
    }

    fn change(&mut self, added: &[Topic], removed: &[Topic]) -> Option<Vec<Outgoing>> {
        let mut out = Vec::new();
        let ended: Vec<&str> = removed.iter().map(|topic| &*topic.stream).collect();
        if !ended.is_empty() {
            self.requests.forget(&ended);
            out.push(action("unsubscribe", &ended.join(",")));
        }
        self.requests.append(added.iter().map(|topic| topic.stream.clone()));
        out.extend(self.ask());
        Some(out)
    }

    fn read<'f>(&mut self, frame: Incoming<'f>, out: &mut Vec<Reading<'f>>) {
        let Incoming::Text(text) = frame else {
            out.push(Reading::Rejected("binary_frame"));
            return;
        };
        match serde_json::from_str::<Vec<&'f RawValue>>(text) {
            Ok(elements) if elements.is_empty() => out.push(Reading::Heartbeat),
            Ok(elements) => elements.into_iter().for_each(|element| self.element(element, out)),
            Err(error) if error.is_data() => out.push(Reading::Rejected("unknown_message")),
            Err(_) => out.push(Reading::Rejected("not_json")),
        }
    }
}

impl Session {
    fn element<'f>(&mut self, raw: &'f RawValue, out: &mut Vec<Reading<'f>>) {
        match Element::read(raw.get()) {
            Some(Element::Status(status)) => self.status(&status, out),
            Some(Element::Event { kind, key, number }) => {
                // Only trades and quotes are numbered; in crypto and bars `q` does not occur.
                let is_numbered = matches!(&*kind, "T" | "Q");
                let mark = number.filter(|_| is_numbered).and_then(Loose::integer).map(Mark::Increasing);
                out.push(Reading::Data { kind, body: Cow::Borrowed(raw.get()), key, mark });
            }
            None => out.push(Reading::Rejected("unknown_message")),
        }
    }
}

fn action(name: &str, params: &str) -> Outgoing {
    Outgoing::Text(json!({ "action": name, "params": params }).to_string())
}

#[cfg(test)]
mod tests;
