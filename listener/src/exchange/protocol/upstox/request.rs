//! What a client asks. No request has an answer, and what makes no sense is passed over in silence, as at the real one.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;

use super::{MODES, render, stream};
use crate::exchange::desk::Desk;
use crate::exchange::protocol::{self, Answer, Asked, Change, Sent};

/// One connection's subscriptions.
#[derive(Debug)]
pub(super) struct Conversation {
    desk: Arc<Desk>,
    /// The mode of each instrument.
    modes: BTreeMap<Box<str>, &'static str>,
    instruments_max: usize,
}

#[derive(Deserialize)]
struct Request {
    method: Method,
    data: Data,
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Method {
    Sub,
    ChangeMode,
    Unsub,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    mode: Option<Box<str>>,
    instrument_keys: Vec<Box<str>>,
}

impl protocol::Conversation for Conversation {
    fn greet(&mut self) -> Answer {
        Answer { replies: vec![Sent::Binary(render::market_info(self.desk.is_open()))], ..Answer::default() }
    }

    fn receive(&mut self, message: Asked<'_>) -> Answer {
        // A request in a text frame is not heard.
        let Asked::Binary(json) = message else { return Answer::default() };
        let Ok(Request { method, data }) = serde_json::from_slice(json) else { return Answer::default() };
        let change = match (method, mode(data.mode.as_deref())) {
            (Method::Unsub, _) => self.unsubscribe(&data.instrument_keys),
            (Method::Sub | Method::ChangeMode, None) => Change::Nothing,
            (Method::Sub, Some(mode)) => self.carry(data.instrument_keys, mode),
            (Method::ChangeMode, Some(mode)) => {
                let carried = data.instrument_keys.into_iter().filter(|key| self.modes.contains_key(key)).collect();
                self.carry(carried, mode)
            }
        };
        Answer::default().with(change)
    }
}

impl Conversation {
    pub(super) fn new(desk: Arc<Desk>, instruments_max: usize) -> Self {
        Self { desk, modes: BTreeMap::new(), instruments_max }
    }

    /// Carries these instruments in this mode and no other. Unknown ones stay silent.
    fn carry(&mut self, keys: Vec<Box<str>>, mode: &'static str) -> Change {
        let (mut ended, mut begun) = (Vec::new(), Vec::new());
        for key in keys.into_iter().filter(|key| self.desk.lists(key)) {
            match self.modes.get(&key) {
                Some(carried) if *carried == mode => continue,
                Some(carried) => ended.push(stream(carried, &key)),
                None if self.instruments_max <= self.modes.len() => continue,
                None => {}
            }
            begun.push(stream(mode, &key));
            self.modes.insert(key, mode);
        }
        if ended.is_empty() { Change::Subscribe(begun) } else { Change::Replace { ended, begun } }
    }

    fn unsubscribe(&mut self, keys: &[Box<str>]) -> Change {
        let ended = keys.iter().filter_map(|key| self.modes.remove(key).map(|mode| stream(mode, key)));
        Change::Unsubscribe(ended.collect())
    }
}

/// The mode of that name; the smallest one when none is named.
fn mode(name: Option<&str>) -> Option<&'static str> {
    let name = name.unwrap_or(MODES[0]);
    MODES.into_iter().find(|mode| *mode == name)
}
