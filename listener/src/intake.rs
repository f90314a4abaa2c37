//! Where sessions leave messages and the enqueuer finds them: one backlog, two bells.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::backlog::{Backlog, Batch, Message};
use crate::options::BufferLimits;

/// Why messages are given up that a damaged spool held.
const SPOOL_DAMAGED: &str = "spool_damaged";

/// Shared by all sessions and the enqueuer of a process.
#[derive(Debug)]
pub(crate) struct Intake {
    // Held for a few moves in memory and never across an await.
    state: Mutex<State>,
    arrived: Notify,
    room: Notify,
    pressed: Notify,
}

#[derive(Debug)]
struct State {
    backlog: Backlog,
    /// Taken by the enqueuer, not yet accepted.
    in_hand: u64,
    accepted: u64,
    /// In the spool.
    spooled: u64,
    /// Found in the spool of an earlier process.
    recovered: u64,
    closed: bool,
}

/// The sums of this life. `received + recovered = accepted + shed + buffered + spooled`, always.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Totals {
    pub(crate) received: u64,
    pub(crate) accepted: u64,
    pub(crate) rejected: BTreeMap<Box<str>, u64>,
    pub(crate) shed: BTreeMap<Box<str>, u64>,
    pub(crate) buffered: u64,
    pub(crate) spooled: u64,
    pub(crate) recovered: u64,
}

impl Intake {
    pub(crate) fn new(limits: BufferLimits) -> Self {
        let (in_hand, accepted, spooled, recovered) = Default::default();
        let state = State { backlog: Backlog::new(limits), in_hand, accepted, spooled, recovered, closed: false };
        Self { state: Mutex::new(state), arrived: Notify::new(), room: Notify::new(), pressed: Notify::new() }
    }

    /// Moves messages into the backlog, in order. What the policy `Block` has no room for stays in `messages`.
    pub(crate) fn push(&self, messages: &mut Vec<Message>) {
        let mut returned = None;
        let mut rest = messages.drain(..);
        {
            let mut state = self.lock();
            for message in rest.by_ref() {
                if let Err(message) = state.backlog.push(message) {
                    returned = Some(message);
                    break;
                }
            }
        }
        self.tell_pressed();
        if let Some(message) = returned {
            let later: Vec<Message> = rest.collect();
            messages.push(message);
            messages.extend(later);
        }
        self.arrived.notify_one();
    }

    /// As [`push`](Self::push), but nothing stays behind. For a session that ends.
    pub(crate) fn push_beyond_limit(&self, messages: &mut Vec<Message>) {
        {
            let mut state = self.lock();
            messages.drain(..).for_each(|message| state.backlog.push_beyond_limit(message));
        }
        self.tell_pressed();
        self.arrived.notify_one();
    }

    /// Counts a frame that was no message of the feed.
    pub(crate) fn reject(&self, reason: &str) {
        self.lock().backlog.reject(reason, 1);
        self.arrived.notify_one();
    }

    /// Completes when there may be room again. Cancel-safe; a waiter may find that another one was faster.
    pub(crate) async fn room(&self) {
        let freed = self.room.notified();
        if !self.lock().backlog.has_room(0) {
            freed.await;
        }
    }

    /// Completes when the backlog is half full. Cancel-safe.
    pub(crate) async fn pressed(&self) {
        loop {
            let pressed = self.pressed.notified();
            if self.lock().backlog.is_half_full() {
                return;
            }
            pressed.await;
        }
    }

    fn tell_pressed(&self) {
        if self.lock().backlog.is_half_full() {
            self.pressed.notify_waiters();
        }
    }

    /// What goes into the next enqueue; perhaps no task, perhaps only counts.
    pub(crate) fn take(&self, tasks_max: usize, bytes_max: usize) -> Batch {
        let batch = {
            let mut state = self.lock();
            let batch = state.backlog.take(tasks_max, bytes_max);
            state.in_hand += batch.tasks.len() as u64;
            batch
        };
        if !batch.tasks.is_empty() {
            self.room.notify_waiters();
        }
        batch
    }

    /// The tasks in hand are durable now.
    pub(crate) fn accepted(&self, tasks: u64) {
        let mut state = self.lock();
        state.in_hand -= tasks;
        state.accepted += tasks;
    }

    /// The tasks in hand are in the spool now.
    pub(crate) fn spooled(&self, tasks: u64) {
        let mut state = self.lock();
        state.in_hand -= tasks;
        state.spooled += tasks;
    }

    /// Tasks of an earlier process are in the spool.
    pub(crate) fn recovered(&self, tasks: u64) {
        let mut state = self.lock();
        state.recovered += tasks;
        state.spooled += tasks;
    }

