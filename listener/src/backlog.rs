//! The bounded buffer between sockets and broker, and what it gives up when it is full. Pure.
//!
//! Messages leave in the order they came; giving one up leaves a hole and moves nothing, so the order within a connection
//! holds. The arithmetic `received = taken + shed + len` holds after every call.

use std::collections::{HashMap, VecDeque};
use std::mem;

use common::queue::IntakeCounts;
use foldhash::fast::RandomState;

use crate::options::{BufferLimits, Overflow};

#[cfg(test)]
mod tests;

/// Says which messages replace each other: a hash of connection, key and kind. Should two hashes ever collide, one
/// message too many is given up under overflow, and counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct MergeKey(pub(crate) u64);

/// A message on its way to the broker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Message {
    pub(crate) merge: MergeKey,
    /// The task's wire form.
    pub(crate) element: Vec<u8>,
}

/// Taken from the backlog for one enqueue.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    pub(crate) tasks: Vec<Vec<u8>>,
    pub(crate) counts: IntakeCounts,
}

/// A queue in memory with a limit.
#[derive(Debug)]
pub(crate) struct Backlog {
    limits: BufferLimits,
    /// Oldest first; a message given up leaves `None`.
    slots: VecDeque<Option<Message>>,
    /// The place of `slots[0]`. Places count all messages ever pushed.
    base: u64,
    len: usize,
    bytes: usize,
    /// Built when the buffer first runs full, gone when it is half empty again: the normal way pays nothing for it.
    newest: Option<Newest>,
    unreported: IntakeCounts,
    totals: IntakeCounts,
}

/// Where the newest message of each merge key is.
#[derive(Debug)]
struct Newest {
    place_of: HashMap<MergeKey, u64, RandomState>,
    /// No message before this place has a newer one of its key.
    searched_to: u64,
}

/// Capacity that an empty backlog may keep.
const IDLE_SLOTS_MAX: usize = 65_536;

