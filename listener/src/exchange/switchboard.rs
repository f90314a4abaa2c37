//! Who is subscribed to what, and what was prepared for whom. Pure: the publisher carries values to and from it.

mod connection;
mod stream;

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::outbox::{Ending, Frames, Outbox};
use super::protocol::{Answer, Change, Envelope, Named, Provider};
use super::stats::Counters;
use super::walk::{Event, Walk, Wanted};
use connection::Connection;
use stream::Stream;

/// Most stream names that are remembered. A stream beyond them is acknowledged and stays silent.
const STREAMS_MAX: usize = 100_000;

/// The routing table.
#[derive(Debug)]
pub(super) struct Switchboard {
    provider: Provider,
    counters: Arc<Counters>,
    /// Frames per stream that are kept to be sent again.
    resend: usize,
    streams: Vec<Stream>,
    by_name: HashMap<Box<str>, usize>,
    /// Subscribers are named by their place here; a place that became free is used again.
    connections: Vec<Option<Connection>>,
    /// Where the next payload is written, to be copied to each subscriber.
    payload: Vec<u8>,
    /// Bytes that wait in the fullest preparation of this round.
    prepared_bytes_max: usize,
    has_changed: bool,
    is_market_open: bool,
    /// Whether recorded frames come that belong to a connection.
    has_recording: bool,
}

const CONNECTION_STREAM: &str = "connection ";

/// The stream of the frames that belong to a recorded connection, counted from 1.
pub(super) fn connection_stream(conn: u32) -> Box<str> {
    format!("{CONNECTION_STREAM}{conn}").into()
}

fn is_connection_stream(name: &str) -> bool {
    name.starts_with(CONNECTION_STREAM)
}

impl Switchboard {
    pub(super) fn new(provider: Provider, resend: usize, counters: Arc<Counters>) -> Self {
        Self {
            provider,
            counters,
            resend,
            streams: Vec::new(),
            by_name: HashMap::new(),
            connections: Vec::new(),
            payload: Vec::new(),
            prepared_bytes_max: 0,
            has_changed: false,
            is_market_open: true,
            has_recording: false,
        }
    }

    /// From now on a connection that subscribes to anything stands for the recorded one of its place.
    pub(super) fn expect_recording(&mut self) {
        self.has_recording = true;
    }

    // === connections ===

    pub(super) fn join(&mut self, id: u64, outbox: Arc<Outbox>, envelope: Envelope, streams: &[Box<str>]) {
        let connection = Connection {
            id,
            outbox,
            envelope,
            prepared: Frames::default(),
            muted: false,
            full_since: None,
            messages: 0,
            account: None,
        };
        let free = self.connections.iter().position(Option::is_none);
        let place = free.unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        self.connections[place] = Some(connection);
        self.subscribe(place, streams);
    }

    /// Removes a connection. `clean`: the client closed it as the protocol wants, and had read everything.
    pub(super) fn leave(&mut self, id: u64, clean: bool) {
        let Some(place) = self.place(id) else { return };
        let Some(mut connection) = self.connections[place].take() else { return };
        let mut frames = Frames::default();
        connection.outbox.drain(&mut frames);
        let undelivered = connection.prepared.counts.total() + frames.counts.total();
        Counters::add(&self.counters.undelivered, undelivered);
        connection.prepared.clear();
        for stream in &mut self.streams {
            stream.lose(place, clean && undelivered == 0);
        }
        self.has_changed = true;
    }

    /// Applies what a request led to, and prepares its replies in the right place: behind the last message of an ended
    /// stream, before the first of a new one.
    pub(super) fn answer(&mut self, id: u64, answer: &Answer, now: Instant) {
        let Some(place) = self.place(id) else { return };
        if let Some(account) = &answer.account {
            self.claim(place, account, now);
        }
        match &answer.change {
            Change::Unsubscribe(streams) | Change::Replace { ended: streams, .. } => self.unsubscribe(place, streams),
            Change::Envelope(envelope) => {
                if let Some(connection) = &mut self.connections[place] {
                    connection.envelope = *envelope;
                }
            }
            Change::Nothing | Change::Subscribe(_) => {}
        }
        if let Some(connection) = &mut self.connections[place] {
            answer.replies.iter().for_each(|reply| connection.say(reply));
        }
        if let Change::Subscribe(streams) | Change::Replace { begun: streams, .. } = &answer.change {
            self.subscribe(place, streams);
        }
        if let Some(ending) = &answer.ending {
            self.end(Some(id), ending, now);
        }
    }

