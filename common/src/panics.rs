//! A loop that panics is started again; a process whose loops panic again and again gives up. Pure.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// So many panics within [`WINDOW`] are no accident: a supervisor shall start the process afresh.
const PANICS_MAX: usize = 5;

/// See [`PANICS_MAX`].
const WINDOW: Duration = Duration::from_mins(1);

/// The recent panics of a process' loops.
#[derive(Debug, Default)]
pub struct Panics {
    recent: VecDeque<Instant>,
    total: u64,
}

/// What to do after a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterPanic {
    /// Start the loop again.
    GoOn,
    /// Too many: the process ends with the exit code of a bug.
    GiveUp,
}

impl Panics {
    /// A loop panicked at `now`.
    pub fn happened(&mut self, now: Instant) -> AfterPanic {
        self.total += 1;
        self.recent.push_back(now);
        while self.recent.front().is_some_and(|at| WINDOW < now.saturating_duration_since(*at)) {
            self.recent.pop_front();
        }
        if self.recent.len() < PANICS_MAX { AfterPanic::GoOn } else { AfterPanic::GiveUp }
    }

    /// All of this process' life.
    pub fn total(&self) -> u64 {
        self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_within_a_minute_are_too_many_and_five_within_an_hour_are_not() {
        let start = crate::clock::monotonic();
        let mut fast = Panics::default();
        let after: Vec<_> = (0..5).map(|n| fast.happened(start + Duration::from_secs(n * 15))).collect();
        assert_eq!(after[3..], [AfterPanic::GoOn, AfterPanic::GiveUp]);
        let mut slow = Panics::default();
        assert!((0..20).all(|n| slow.happened(start + Duration::from_mins(n * 3)) == AfterPanic::GoOn));
        assert_eq!(slow.total(), 20);
    }
}
