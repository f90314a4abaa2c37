//! How many tasks to ask for at once: as many as the store commits in good time. Pure.
//!
//! No batch ever waits to be filled, so the size matters under load only. Then bigger batches are cheaper per task, up
//! to where they only take longer. A full batch that is committed quickly doubles the size; one that is slow halves it,
//! unless smaller ones were seen to cost more per task: a store that is far away needs the same time for any size.

use std::collections::BTreeMap;
use std::time::Duration;

/// Asked for at first.
const START: u32 = 500;

/// A commit shall take no longer: it is what a tick behind it waits.
const COMMIT_TARGET: Duration = Duration::from_millis(200);

/// A commit shall take no more than this part of a lease, whatever it costs per task.
const LEASE_PART: u32 = 4;

/// Growing is worth it when it saves a fifth per task.
const WORTH: Worth = Worth { of: 5, is: 4 };

struct Worth {
    of: u128,
    is: u128,
}

/// The size of a worker's next batches.
#[derive(Debug)]
pub(crate) struct BatchSize {
    now: u32,
    max: u32,
    /// The longest a commit may take before halving is a duty.
    commit_max: Duration,
    /// Nanoseconds per task of slow commits, by the power of two of their size.
    slow: BTreeMap<u32, u128>,
}

impl BatchSize {
    /// Bounded by `max` tasks and, in time, by a part of the `lease`.
    pub(crate) fn new(max: u32, lease: Duration) -> Self {
        let max = max.max(1);
        Self { now: START.min(max), max, commit_max: lease / LEASE_PART, slow: BTreeMap::new() }
    }

    /// Tasks to ask for now, with this `max` from now on.
    pub(crate) fn now(&mut self, max: u32) -> u32 {
        self.max = max.max(1);
        self.now = self.now.min(self.max);
        self.now
    }

    /// As it was asked for last.
    pub(crate) fn shown(&self) -> u32 {
        self.now
    }

    /// A batch of `tasks` that was asked to have up to `asked` was committed in `took`.
    pub(crate) fn committed(&mut self, tasks: u32, asked: u32, took: Duration) {
        if self.commit_max < took {
            self.now = (tasks / 2).clamp(1, self.now);
            return;
        }
        // What another size would have cost says nothing about the size of now.
        if tasks < asked || asked != self.now {
            return;
        }
        if took <= COMMIT_TARGET {
            self.slow.clear();
            if took * 2 <= COMMIT_TARGET {
                self.double();
            }
        } else {
            self.settle_slow(took);
        }
    }

    /// The store was in another's way, or did not answer in time.
    pub(crate) fn failed(&mut self) {
        self.slow.clear();
        self.halve();
    }

    /// A full batch took too long: is it the size, or would smaller ones take as long?
    fn settle_slow(&mut self, took: Duration) {
        let (level, cost) = (self.now.ilog2(), took.as_nanos() / u128::from(self.now));
        self.slow.insert(level, cost);
        let bigger = self.slow.get(&(level + 1));
        let smaller = level.checked_sub(1).and_then(|level| self.slow.get(&level));
        let is_worth = |dear: u128, cheap: u128| cheap * WORTH.of < dear * WORTH.is;
        let was_worth = smaller.is_some_and(|&smaller| is_worth(smaller, cost));
        match bigger {
            Some(&bigger) if is_worth(cost, bigger) => self.double(),
            None if was_worth && took * 2 < self.commit_max => self.double(),
            Some(_) | None if was_worth => {}
            Some(_) | None => self.halve(),
        }
    }

    fn double(&mut self) {
        self.now = self.now.saturating_mul(2).min(self.max);
    }

    fn halve(&mut self) {
        self.now = (self.now / 2).max(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LEASE: Duration = Duration::from_secs(15);

    /// Sizes of the batches of a backlog, each committed in the time that `takes` says.
    fn sizes(size: &mut BatchSize, batches: usize, takes: impl Fn(u32) -> Duration) -> Vec<u32> {
        let mut batch = || {
            let asked = size.now(4_000);
            size.committed(asked, asked, takes(asked));
            asked
        };
        (0..batches).map(|_| batch()).collect()
    }

    fn us(micros: u32) -> Duration {
        Duration::from_micros(micros.into())
    }

    #[test]
    fn full_batches_that_are_committed_quickly_grow_to_the_maximum() {
        let mut size = BatchSize::new(4_000, LEASE);
        assert_eq!(sizes(&mut size, 5, |tasks| us(5 * tasks)), [500, 1_000, 2_000, 4_000, 4_000]);
        assert_eq!(BatchSize::new(100, LEASE).shown(), 100);
    }

    #[test]
    fn batches_that_are_not_full_ask_for_no_more() {
        let mut size = BatchSize::new(4_000, LEASE);
        size.committed(499, 500, us(10));
        assert_eq!(size.now(4_000), 500);
    }

    #[test]
    fn a_store_that_is_slow_by_the_row_gets_batches_that_are_committed_in_time() {
        let mut size = BatchSize::new(4_000, LEASE);
        let asked = sizes(&mut size, 20, |tasks| us(1_000 * tasks));
        assert_eq!(asked[..3], [500, 250, 125]);
        assert!(asked[3..].iter().all(|&tasks| tasks == 125), "{asked:?}");
    }

    #[test]
    fn a_store_that_is_far_away_gets_big_batches_because_small_ones_take_as_long() {
        let mut size = BatchSize::new(4_000, LEASE);
        let asked = sizes(&mut size, 20, |tasks| Duration::from_millis(400) + us(5 * tasks));
        assert_eq!(asked[10..], [4_000; 10], "{asked:?}");
    }

    #[test]
    fn a_store_that_recovers_gets_bigger_batches_again() {
        let mut size = BatchSize::new(4_000, LEASE);
        sizes(&mut size, 20, |tasks| us(5_000 * tasks));
        assert!(size.now(4_000) < 50);
        sizes(&mut size, 20, |tasks| us(5 * tasks));
        assert_eq!(size.now(4_000), 4_000);
    }

    #[test]
    fn another_maximum_counts_at_once() {
        let mut size = BatchSize::new(4_000, LEASE);
        assert_eq!((size.now(50), size.now(4_000)), (50, 50));
        sizes(&mut size, 10, |tasks| us(5 * tasks));
        assert_eq!(size.now(4_000), 4_000);
    }

    #[test]
    fn contention_and_silence_halve_down_to_one_task() {
        let mut size = BatchSize::new(4_000, LEASE);
        size.failed();
        assert_eq!(size.now(4_000), 250);
        (0..20).for_each(|_| size.failed());
        assert_eq!(size.now(4_000), 1);
        sizes(&mut size, 3, |_| us(10));
        assert_eq!(size.now(4_000), 8);
    }

    #[test]
    fn a_commit_takes_well_under_the_lease_whatever_it_costs() {
        let mut size = BatchSize::new(4_000, Duration::from_secs(2));
        size.committed(300, 500, Duration::from_millis(600));
        assert_eq!(size.now(4_000), 150);
        let asked = sizes(&mut size, 20, |tasks| Duration::from_millis(400) + us(400 * tasks));
        assert!(asked.iter().skip(1).all(|&tasks| tasks < 500), "{asked:?}");
    }
}
