//! Spaces the connection attempts of a process: providers count them per address.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Hands out moments that lie at least an interval apart.
#[derive(Debug)]
pub(crate) struct Gate {
    interval: Duration,
    next: Mutex<Option<Instant>>,
}

impl Gate {
    pub(crate) fn new(interval: Duration) -> Self {
        Self { interval, next: Mutex::new(None) }
    }

    /// When the caller may go. The moment is spent, even if the caller does not use it.
    pub(crate) fn reserve(&self, now: Instant) -> Instant {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        let moment = next.map_or(now, |free| free.max(now));
        *next = Some(moment + self.interval);
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
        let gate = Gate::new(Duration::from_secs(1));
        assert_eq!([(); 3].map(|()| gate.reserve(start)), [after(0), after(1), after(2)]);
        assert_eq!(gate.reserve(after(10)), after(10));
    }
}