    /// The broker has tasks of the spool.
    pub(crate) fn handed_over(&self, tasks: u64) {
        let mut state = self.lock();
        // A damaged file may hold more than it said.
        state.recovered += tasks.saturating_sub(state.spooled);
        state.spooled = state.spooled.saturating_sub(tasks);
        state.accepted += tasks;
    }

    /// Tasks of the spool cannot be read any more.
    pub(crate) fn lost(&self, tasks: u64) {
        if tasks == 0 {
            return;
        }
        let mut state = self.lock();
        state.recovered += tasks.saturating_sub(state.spooled);
        state.spooled = state.spooled.saturating_sub(tasks);
        state.backlog.lose(SPOOL_DAMAGED, tasks);
        drop(state);
        self.arrived.notify_one();
    }

    /// What there is to enqueue.
    pub(crate) fn outlook(&self) -> Outlook {
        let state = self.lock();
        match (state.backlog.len(), state.backlog.has_counts()) {
            (1.., _) => Outlook::Tasks,
            (0, true) if state.closed => Outlook::LastCounts,
            (0, true) => Outlook::Counts,
            (0, false) if state.closed => Outlook::Ended,
            (0, false) => Outlook::Nothing,
        }
    }

    /// Completes when something may have changed since the last [`outlook`](Self::outlook).
    pub(crate) async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// No message will follow.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.arrived.notify_one();
    }

    pub(crate) fn totals(&self) -> Totals {
        let state = self.lock();
        let counts = state.backlog.totals();
        Totals {
            received: counts.received,
            accepted: state.accepted,
            rejected: counts.rejected.clone(),
            shed: counts.shed.clone(),
            buffered: state.backlog.len() as u64 + state.in_hand,
            spooled: state.spooled,
            recovered: state.recovered,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // No code under the lock panics half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What the enqueuer has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outlook {
    /// There are tasks.
    Tasks,
    /// There are only counts, and tasks may come to carry them.
    Counts,
    /// There are only counts, and no task will come.
    LastCounts,
    /// Nothing now.
    Nothing,
    /// Nothing ever again.
    Ended,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backlog::MergeKey;
    use crate::options::Overflow;

    fn messages(count: usize) -> Vec<Message> {
        vec![Message { merge: MergeKey(1), element: vec![0] }; count]
    }

    #[test]
    fn what_is_in_hand_is_buffered_until_it_is_accepted() {
        let intake = Intake::new(BufferLimits::default());
        intake.push(&mut messages(5));
        let batch = intake.take(2, 100);
        assert_eq!((intake.totals().accepted, intake.totals().buffered), (0, 5));
        intake.accepted(batch.tasks.len() as u64);
        assert_eq!((intake.totals().accepted, intake.totals().buffered), (2, 3));
    }

    #[tokio::test]
    async fn a_blocked_session_keeps_the_rest_and_hears_of_room() {
        let limits = BufferLimits { messages_max: 2, bytes_max: 100, overflow: Overflow::Block };
        let intake = Intake::new(limits);
        let mut waiting = messages(3);
        intake.push(&mut waiting);
        assert_eq!((waiting.len(), intake.totals().received), (1, 2));
        let ((), taken) = tokio::join!(biased; intake.room(), async { intake.take(1, 100) });
        assert_eq!(taken.tasks.len(), 1);
        intake.push(&mut waiting);
        assert_eq!((waiting.len(), intake.totals().received), (0, 3));
    }

    #[tokio::test]
    async fn a_half_full_backlog_presses() {
        let limits = BufferLimits { messages_max: 10, bytes_max: 100, overflow: Overflow::Spool };
        let intake = Intake::new(limits);
        intake.push(&mut messages(4));
        let waiting = intake.pressed();
        tokio::pin!(waiting);
        assert!(futures_util::poll!(waiting.as_mut()).is_pending());
        intake.push(&mut messages(1));
        waiting.await;
        intake.pressed().await;
    }

    #[test]
    fn what_comes_out_of_the_spool_is_counted_once_even_if_it_held_more_than_it_said() {
        let intake = Intake::new(BufferLimits::default());
        intake.push(&mut messages(5));
        intake.take(5, 100);
        intake.spooled(5);
        intake.recovered(2);
        intake.handed_over(6);
        intake.lost(3);
        let totals = intake.totals();
        assert_eq!((totals.received, totals.recovered, totals.accepted, totals.spooled), (5, 4, 6, 0));
        assert_eq!(totals.shed[SPOOL_DAMAGED], 3);
    }

    #[test]
    fn the_end_comes_after_the_last_counts() {
        let intake = Intake::new(BufferLimits::default());
        assert_eq!(intake.outlook(), Outlook::Nothing);
        intake.reject("not_json");
        assert_eq!(intake.outlook(), Outlook::Counts);
        intake.close();
        assert_eq!(intake.outlook(), Outlook::LastCounts);
        intake.take(1, 1);
        assert_eq!(intake.outlook(), Outlook::Ended);
    }
}
