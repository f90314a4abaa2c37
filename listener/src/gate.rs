//! Spaces the connection attempts of a process: providers count them per address.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use common::feed::Attempts;

/// Hands out moments that lie at least an interval apart, and no more of them in any window than allowed.
#[derive(Debug)]
pub(crate) struct Gate {
    interval: Duration,
    attempts: Option<Attempts>,
    /// The moments that were handed out and still count, oldest first.
    moments: Mutex<VecDeque<Instant>>,
}

impl Gate {
    pub(crate) fn new(interval: Duration, attempts: Option<Attempts>) -> Self {
        Self { interval, attempts, moments: Mutex::default() }
    }

    /// When the caller may go. The moment is spent, even if the caller does not use it.
    pub(crate) fn reserve(&self, now: Instant) -> Instant {
        let mut moments = self.moments.lock().unwrap_or_else(PoisonError::into_inner);
        let mut moment = moments.back().map_or(now, |last| now.max(*last + self.interval));
        if let Some(Attempts { most, window }) = self.attempts
            && most <= moments.len()
        {
            moment = moment.max(moments[moments.len() - most] + window);
        }
        moments.push_back(moment);
        let kept = self.attempts.map_or(1, |attempts| attempts.most.max(1));
        while kept < moments.len() {
            moments.pop_front();
        }
        moment
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_passes_one_by_one_and_a_late_comer_at_once() {
        let start = common::clock::monotonic();
        let after = |secs| start + Duration::from_secs(secs);
        let gate = Gate::new(Duration::from_secs(1), None);
        assert_eq!([(); 3].map(|()| gate.reserve(start)), [after(0), after(1), after(2)]);
        assert_eq!(gate.reserve(after(10)), after(10));
    }

    #[test]
    fn no_window_sees_more_attempts_than_allowed() {
        let start = common::clock::monotonic();
        let attempts = Attempts { most: 3, window: Duration::from_mins(1) };
        let gate = Gate::new(Duration::from_secs(1), Some(attempts));
        let moments: Vec<_> = (0..10).map(|_| gate.reserve(start).duration_since(start).as_secs()).collect();
        assert_eq!(moments, [0, 1, 2, 60, 61, 62, 120, 121, 122, 180]);
    }
}