    /// Gives the connection to an account, whose older ones may have to go.
    fn claim(&mut self, place: usize, account: &str, now: Instant) {
        if let Some((notice, ending)) = self.provider.0.eviction() {
            let others = self.open().filter(|connection| connection.account.as_deref() == Some(account));
            for id in others.map(|connection| connection.id).collect::<Vec<_>>() {
                self.each(Some(id), |connection| connection.say(&notice));
                self.end(Some(id), &ending, now);
            }
        }
        if let Some(connection) = &mut self.connections[place] {
            connection.account = Some(account.into());
        }
    }

    fn subscribe(&mut self, place: usize, names: &[Box<str>]) {
        let own = connection_stream(u32::try_from(place).map_or(u32::MAX, |place| place + 1));
        let own = (self.has_recording && !names.is_empty()).then_some(own);
        for name in names.iter().chain(&own) {
            let Some(stream) = self.stream(name) else { continue };
            let again = self.streams[stream].gain(place);
            let Some(connection) = &mut self.connections[place] else { continue };
            for (payload, data) in again {
                connection.prepare(self.provider, &payload, &data);
                connection.prepared.counts.count(self.streams[stream].kind);
                Counters::add(&self.counters.resent, 1);
            }
        }
        self.has_changed = true;
    }

    fn unsubscribe(&mut self, place: usize, names: &[Box<str>]) {
        for stream in names.iter().filter_map(|name| self.by_name.get(name)) {
            self.streams[*stream].release(place);
        }
        self.has_changed = true;
    }

    fn place(&self, id: u64) -> Option<usize> {
        self.connections.iter().position(|connection| connection.as_ref().is_some_and(|connection| connection.id == id))
    }

    /// The number of a stream, given when it is first named.
    fn stream(&mut self, name: &str) -> Option<usize> {
        if let Some(known) = self.by_name.get(name) {
            return Some(*known);
        }
        if STREAMS_MAX <= self.streams.len() {
            return None;
        }
        let kind = self.counters.kind(self.provider.0.kind(name));
        self.streams.push(Stream::new(name, kind, self.provider.0.subject(name), self.resend));
        self.by_name.insert(name.into(), self.streams.len() - 1);
        Some(self.streams.len() - 1)
    }

    // === messages ===

    /// Prepares an event for the stream's subscribers.
    pub(super) fn publish_event(&mut self, stream: usize, symbol: &str, event: &Event) {
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        let named = Named { number: stream, stream: &self.streams[stream].name, symbol };
        let data = self.provider.0.render(&mut payload, named, event);
        let mut first = Vec::new();
        let has_first = self.streams[stream].has_fresh() && self.provider.0.render_first(&mut first, named, event);
        self.publish(stream, &payload, &data, has_first.then_some(&*first));
        self.payload = payload;
    }

    /// Prepares a recorded frame for the stream's subscribers.
    pub(super) fn publish_recorded(&mut self, stream: &str, payload: &[u8], data: &Range<usize>) {
        match self.by_name.get(stream) {
            Some(stream) => self.publish(*stream, payload, data, None),
            None => Counters::add(&self.counters.unsent, 1),
        }
    }

    /// Who has had nothing of the stream yet gets `first` instead, where there is such a thing.
    fn publish(&mut self, stream: usize, payload: &[u8], data: &Range<usize>, first: Option<&[u8]>) {
        let stream = &mut self.streams[stream];
        let mut unsent = u64::from(stream.subscribers.is_empty());
        for place in &stream.subscribers {
            let Some(connection) = &mut self.connections[*place] else { continue };
            if connection.muted {
                unsent += 1;
                continue;
            }
            match first.filter(|_| stream.fresh.contains(place)) {
                Some(first) => connection.prepare(self.provider, first, &(0..first.len())),
                None => connection.prepare(self.provider, payload, data),
            }
            connection.prepared.counts.count(stream.kind);
            self.prepared_bytes_max = self.prepared_bytes_max.max(connection.prepared.bytes.len());
        }
        let muted = |place: &usize| self.connections[*place].as_ref().is_some_and(|connection| connection.muted);
        stream.fresh.retain(muted);
        stream.keep(payload, data);
        if 0 < unsent {
            Counters::add(&self.counters.unsent, unsent);
        }
    }

    /// Whether a message of this stream must wait: its subscriber has gone without unsubscribing, or is muted.
    pub(super) fn is_awaited(&self, stream: &str) -> bool {
        let Some(stream) = self.by_name.get(stream).map(|stream| &self.streams[*stream]) else { return false };
        let is_muted = |place: &usize| self.connections[*place].as_ref().is_some_and(|connection| connection.muted);
        if stream.subscribers.is_empty() { stream.is_awaited } else { stream.subscribers.iter().all(is_muted) }
    }

