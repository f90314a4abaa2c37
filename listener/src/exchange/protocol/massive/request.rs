//! What a client asks, and the answers. What the provider does not answer, this does not either.

use std::collections::HashSet;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::json;

use crate::exchange::desk::Desk;
use crate::exchange::outbox::Ending;
use crate::exchange::protocol::{self, Answer, Asked, Change, Sent, Venue};

use super::Massive;

/// One connection's login and subscriptions.
#[derive(Debug)]
pub(super) struct Conversation {
    cluster: &'static str,
    channels: &'static [&'static str],
    desk: Arc<Desk>,
    is_logged_in: bool,
    streams: HashSet<Box<str>>,
}

#[derive(Deserialize)]
struct Request {
    action: String,
    #[serde(default)]
    params: String,
}

/// `{"ev":"status","status":"success","message":"subscribed to: T.AAPL"}`
pub(super) fn status(name: &str, message: &str) -> String {
    json!({ "ev": "status", "status": name, "message": message }).to_string()
}

impl protocol::Conversation for Conversation {
    fn greet(&mut self) -> Answer {
        answer(&[status("connected", "Connected Successfully")])
    }

    fn receive(&mut self, message: Asked<'_>) -> Answer {
        let request = match message {
            Asked::Text(text) => serde_json::from_str::<Request>(text),
            Asked::Binary(bytes) => serde_json::from_slice::<Request>(bytes),
        };
        let Ok(Request { action, params }) = request else {
            return answer(&[status("error", "invalid message")]);
        };
        match action.as_str() {
            "auth" => self.log_in(&params),
            _ if !self.is_logged_in => answer(&[status("error", "not authenticated")]),
            "subscribe" => self.subscribe(&params),
            "unsubscribe" => self.unsubscribe(&params),
            _ => answer(&[status("error", "unknown action")]),
        }
    }
}

impl Conversation {
    pub(super) fn new(cluster: &'static str, channels: &'static [&'static str], desk: Arc<Desk>) -> Self {
        Self { cluster, channels, desk, is_logged_in: false, streams: HashSet::new() }
    }

    fn log_in(&mut self, key: &str) -> Answer {
        if !self.desk.admits(key) {
            let ending = Some(Ending { code: 1008, reason: "authentication failed".to_owned() });
            return Answer { ending, ..answer(&[status("auth_failed", "authentication failed")]) };
        }
        self.is_logged_in = true;
        // One connection per key and cluster.
        let account = Some(format!("{} {key}", self.cluster).into());
        Answer { account, ..answer(&[status("auth_success", "authenticated")]) }
    }

    /// A stream that is subscribed already, and a channel that the cluster does not have, get no answer. An unknown
    /// ticker is confirmed and stays silent.
    fn subscribe(&mut self, params: &str) -> Answer {
        let (mut said, mut added) = (Vec::new(), Vec::<Box<str>>::new());
        for stream in params.split(',').filter(|stream| self.channels.contains(&Massive.kind(stream))) {
            if self.is_refused(stream) {
                said.push(status("error", "not authorized"));
            } else if self.streams.insert(stream.into()) {
                said.push(status("success", &format!("subscribed to: {stream}")));
                added.push(stream.into());
            }
        }
        answer(&said).with(Change::Subscribe(added))
    }

    fn is_refused(&self, stream: &str) -> bool {
        let symbol = Massive.subject(stream).map(|subject| subject.symbol);
        symbol.is_some_and(|symbol| !self.desk.lists(&symbol) && self.desk.symbols().contains(&symbol))
    }

    fn unsubscribe(&mut self, params: &str) -> Answer {
        let ended: Vec<Box<str>> = params.split(',').filter_map(|stream| self.streams.take(stream)).collect();
        let said: Vec<_> =
            ended.iter().map(|stream| status("success", &format!("unsubscribed to: {stream}"))).collect();
        answer(&said).with(Change::Unsubscribe(ended))
    }
}

/// All of it in one array; nothing for nothing.
fn answer(said: &[String]) -> Answer {
    let replies = if said.is_empty() { Vec::new() } else { vec![Sent::Text(format!("[{}]", said.join(",")))] };
    Answer { replies, ..Answer::default() }
}
