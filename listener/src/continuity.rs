//! Finds the holes in a provider's streams by the provider's own numbers. Pure.
//!
//! One tracker per connection, kept across its sessions, so that a hole between two sessions is found as well.

use std::collections::HashMap;
use std::hash::BuildHasher;

use common::clock::UnixMicros;
use common::feed::Mark;
use common::presence::Continuity as Counts;
use common::queue::{Gap, GapReason};
use foldhash::fast::RandomState;

#[cfg(test)]
mod tests;

/// Streams that one tracker watches at most. Messages of further ones are counted as unwatched.
pub const STREAMS_MAX: usize = 65_536;
/// So many messages behind the highest number, each higher than the one before it and none above, mean that the
/// provider counts anew, e.g. from 1 at the start of a day: the new numbers are followed from there.
pub const BEHIND_MAX: u32 = 32;

/// The numbers of a connection's streams.
#[derive(Debug, Default)]
pub struct Continuity {
    /// By hash of key and kind: nothing is allocated for a stream that is known. Should two hashes ever collide, a
    /// hole too many is found.
    streams: HashMap<u64, Place, RandomState>,
    hash: RandomState,
    session: u32,
    counts: Counts,
}

/// Where a stream stands.
#[derive(Debug, Clone, Copy)]
struct Place {
    /// The highest number.
    last: i64,
    at: UnixMicros,
    session: u32,
    /// Messages in a row that were behind `last`, and the number of the last of them.
    behind: u32,
    behind_at: i64,
}

/// What a number says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finding {
    /// It follows, or it is the first of its stream.
    Fine,
    /// Messages before it are missing.
    Gap(Hole),
    /// The number of the message before it.
    Duplicate,
    /// Smaller than one before. A late message may fill a gap that was found; the gap stays counted.
    Backwards,
}

/// A gap, before it is known whose it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The first missing number.
    pub from: i64,
    /// The last missing number.
    pub to: i64,
    /// How many are missing.
    pub missing: u64,
    /// When the message before it was received.
    pub since: UnixMicros,
    /// When the message behind it was received.
    pub until: UnixMicros,
    /// `Sequence`, or `Reconnect` when a new session began meanwhile.
    pub reason: GapReason,
}

impl Hole {
    /// As a task's body says it, for the message `key` and `kind` that was observed.
    pub fn in_stream<'a>(&self, symbol: Option<&'a str>, key: &'a str, kind: &'a str) -> Gap<'a> {
        Gap {
            symbol: symbol.map(Into::into),
            stream: key.into(),
            kind: kind.into(),
            from: Some(self.from),
            to: Some(self.to),
            missing: Some(self.missing),
            since: Some(self.since),
            until: self.until,
            reason: self.reason,
        }
    }
}

impl Continuity {
    /// To be called at the start of each session: holes found from now on against earlier numbers lie between two.
    pub fn begin_session(&mut self) {
        self.session = self.session.wrapping_add(1);
    }

    /// Takes in the number of a message that was received `at`.
    pub fn observe(&mut self, key: &str, kind: &str, mark: Mark, at: UnixMicros) -> Finding {
        let (Mark::Contiguous(number) | Mark::Increasing(number)) = mark;
        let stream = self.hash.hash_one((key, kind));
        let fresh = Place { last: number, at, session: self.session, behind: 0, behind_at: number };
        let Some(place) = self.streams.get_mut(&stream) else {
            if self.streams.len() < STREAMS_MAX {
                self.streams.insert(stream, fresh);
            } else {
                self.counts.unwatched += 1;
            }
            return Finding::Fine;
        };
        let before = *place;
        if number == before.last {
            self.counts.duplicates += 1;
            return Finding::Duplicate;
        }
        if number < before.last {
            self.counts.backwards += 1;
            let behind = if before.behind == 0 || before.behind_at < number { before.behind + 1 } else { 1 };
            *place = if BEHIND_MAX <= behind { fresh } else { Place { behind, behind_at: number, ..before } };
            return Finding::Backwards;
        }
        *place = fresh;
        match mark {
            Mark::Contiguous(_) if before.last.abs_diff(number) != 1 => {}
            Mark::Contiguous(_) | Mark::Increasing(_) => return Finding::Fine,
        }
        let missing = before.last.abs_diff(number) - 1;
        self.counts.gaps += 1;
        self.counts.missing = self.counts.missing.saturating_add(missing);
        let reason = if before.session == self.session { GapReason::Sequence } else { GapReason::Reconnect };
        Finding::Gap(Hole { from: before.last + 1, to: number - 1, missing, since: before.at, until: at, reason })
    }

    /// All that was ever found.
    pub fn counts(&self) -> Counts {
        self.counts
    }
}