    /// Bytes that wait in the fullest preparation of this round.
    pub(super) fn prepared_bytes_max(&self) -> usize {
        self.prepared_bytes_max
    }

    /// Hands everything prepared to the connections.
    pub(super) fn hand_over(&mut self, now: Instant) {
        self.prepared_bytes_max = 0;
        for connection in self.connections.iter_mut().flatten().filter(|connection| !connection.muted) {
            if !connection.prepared.bytes.is_empty() && connection.outbox.put(&mut connection.prepared) {
                connection.full_since.get_or_insert(now);
            }
        }
    }

    /// When the reader that has been slow the longest is to be cut; `None` when every outbox has room. Cuts those
    /// whose time has come.
    pub(super) fn patience_ends(&mut self, now: Instant, slow_reader_max: Duration) -> Option<Instant> {
        let mut earliest: Option<Instant> = None;
        for connection in self.connections.iter_mut().flatten() {
            let Some(since) = connection.full_since else { continue };
            if connection.muted || !connection.outbox.is_full() {
                connection.full_since = None;
                continue;
            }
            let end = since + slow_reader_max;
            if end <= now {
                tracing::warn!(connection.id, "connection {} did not read for too long, cutting it", connection.id);
                connection.outbox.cut();
                connection.full_since = None;
                Counters::add(&self.counters.slow_readers, 1);
            } else {
                earliest = Some(earliest.map_or(end, |earlier| earlier.min(end)));
            }
        }
        earliest
    }

    // === questions ===

    /// Whether subscriptions changed since the last call.
    pub(super) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.has_changed)
    }

    /// The subscribed streams that a walk can serve.
    pub(super) fn wanted<'a>(&'a self, walk: &'a Walk) -> impl Iterator<Item = Wanted> + 'a {
        self.subscribed().filter_map(|(stream, entry)| {
            let subject = entry.subject.as_ref()?;
            Some(Wanted { stream, symbol: walk.symbol(&subject.symbol)?, channel: subject.channel })
        })
    }

    fn subscribed(&self) -> impl Iterator<Item = (usize, &Stream)> {
        let is_subscribed =
            |(_, stream): &(usize, &Stream)| !stream.subscribers.is_empty() && !is_connection_stream(&stream.name);
        self.streams.iter().enumerate().filter(is_subscribed)
    }

    pub(super) fn streams_subscribed(&self) -> usize {
        self.subscribed().count()
    }

    /// Connections that have subscribed to something.
    pub(super) fn connections_subscribed(&self) -> usize {
        let mut places: Vec<_> = self.streams.iter().flat_map(|stream| stream.subscribers.iter()).collect();
        places.sort_unstable();
        places.dedup();
        places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.open().next().is_none()
    }

    fn open(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten()
    }

    // === controls; `None` means every connection ===

    pub(super) fn end(&mut self, target: Option<u64>, ending: &Ending, now: Instant) {
        // What was prepared goes first.
        self.hand_over(now);
        self.each(target, |connection| connection.outbox.end(ending.clone()));
    }

    pub(super) fn cut(&mut self, target: Option<u64>) {
        self.each(target, |connection| connection.outbox.cut());
    }

    pub(super) fn set_muted(&mut self, target: Option<u64>, muted: bool) {
        self.each(target, |connection| {
            connection.muted = muted;
            connection.outbox.set_muted(muted);
        });
        self.has_changed = true;
    }

    /// Puts bytes between the frames, whatever they are.
    pub(super) fn inject(&mut self, target: Option<u64>, bytes: &[u8]) {
        self.each(target, |connection| connection.prepared.bytes.extend_from_slice(bytes));
    }

    /// Announces that the server is about to shut down.
    pub(super) fn announce_shutdown(&mut self, target: Option<u64>, now_ms: u64) {
        let mut payload = Vec::new();
        let provider = self.provider;
        if let Some(data) = provider.0.shutdown_notice(&mut payload, now_ms) {
            self.each(target, |connection| connection.prepare(provider, &payload, &data));
        }
    }

    /// Opens or closes the market, and tells everyone where the provider does.
    pub(super) fn set_market(&mut self, is_open: bool) {
        self.is_market_open = is_open;
        self.has_changed = true;
        if let Some(notice) = self.provider.0.market_notice(is_open) {
            self.each(None, |connection| connection.say(&notice));
        }
    }

    pub(super) fn is_market_open(&self) -> bool {
        self.is_market_open
    }

    fn each(&mut self, target: Option<u64>, act: impl FnMut(&mut Connection)) {
        let wanted = |connection: &&mut Connection| target.is_none_or(|id| id == connection.id);
        self.connections.iter_mut().flatten().filter(wanted).for_each(act);
    }
}

#[cfg(test)]
mod tests;
