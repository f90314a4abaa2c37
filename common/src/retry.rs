//! How often and how long apart. Pure policies; every number is spelled out, no library default is relied on.

use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};

/// Delays that double from `first` to `longest`, spread by jitter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// Delay before the first repetition.
    pub first: Duration,
    /// No delay is longer.
    pub longest: Duration,
    /// Repetitions at most; `None` for ever.
    pub times: Option<usize>,
}

impl Backoff {
    /// As long as a dependency is away: for ever, about once a second after the first tries. Jitter may double a
    /// delay, and work must go on within 2 s of its return.
    pub const DEPENDENCY: Self =
        Self { first: Duration::from_millis(100), longest: Duration::from_millis(700), times: None };

    /// Two writers were in each other's way: a few times, at once.
    pub const CONTENTION: Self =
        Self { first: Duration::from_millis(5), longest: Duration::from_millis(200), times: Some(5) };

    /// The delays, one after the other, each with up to as much again by chance.
    pub fn delays(&self) -> impl Iterator<Item = Duration> + use<> {
        self.builder().build()
    }

    /// As backon's builder, all options set.
    fn builder(&self) -> ExponentialBuilder {
        let builder = ExponentialBuilder::new()
            .with_min_delay(self.first)
            .with_max_delay(self.longest)
            .with_factor(2.0)
            .with_jitter();
        match self.times {
            Some(times) => builder.with_max_times(times),
            None => builder.without_max_times(),
        }
    }

    /// The delay before repetition `attempt` (from 1) without jitter, for tasks whose delay the broker keeps.
    pub fn delay(&self, attempt: u32) -> Duration {
        let doubled = self.first.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        doubled.min(self.longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_double_up_to_the_longest() {
        let backoff = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1), times: Some(5) };
        let delays: Vec<u64> = (1..=8).map(|attempt| backoff.delay(attempt).as_secs()).collect();
        assert_eq!(delays, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(backoff.delay(u32::MAX).as_secs(), 60);
    }
}
