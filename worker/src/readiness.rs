//! Whether this worker gets on: what it says to a health check.

use std::time::{Duration, Instant};

use common::clock;
use common::health::Readiness;

use crate::consumer::Shared;

/// A worker that neither got an answer to a take nor committed for so long does not get on.
const PROGRESS_AGE_MAX: Duration = Duration::from_secs(5);

impl Readiness for Shared {
    fn reasons(&self) -> Vec<String> {
        let now = clock::monotonic();
        let mut reasons = Vec::new();
        if self.shutdown.has_begun() {
            reasons.push("stopping".to_owned());
        }
        reasons.extend(self.broker_trouble.words(now));
        reasons.extend(self.writer.trouble.words(now));
        reasons.extend(self.checkpoint.words());
        reasons.extend(stuck(self.stats.progressed_at(), now));
        let overdue = self.leases.overdue(now);
        if 0 < overdue {
            reasons.push(format!("{overdue} leases are not renewed"));
        }
        reasons
    }
}

fn stuck(progressed_at: Option<Instant>, now: Instant) -> Option<String> {
    let Some(at) = progressed_at else { return Some("no answer from the queue yet".to_owned()) };
    let age = now.saturating_duration_since(at);
    (PROGRESS_AGE_MAX < age)
        .then(|| format!("neither a take was answered nor a batch committed for {} s", age.as_secs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_worker_that_does_not_get_on_says_for_how_long() {
        let now = clock::monotonic();
        let later = |secs| now + Duration::from_secs(secs);
        assert_eq!(stuck(Some(now), later(5)), None);
        assert_eq!(
            stuck(Some(now), later(6)).as_deref(),
            Some("neither a take was answered nor a batch committed for 6 s")
        );
        assert!(stuck(None, now).is_some());
    }
}
