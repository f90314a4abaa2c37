//! When to say that a dependency is away: at once, then once a minute, and when it is back. Pure.

use std::error::Error;
use std::fmt::Write;
use std::time::{Duration, Instant};

/// Time between two notices of one outage.
const NOTICE_INTERVAL: Duration = Duration::from_mins(1);

/// An outage that begins sooner after the last one is its continuation: who answers one call and fails the next does
/// not come and go twice a second in the log.
const CALM: Duration = Duration::from_secs(10);

/// One dependency's outages.
#[derive(Debug, Default)]
pub struct Outage {
    current: Option<Current>,
    last: Option<(Instant, Current)>,
}

#[derive(Debug, Clone, Copy)]
struct Current {
    since: Instant,
    tries: u64,
    noticed_at: Instant,
    /// Whether its end is news.
    is_told: bool,
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
        let current = self.current.get_or_insert_with(|| {
            let relapse = self.last.filter(|(ended_at, _)| now.saturating_duration_since(*ended_at) < CALM);
            let fresh = Current { since: now, tries: 0, noticed_at: now, is_told: true };
            relapse.map_or(fresh, |(_, last)| Current { is_told: false, ..last })
        });
        current.tries += 1;
        let is_news = first && current.is_told;
        if !is_news && now.saturating_duration_since(current.noticed_at) < NOTICE_INTERVAL {
            return None;
        }
        current.noticed_at = now;
        current.is_told = true;
        Some(Notice { tries: current.tries, lasted: now.saturating_duration_since(current.since) })
    }

    /// A try worked. `Some` when that ended an outage and people should hear of it.
    pub fn ended(&mut self, now: Instant) -> Option<Notice> {
        let ended = self.current.take()?;
        self.last = Some((now, ended));
        ended.is_told.then(|| Notice { tries: ended.tries, lasted: now.saturating_duration_since(ended.since) })
    }
}

/// Pause after the first failed try of an outage; it doubles with each further one.
const REST_FIRST: Duration = Duration::from_millis(250);

/// While a dependency is away it is tried once in this time, and so found again this soon after its return.
const REST_LONGEST: Duration = Duration::from_secs(1);

/// When a dependency may be tried again: one for all callers of a process, however many wait.
#[derive(Debug, Default)]
pub struct Rest {
    failed: Option<(Instant, Duration)>,
}

impl Rest {
    /// A try failed.
    pub fn failed(&mut self, now: Instant) {
        let pause = self.failed.map_or(REST_FIRST, |(_, pause)| (pause * 2).min(REST_LONGEST));
        self.failed = Some((now, pause));
    }

    /// A try worked.
    pub fn ended(&mut self) {
        self.failed = None;
    }

    /// Whether it is too early for the next try.
    pub fn lasts(&self, now: Instant) -> bool {
        self.failed.is_some_and(|(at, pause)| now.saturating_duration_since(at) < pause)
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

    #[test]
    fn a_dependency_that_answers_every_other_call_is_told_of_once_a_minute() {
        let start = crate::clock::monotonic();
        let mut outage = Outage::default();
        let mut told = Vec::new();
        for secs in 0..150 {
            let now = start + Duration::from_secs(secs);
            told.extend(outage.failed(now).map(|notice| (secs, notice.tries)));
            told.extend(outage.ended(now).map(|_| (secs, 0)));
        }
        assert_eq!(told, [(0, 1), (0, 0), (60, 61), (60, 0), (120, 121), (120, 0)]);
        assert_eq!(outage.failed(start + Duration::from_secs(165)).map(|notice| notice.tries), Some(1), "a new one");
    }

    #[test]
    fn tries_are_at_first_close_together_and_then_a_second_apart() {
        let start = crate::clock::monotonic();
        let mut rest = Rest::default();
        let mut tries = Vec::new();
        for ms in 0..5_000 {
            let now = start + Duration::from_millis(ms);
            if !rest.lasts(now) {
                tries.push(ms);
                rest.failed(now);
            }
        }
        assert_eq!(tries, [0, 250, 750, 1_750, 2_750, 3_750, 4_750]);
        rest.ended();
        assert!(!rest.lasts(start));
    }
}
