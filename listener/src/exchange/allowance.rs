//! How many messages a client may send per second.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

const WINDOW: Duration = Duration::from_secs(1);

/// A sliding window of one second.
#[derive(Debug)]
pub(super) struct Allowance {
    messages_max: usize,
    recent: VecDeque<Instant>,
}

impl Allowance {
    pub(super) fn new(messages_max: usize) -> Self {
        Self { messages_max, recent: VecDeque::with_capacity(messages_max) }
    }

    /// Counts a message; `false` when it is one too many.
    pub(super) fn take(&mut self, now: Instant) -> bool {
        while self.recent.front().is_some_and(|first| WINDOW <= now.saturating_duration_since(*first)) {
            self.recent.pop_front();
        }
        if self.messages_max <= self.recent.len() {
            return false;
        }
        self.recent.push_back(now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_in_any_second_are_allowed_and_the_sixth_is_not() {
        let start = common::clock::monotonic();
        let at = |millis| start + Duration::from_millis(millis);
        let mut allowance = Allowance::new(5);
        assert!((0..5).all(|message| allowance.take(at(message * 100))));
        assert!(!allowance.take(at(999)));
        assert!(allowance.take(at(1_000)));
        assert!(!allowance.take(at(1_050)));
        assert!(allowance.take(at(1_100)));
    }
}
