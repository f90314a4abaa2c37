//! One stream: its subscribers, and what it owes to those who lost their connection.

use std::collections::VecDeque;
use std::ops::Range;

use crate::exchange::protocol::Subject;
use crate::exchange::stats::Kind;

/// A payload and where the message alone lies in it.
pub(super) type Kept = (Box<[u8]>, Range<usize>);

#[derive(Debug)]
pub(super) struct Stream {
    pub(super) name: Box<str>,
    pub(super) kind: Kind,
    pub(super) subject: Option<Subject>,
    /// Places of connections.
    pub(super) subscribers: Vec<usize>,
    /// Those of them who have had nothing yet.
    pub(super) fresh: Vec<usize>,
    /// Whether its last subscriber went away without unsubscribing, and may come back.
    pub(super) is_awaited: bool,
    /// Whether a subscriber's connection broke: the next one gets the newest messages again.
    owes: bool,
    newest: VecDeque<Kept>,
    newest_max: usize,
}

impl Stream {
    pub(super) fn new(name: &str, kind: Kind, subject: Option<Subject>, newest_max: usize) -> Self {
        Self {
            name: name.into(),
            kind,
            subject,
            subscribers: Vec::new(),
            fresh: Vec::new(),
            is_awaited: false,
            owes: false,
            newest: VecDeque::new(),
            newest_max,
        }
    }

    /// A new subscriber. Returns what it is to get again.
    pub(super) fn gain(&mut self, place: usize) -> Vec<Kept> {
        if self.subscribers.contains(&place) {
            return Vec::new();
        }
        self.subscribers.push(place);
        self.fresh.push(place);
        self.is_awaited = false;
        if std::mem::take(&mut self.owes) { self.newest.iter().cloned().collect() } else { Vec::new() }
    }

    pub(super) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// A subscriber that wants no more.
    pub(super) fn release(&mut self, place: usize) -> bool {
        let before = self.subscribers.len();
        self.subscribers.retain(|subscriber| *subscriber != place);
        self.fresh.retain(|subscriber| *subscriber != place);
        self.subscribers.len() < before
    }

    /// A subscriber whose connection ended.
    pub(super) fn lose(&mut self, place: usize, has_read_everything: bool) {
        if self.release(place) {
            self.is_awaited = self.subscribers.is_empty();
            self.owes |= !has_read_everything;
        }
    }

    /// Remembers a message that had subscribers.
    pub(super) fn keep(&mut self, payload: &[u8], data: &Range<usize>) {
        if self.newest_max == 0 || self.subscribers.is_empty() {
            return;
        }
        if self.newest.len() == self.newest_max {
            self.newest.pop_front();
        }
        self.newest.push_back((payload.into(), data.clone()));
    }
}
