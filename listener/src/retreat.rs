//! How long to wait before the next attempt to connect. Pure.

use std::time::Duration;

use common::retry::Backoff;

/// Full jitter: anything between nothing and a cap that doubles with each failure, so that connections that dropped
/// together do not come back together (fault F49). The count of failures starts anew only after a stable session; else a
/// provider that accepts and cuts at once would be hammered.
#[derive(Debug)]
pub(crate) struct Retreat {
    backoff: Backoff,
    stable_after: Duration,
    failures: u32,
}

/// How gently to come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    /// It was our own wish to end: a jittered moment, and no failure.
    AtOnce,
    /// By the backoff.
    Usual,
    /// The provider is annoyed or needs a person: at least half of the longest delay, or what it asked for.
    Slow { at_least: Option<Duration> },
}

/// A provider's wish is granted up to here.
const WISH_MAX: Duration = Duration::from_mins(10);

impl Retreat {
    pub(crate) fn new(backoff: Backoff, stable_after: Duration) -> Self {
        Self { backoff, stable_after, failures: 0 }
    }

    /// The delay after a session that was up for `lived` (zero when it never was). `roll` picks a number between zero
    /// and its argument.
    pub(crate) fn delay(&mut self, lived: Duration, pace: Pace, roll: impl FnOnce(u64) -> u64) -> Duration {
        if self.stable_after <= lived {
            self.failures = 0;
        }
        if pace != Pace::AtOnce {
            self.failures = self.failures.saturating_add(1);
        }
        let jitter = |cap: Duration| Duration::from_micros(roll(u64::try_from(cap.as_micros()).unwrap_or(u64::MAX)));
        match pace {
            Pace::AtOnce => jitter(self.backoff.first),
            Pace::Usual => jitter(self.backoff.delay(self.failures)),
            Pace::Slow { at_least: Some(wish) } => wish.min(WISH_MAX) + jitter(self.backoff.delay(self.failures)),
            Pace::Slow { at_least: None } => self.backoff.longest / 2 + jitter(self.backoff.longest / 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff =
        Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(30), times: None };
    const STABLE: Duration = Duration::from_secs(30);

    fn caps(retreat: &mut Retreat, lived: &[u64]) -> Vec<u128> {
        let cap = |secs: &u64| retreat.delay(Duration::from_secs(*secs), Pace::Usual, |cap| cap).as_millis();
        lived.iter().map(cap).collect()
    }

    #[test]
    fn the_cap_doubles_up_to_the_longest() {
        let mut retreat = Retreat::new(BACKOFF, STABLE);
        let expected = [250, 500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000];
        assert_eq!(caps(&mut retreat, &[0; 9]), expected);
    }

    #[test]
    fn only_a_stable_session_starts_the_count_anew() {
        let mut retreat = Retreat::new(BACKOFF, STABLE);
        assert_eq!(caps(&mut retreat, &[0, 0, 29, 29, 30, 0]), [250, 500, 1_000, 2_000, 250, 500]);
    }

    #[test]
    fn jitter_reaches_down_to_nothing() {
        let mut retreat = Retreat::new(BACKOFF, STABLE);
        assert_eq!(retreat.delay(Duration::ZERO, Pace::Usual, |_| 0), Duration::ZERO);
    }

    #[test]
    fn an_end_of_our_own_is_no_failure() {
        let mut retreat = Retreat::new(BACKOFF, STABLE);
        for _ in 0..9 {
            assert_eq!(retreat.delay(Duration::ZERO, Pace::AtOnce, |cap| cap), BACKOFF.first);
        }
        assert_eq!(caps(&mut retreat, &[0]), [250]);
    }

    #[test]
    fn an_annoyed_provider_is_left_alone_for_longer_and_its_wish_is_granted() {
        let mut retreat = Retreat::new(BACKOFF, STABLE);
        let slow = retreat.delay(STABLE, Pace::Slow { at_least: None }, |_| 0);
        assert_eq!(slow, Duration::from_secs(15));
        let wish = Pace::Slow { at_least: Some(Duration::from_mins(2)) };
        assert_eq!(retreat.delay(STABLE, wish, |_| 0), Duration::from_mins(2));
        let hurried = Pace::Slow { at_least: Some(Duration::ZERO) };
        assert_eq!(retreat.delay(Duration::ZERO, hurried, |cap| cap), Duration::from_millis(500));
        let absurd = Pace::Slow { at_least: Some(Duration::MAX) };
        assert_eq!(retreat.delay(STABLE, absurd, |_| 0), WISH_MAX);
    }
}
