//! What a worker counts of itself, for its presence record. Settlement counts live in the broker, not here.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::clock::UnixMicros;

/// Commits whose times are kept for the percentiles.
const COMMITS_KEPT: usize = 1_024;

/// Counters of one process life.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    tasks: AtomicU64,
    batches: AtomicU64,
    retries: AtomicU64,
    dead: AtomicU64,
    leases_lost: AtomicU64,
    last_take_at: AtomicI64,
    progressed_at: Mutex<Option<Instant>>,
    commits: Mutex<Commits>,
}

#[derive(Debug, Default)]
struct Commits {
    recent_us: Vec<u32>,
    next: usize,
}

/// One look at the counters.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Look {
    pub(crate) tasks: u64,
    pub(crate) batches: u64,
    pub(crate) retries: u64,
    pub(crate) dead: u64,
    pub(crate) leases_lost: u64,
    pub(crate) last_take_at: Option<UnixMicros>,
    pub(crate) commit_p50_us: u64,
    pub(crate) commit_p99_us: u64,
}

impl Stats {
    pub(crate) fn took(&self, at: UnixMicros) {
        self.last_take_at.store(at.0, Relaxed);
    }

    /// Something was answered or committed at `now`.
    pub(crate) fn progressed(&self, now: Instant) {
        *self.progressed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// When that was the case last.
    pub(crate) fn progressed_at(&self) -> Option<Instant> {
        *self.progressed_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn settled(&self, tasks: u64, dead: u64) {
        self.tasks.fetch_add(tasks, Relaxed);
        self.batches.fetch_add(1, Relaxed);
        self.dead.fetch_add(dead, Relaxed);
    }

    pub(crate) fn retried(&self) {
        self.retries.fetch_add(1, Relaxed);
    }

    pub(crate) fn lease_lost(&self) {
        self.leases_lost.fetch_add(1, Relaxed);
    }

    pub(crate) fn committed(&self, took: Duration) {
        let us = u32::try_from(took.as_micros()).unwrap_or(u32::MAX);
        let mut commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        if commits.recent_us.len() < COMMITS_KEPT {
            commits.recent_us.push(us);
        } else {
            let next = commits.next;
            commits.recent_us[next] = us;
        }
        commits.next = (commits.next + 1) % COMMITS_KEPT;
    }

    pub(crate) fn look(&self) -> Look {
        let mut recent = self.commits.lock().unwrap_or_else(PoisonError::into_inner).recent_us.clone();
        recent.sort_unstable();
        let percentile = |percent: usize| recent.get(recent.len() * percent / 100).copied().map_or(0, u64::from);
        let last_take_at = self.last_take_at.load(Relaxed);
        Look {
            tasks: self.tasks.load(Relaxed),
            batches: self.batches.load(Relaxed),
            retries: self.retries.load(Relaxed),
            dead: self.dead.load(Relaxed),
            leases_lost: self.leases_lost.load(Relaxed),
            last_take_at: (0 < last_take_at).then_some(UnixMicros(last_take_at)),
            commit_p50_us: percentile(50),
            commit_p99_us: percentile(99),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_recent_commits_only() {
        let stats = Stats::default();
        (0..5_000).for_each(|_| stats.committed(Duration::from_secs(9)));
        (0..COMMITS_KEPT).for_each(|n| stats.committed(Duration::from_micros(n as u64)));
        let look = stats.look();
        assert_eq!((look.commit_p50_us, look.commit_p99_us), (512, 1_013));
    }
}
