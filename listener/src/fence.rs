//! Keeps a listener that slept from acting as if it still held its shards.
//!
//! A frozen process (a stopped machine, a laptop's lid) wakes up without knowing; meanwhile others carry its shards. So
//! whoever is about to hand something over asks the fence, and the fence knows when the fleet last looked after the
//! leases. A broker that does not answer is no sleep: then nobody else can get the shards either.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};

/// Shared by the fleet and its sessions.
#[derive(Debug)]
pub(crate) struct Fence {
    /// After this long without the fleet, we slept; `None` where nothing is shared.
    ttl: Option<Duration>,
    base: Instant,
    /// When the fleet last looked after the leases, in microseconds since `base`.
    alive_us: AtomicU64,
    /// Raised when the fleet finds that it slept.
    generation: AtomicU64,
    /// When the last question about our leases left that was answered.
    confirmed: watch::Sender<Option<Instant>>,
    wanted: Notify,
}

/// What a session remembers of the fence from its start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Mark(u64);

impl Fence {
    pub(crate) fn new(ttl: Option<Duration>, now: Instant) -> Self {
        let confirmed = watch::Sender::new(None);
        let (alive_us, generation) = Default::default();
        Self { ttl, base: now, alive_us, generation, confirmed, wanted: Notify::new() }
    }

    // === a session's side ===

    pub(crate) fn mark(&self) -> Mark {
        Mark(self.generation.load(Ordering::Acquire))
    }

    /// Whether what was read since `mark` may be handed over.
    pub(crate) fn holds(&self, mark: Mark, now: Instant) -> bool {
        let Some(ttl) = self.ttl else { return true };
        let alive = self.base + Duration::from_micros(self.alive_us.load(Ordering::Acquire));
        self.mark() == mark && now.saturating_duration_since(alive) < ttl
    }

    /// Completes when the broker has said that we hold our shards in answer to a question that left after `moment`. An
    /// epoch that was taken before is then below that of every later holder.
    pub(crate) async fn confirmed_after(&self, moment: Instant) {
        if self.ttl.is_none() {
            return;
        }
        let mut confirmed = self.confirmed.subscribe();
        self.wanted.notify_one();
        // The sender is ours: it does not go away.
        drop(confirmed.wait_for(|at| at.is_some_and(|at| moment <= at)).await);
    }

    // === the fleet's side ===

    /// The fleet looks after the leases. `false` when it slept: then nothing that was begun before counts.
    pub(crate) fn beat(&self, now: Instant) -> bool {
        let us = u64::try_from(now.saturating_duration_since(self.base).as_micros()).unwrap_or(u64::MAX);
        let before = self.alive_us.load(Ordering::Acquire);
        let slept = self.ttl.is_some_and(|ttl| ttl.as_micros() <= u128::from(us.saturating_sub(before)));
        if slept {
            self.generation.fetch_add(1, Ordering::AcqRel);
        }
        self.alive_us.store(us, Ordering::Release);
        !slept
    }

    /// The broker has answered a question that left at `asked_at`.
    pub(crate) fn confirm(&self, asked_at: Instant) {
        self.confirmed.send_replace(Some(asked_at));
    }

    /// Completes when a session waits for a confirmation.
    pub(crate) async fn wanted(&self) {
        self.wanted.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TTL: Duration = Duration::from_secs(6);

    #[test]
    fn a_fleet_that_slept_fences_off_what_was_begun_before() {
        let start = common::clock::monotonic();
        let at = |secs| start + Duration::from_secs(secs);
        let fence = Fence::new(Some(TTL), start);
        let mark = fence.mark();
        assert!(fence.beat(at(1)) && fence.holds(mark, at(6)));
        assert!(!fence.holds(mark, at(7)), "the session woke up first");
        assert!(!fence.beat(at(20)));
        assert!(!fence.holds(mark, at(20)), "the fleet woke up first");
        assert!(fence.holds(fence.mark(), at(20)));
    }

    #[test]
    fn where_nothing_is_shared_nothing_is_fenced() {
        let start = common::clock::monotonic();
        let fence = Fence::new(None, start);
        assert!(fence.holds(fence.mark(), start + Duration::from_hours(1)));
    }

    #[tokio::test]
    async fn an_older_confirmation_is_not_enough() {
        let start = common::clock::monotonic();
        let fence = Fence::new(Some(TTL), start);
        fence.confirm(start);
        let later = start + Duration::from_secs(1);
        let ((), ()) = tokio::join!(biased; fence.confirmed_after(later), async {
            fence.wanted().await;
            fence.confirm(later);
        });
    }
}
