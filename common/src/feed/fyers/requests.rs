//! What is asked of the server, one request at a time: it answers in order and does not say what it answers.

use std::collections::VecDeque;

use crate::feed::fyers::book::Book;
use crate::feed::fyers::request;

/// One subscription or its end; the places of its streams.
#[derive(Debug)]
pub(super) enum Request {
    Subscribe(Vec<usize>),
    Unsubscribe(Vec<usize>),
}

/// Requests in order; the first one may be on its way.
#[derive(Debug, Default)]
pub(super) struct Requests {
    queue: VecDeque<Request>,
    is_asked: bool,
}

impl Requests {
    /// Appends requests of as many streams as a frame may name.
    pub(super) fn push(&mut self, book: &Book, places: Vec<usize>, kind: fn(Vec<usize>) -> Request) {
        let (mut batch, mut letters) = (Vec::new(), 0);
        for place in places {
            let length = book.stream(place).topic.len();
            if !request::fits(batch.len() + 1, letters + length) {
                self.queue.push_back(kind(std::mem::take(&mut batch)));
                letters = 0;
            }
            letters += length;
            batch.push(place);
        }
        if !batch.is_empty() {
            self.queue.push_back(kind(batch));
        }
    }

    /// The frame of the next request, unless one is on its way.
    pub(super) fn next(&mut self, book: &Book, token_bytes: usize) -> Option<Vec<u8>> {
        if self.is_asked {
            return None;
        }
        let request = self.queue.front()?;
        self.is_asked = true;
        Some(frame(request, book, token_bytes))
    }

    /// The frame of the request that has had no answer, again. Where snapshots have answered it, the next one.
    pub(super) fn again(&mut self, book: &Book, token_bytes: usize) -> Option<Vec<u8>> {
        self.is_asked = false;
        while let Some(Request::Subscribe(places)) = self.queue.front() {
            if places.iter().any(|place| !book.stream(*place).is_confirmed) {
                break;
            }
            self.queue.pop_front();
        }
        self.next(book, token_bytes)
    }

    /// The request that is on its way, if it is a subscription.
    pub(super) fn asked(&self) -> Option<&[usize]> {
        match self.queue.front().filter(|_| self.is_asked)? {
            Request::Subscribe(places) => Some(places),
            Request::Unsubscribe(_) => None,
        }
    }

    /// Takes the subscription off that an answer has come for; nothing where there is none on its way.
    pub(super) fn answered_subscribe(&mut self) -> Option<Vec<usize>> {
        self.asked()?;
        self.is_asked = false;
        match self.queue.pop_front()? {
            Request::Subscribe(places) | Request::Unsubscribe(places) => Some(places),
        }
    }

    /// An end of a subscription has had its answer.
    pub(super) fn answered_unsubscribe(&mut self) {
        if self.is_asked && matches!(self.queue.front(), Some(Request::Unsubscribe(_))) {
            self.is_asked = false;
            self.queue.pop_front();
        }
    }
}

fn frame(request: &Request, book: &Book, token_bytes: usize) -> Vec<u8> {
    let topics = |places: &[usize]| places.iter().map(|place| &*book.stream(*place).topic).collect::<Vec<_>>();
    match request {
        Request::Subscribe(places) => request::subscribe(&topics(places), token_bytes),
        Request::Unsubscribe(places) => request::unsubscribe(&topics(places), token_bytes),
    }
}
