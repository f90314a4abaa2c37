//! What the exchange sent, for people, for tests and for the file that shows it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;

/// Kinds of streams that are counted apart. Any further kind is counted as [`OTHER`].
const KINDS_MAX: usize = 16;

const OTHER: &str = "other";

/// Market messages per kind.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts([u64; KINDS_MAX]);

impl Counts {
    pub(super) fn count(&mut self, kind: Kind) {
        self.0[kind.0] += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (mine, theirs) in self.0.iter_mut().zip(other.0) {
            *mine += theirs;
        }
    }

    pub(super) fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// The number of a kind; always below [`KINDS_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kind(usize);

/// A moment's figures. `sent` counts deliveries to sockets: a message with two subscribers counts twice.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ExchangeStats {
    /// Connections now.
    pub connections: u64,
    /// Connections so far.
    pub connections_total: u64,
    /// Streams with at least one subscriber now.
    pub subscribed: u64,
    /// Market messages written to sockets, per kind of stream.
    pub sent: BTreeMap<String, u64>,
    /// Their sum.
    pub sent_total: u64,
    /// Market messages that nobody was subscribed to, or whose subscriber was muted.
    pub unsent: u64,
    /// Market messages that were ready when their connection ended, and never reached its socket.
    pub undelivered: u64,
    /// Market messages sent once more after a broken connection. Counted in `sent`, too.
    pub resent: u64,
    /// Lines of the recording that hold no market data.
    pub skipped: u64,
    /// Lines of the recording that could not be read.
    pub garbled: u64,
    /// Connections cut because they did not read.
    pub slow_readers: u64,
    /// Connections refused because there were too many, or because they asked for nothing we have.
    pub refused: u64,
    /// Whether the source has nothing more.
    pub finished: bool,
    /// Why the recording ended early.
    pub problem: Option<String>,
}

/// What a whole run came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ExchangeReport {
    /// Where it listens.
    pub address: SocketAddr,
    /// The figures at the end.
    #[serde(flatten)]
    pub stats: ExchangeStats,
    /// How long it ran, in milliseconds.
    pub elapsed_ms: u64,
}

impl ExchangeReport {
    pub(super) fn new(address: SocketAddr, stats: ExchangeStats, elapsed: Duration) -> Self {
        Self { address, stats, elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX) }
    }
}

/// The live counters.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub(super) connections: AtomicU64,
    pub(super) connections_total: AtomicU64,
    pub(super) subscribed: AtomicU64,
    pub(super) unsent: AtomicU64,
    pub(super) undelivered: AtomicU64,
    pub(super) resent: AtomicU64,
    pub(super) skipped: AtomicU64,
    pub(super) garbled: AtomicU64,
    pub(super) slow_readers: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) finished: AtomicBool,
    problem: Mutex<Option<String>>,
    kinds: Mutex<Vec<String>>,
    sent: Mutex<Counts>,
}

impl Counters {
    /// The number of a kind, given when it is first seen.
    pub(super) fn kind(&self, name: &str) -> Kind {
        let mut kinds = lock(&self.kinds);
        if let Some(known) = kinds.iter().position(|known| known == name) {
            return Kind(known);
        }
        if kinds.len() + 1 < KINDS_MAX {
            kinds.push(name.to_owned());
            Kind(kinds.len() - 1)
        } else {
            Kind(KINDS_MAX - 1)
        }
    }

    pub(super) fn sent(&self, counts: &Counts) {
        lock(&self.sent).add(counts);
    }

    pub(super) fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }

    pub(super) fn set_problem(&self, problem: String) {
        *lock(&self.problem) = Some(problem);
    }

    pub(super) fn snapshot(&self) -> ExchangeStats {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counts = *lock(&self.sent);
        let names: Vec<_> = lock(&self.kinds).clone();
        let name = |kind: usize| names.get(kind).map_or(OTHER, String::as_str).to_owned();
        let sent = counts.0.iter().enumerate().filter(|(_, count)| 0 < **count);
        ExchangeStats {
            connections: read(&self.connections),
            connections_total: read(&self.connections_total),
            subscribed: read(&self.subscribed),
            sent: sent.map(|(kind, count)| (name(kind), *count)).collect(),
            sent_total: counts.total(),
            unsent: read(&self.unsent),
            undelivered: read(&self.undelivered),
            resent: read(&self.resent),
            skipped: read(&self.skipped),
            garbled: read(&self.garbled),
            slow_readers: read(&self.slow_readers),
            refused: read(&self.refused),
            finished: self.finished.load(Ordering::Relaxed),
            problem: lock(&self.problem).clone(),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // Plain numbers and texts: whatever a panic elsewhere left is good.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_beyond_the_limit_are_counted_together() {
        let counters = Counters::default();
        for number in 0..40 {
            let mut counts = Counts::default();
            counts.count(counters.kind(&format!("kind{number}")));
            counters.sent(&counts);
        }
        let stats = counters.snapshot();
        assert_eq!(stats.sent_total, 40);
        assert_eq!(stats.sent["kind0"], 1);
        assert_eq!(stats.sent[OTHER], 40 - (KINDS_MAX as u64 - 1));
        assert_eq!(stats.sent.values().sum::<u64>(), stats.sent_total);
    }
}
