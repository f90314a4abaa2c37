//! When to say that a dependency is away: at once, then once a minute, and when it is back. Pure.

use std::error::Error;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Time between two notices of one outage.
const NOTICE_INTERVAL: Duration = Duration::from_mins(1);

/// One dependency's outages.
#[derive(Debug, Default)]
pub struct Outage {
    current: Option<Current>,
}

#[derive(Debug)]
struct Current {
    since: Instant,
    tries: u64,
    noticed_at: Instant,
}

/// Worth a log line.
#[derive(Debug, PartialEq, Eq)]
pub struct Notice {
    /// Failed tries so far.
    pub tries: u64,
    /// How long it has lasted.
    pub lasted: Duration,
}

impl Outage {
    /// A try failed. `Some` when people should hear of it now.
    pub fn failed(&mut self, now: Instant) -> Option<Notice> {
        let first = self.current.is_none();
        let current = self.current.get_or_insert(Current { since: now, tries: 0, noticed_at: now });
        current.tries += 1;
        if !first && now.saturating_duration_since(current.noticed_at) < NOTICE_INTERVAL {
            return None;
        }
        current.noticed_at = now;
        Some(Notice { tries: current.tries, lasted: now.saturating_duration_since(current.since) })
    }

    /// A try worked. `Some` when that ended an outage.
    pub fn ended(&mut self, now: Instant) -> Option<Notice> {
        let ended = self.current.take()?;
        Some(Notice { tries: ended.tries, lasted: now.saturating_duration_since(ended.since) })
    }
}

/// An error with all its causes on one line.
pub fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        write!(text, ": {error}").expect("writing to memory does not fail");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_outage_is_told_at_once_then_once_a_minute_and_when_it_is_over() {
        let start = crate::clock::monotonic();
        let mut outage = Outage::default();
        let told: Vec<u64> = (0..=150)
            .filter_map(|secs| outage.failed(start + Duration::from_secs(secs)))
            .map(|notice| notice.lasted.as_secs())
            .collect();
        assert_eq!(told, [0, 60, 120]);
        let over = outage.ended(start + Duration::from_secs(151)).unwrap();
        assert_eq!((over.tries, over.lasted.as_secs()), (151, 151));
        assert_eq!(outage.ended(start + Duration::from_secs(152)), None);
    }
}
