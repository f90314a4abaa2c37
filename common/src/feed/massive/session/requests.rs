//! Which streams are asked for, one after the other.
//!
//! A refusal says `not authorized` and nothing else, so the stream under way is the one refused, and there must be one
//! only. Some requests get no answer at all (a channel that the cluster does not have, a stream that is subscribed
//! already): they are given up and stay unconfirmed, for they must not hold up the others.

use std::collections::VecDeque;

/// The streams of one connection that have had no answer.
#[derive(Debug)]
pub(super) struct Requests {
    waiting: VecDeque<Box<str>>,
    under_way: Option<Box<str>>,
    /// Whether anything has happened since somebody looked whether a request is stuck.
    has_moved: bool,
}

impl Requests {
    pub(super) fn new(streams: impl Iterator<Item = Box<str>>) -> Self {
        Self { waiting: streams.collect(), under_way: None, has_moved: false }
    }

    /// The stream to ask for now; nothing while one is under way.
    pub(super) fn next(&mut self) -> Option<&str> {
        if self.under_way.is_some() {
            return None;
        }
        self.under_way = self.waiting.pop_front();
        self.under_way.as_deref()
    }

    /// The provider carries `stream`, asked for just now or long ago.
    pub(super) fn confirmed(&mut self, stream: &str) {
        if self.under_way.as_deref() == Some(stream) {
            self.under_way = None;
            self.has_moved = true;
        }
    }

    /// The provider refuses a stream: which.
    pub(super) fn refused(&mut self) -> Option<Box<str>> {
        self.has_moved = true;
        self.under_way.take()
    }

    /// Asks for these as well, behind the others.
    pub(super) fn append(&mut self, streams: impl Iterator<Item = Box<str>>) {
        let was_idle = self.under_way.is_none() && self.waiting.is_empty();
        self.waiting.extend(streams);
        // A request that begins now is not stuck when somebody looks a moment later.
        self.has_moved |= was_idle;
    }

    /// Never mind these.
    pub(super) fn forget(&mut self, streams: &[&str]) {
        self.waiting.retain(|stream| !streams.contains(&&**stream));
    }

    /// Gives up the request under way.
    pub(super) fn give_up(&mut self) {
        self.under_way = None;
    }

    /// Gives up the request under way when nothing has happened since the last call.
    pub(super) fn give_up_a_stuck_one(&mut self) {
        if !self.has_moved {
            self.give_up();
        }
        self.has_moved = false;
    }
}