impl Backlog {
    pub(crate) fn new(limits: BufferLimits) -> Self {
        let (unreported, totals) = Default::default();
        Self { limits, slots: VecDeque::new(), base: 0, len: 0, bytes: 0, newest: None, unreported, totals }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// All that was ever counted.
    pub(crate) fn totals(&self) -> &IntakeCounts {
        &self.totals
    }

    /// Whether a message of this size fits as it is. An empty backlog takes any single message.
    pub(crate) fn has_room(&self, bytes: usize) -> bool {
        self.len == 0 || (self.len < self.limits.messages_max && self.bytes + bytes <= self.limits.bytes_max)
    }

    /// Whether half of it is used.
    pub(crate) fn is_half_full(&self) -> bool {
        self.limits.messages_max <= 2 * self.len || self.limits.bytes_max <= 2 * self.bytes
    }

    /// Appends a message; when there is no room the policy makes some. Under `Block` the message comes back, uncounted.
    pub(crate) fn push(&mut self, message: Message) -> Result<(), Message> {
        let bytes = message.element.len();
        match self.limits.overflow {
            Overflow::Block if !self.has_room(bytes) => return Err(message),
            // Where even the spool has no room.
            Overflow::Merge | Overflow::Spool => self.make_room_by_merging(message.merge, bytes),
            // Nothing newer is ever dropped for something older.
            Overflow::Block | Overflow::DropOldest => {
                while !self.has_room(bytes) {
                    self.give_up_oldest();
                }
            }
        }
        self.append(message);
        Ok(())
    }

    /// As [`push`](Self::push), but under `Block` the limit is passed: the reader ends and cannot wait.
    pub(crate) fn push_beyond_limit(&mut self, message: Message) {
        if let Err(message) = self.push(message) {
            self.append(message);
        }
    }

    /// Counts a frame that was no message of the feed.
    pub(crate) fn reject(&mut self, reason: &str, frames: u64) {
        for counts in [&mut self.unreported, &mut self.totals] {
            add(&mut counts.rejected, reason, frames);
        }
    }

    /// Counts messages that were read earlier and are given up now.
    pub(crate) fn lose(&mut self, reason: &str, messages: u64) {
        for counts in [&mut self.unreported, &mut self.totals] {
            add(&mut counts.shed, reason, messages);
        }
    }

    /// Whether something was counted that no batch has carried yet.
    pub(crate) fn has_counts(&self) -> bool {
        !self.unreported.is_empty()
    }

    /// The oldest messages and all unreported counts. A first message larger than `bytes_max` still goes.
    pub(crate) fn take(&mut self, tasks_max: usize, bytes_max: usize) -> Batch {
        let mut tasks = Vec::with_capacity(self.len.min(tasks_max));
        let mut bytes = 0;
        while tasks.len() < tasks_max {
            self.skip_holes();
            let Some(Some(next)) = self.slots.front() else { break };
            bytes += next.element.len();
            if bytes_max < bytes && !tasks.is_empty() {
                break;
            }
            tasks.extend(self.remove_oldest().map(|message| message.element));
        }
        if self.len <= self.limits.messages_max / 2 && self.bytes <= self.limits.bytes_max / 2 {
            self.newest = None;
        }
        if self.len == 0 && IDLE_SLOTS_MAX < self.slots.capacity() {
            self.slots.shrink_to(IDLE_SLOTS_MAX);
        }
        Batch { tasks, counts: mem::take(&mut self.unreported) }
    }

    fn append(&mut self, message: Message) {
        self.len += 1;
        self.bytes += message.element.len();
        self.slots.push_back(Some(message));
        self.unreported.received += 1;
        self.totals.received += 1;
    }

    fn make_room_by_merging(&mut self, merge: MergeKey, bytes: usize) {
        let full = !self.has_room(bytes);
        if full {
            self.close_holes();
            self.newest.get_or_insert_with(|| Newest::of(&self.slots, self.base));
        }
        let place = self.end();
        let Some(newest) = &mut self.newest else { return };
        if let Some(older) = newest.place_of.insert(merge, place).filter(|older| *older < newest.searched_to) {
            if full {
                self.give_up(older, Overflow::Merge);
            } else {
                newest.searched_to = older;
            }
        }
        while !self.has_room(bytes) {
            match self.next_replaced() {
                Some(place) => self.give_up(place, Overflow::Merge),
                None => self.give_up_oldest(),
            }
        }
    }

    /// The oldest message that has a newer one of its key.
    fn next_replaced(&mut self) -> Option<u64> {
        let end = self.end();
        let newest = self.newest.as_mut()?;
        newest.searched_to = newest.searched_to.max(self.base);
        while newest.searched_to < end {
            let place = newest.searched_to;
            newest.searched_to += 1;
            let slot = self.slots.get(index(place - self.base))?;
            if slot.as_ref().is_some_and(|message| newest.place_of.get(&message.merge) != Some(&place)) {
                return Some(place);
            }
        }
        None
    }

    fn give_up(&mut self, place: u64, policy: Overflow) {
        // A place before `base` has been taken meanwhile: nothing to give up there.
        let Some(slot) = place.checked_sub(self.base).and_then(|offset| self.slots.get_mut(index(offset))) else {
            return;
        };
        if let Some(message) = slot.take() {
            self.len -= 1;
            self.bytes -= message.element.len();
            self.count_shed(policy);
        }
    }

    fn give_up_oldest(&mut self) {
        if self.remove_oldest().is_some() {
            self.count_shed(Overflow::DropOldest);
        }
    }

    fn remove_oldest(&mut self) -> Option<Message> {
        self.skip_holes();
        let message = self.slots.pop_front().flatten()?;
        if let Some(newest) = &mut self.newest
            && newest.place_of.get(&message.merge) == Some(&self.base)
        {
            newest.place_of.remove(&message.merge);
        }
        self.base += 1;
        self.len -= 1;
        self.bytes -= message.element.len();
        Some(message)
    }

    fn skip_holes(&mut self) {
        while let Some(None) = self.slots.front() {
            self.slots.pop_front();
            self.base += 1;
        }
    }

    /// Rewrites the slots when more than half of them are holes: once per `messages_max` pushes at most.
    fn close_holes(&mut self) {
        if 2 * self.len.max(IDLE_SLOTS_MAX) < self.slots.len() {
            self.slots.retain(Option::is_some);
            self.newest = None;
        }
    }

    fn count_shed(&mut self, policy: Overflow) {
        for counts in [&mut self.unreported, &mut self.totals] {
            add(&mut counts.shed, policy.as_str(), 1);
        }
    }

    /// The place that the next message gets.
    fn end(&self) -> u64 {
        self.base + self.slots.len() as u64
    }
}

impl Newest {
    fn of(slots: &VecDeque<Option<Message>>, base: u64) -> Self {
        let places = slots.iter().zip(base..).filter_map(|(slot, place)| Some((slot.as_ref()?.merge, place)));
        Self { place_of: places.collect(), searched_to: base }
    }
}

fn add(counts: &mut std::collections::BTreeMap<Box<str>, u64>, reason: &str, more: u64) {
    match counts.get_mut(reason) {
        Some(count) => *count += more,
        None => drop(counts.insert(reason.into(), more)),
    }
}

fn index(offset: u64) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
