//! How many messages are due, counted from the start: a late round sends more, so the rate never drifts.

use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Messages per second of a random walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rate {
    /// So many, over all streams together.
    PerSecond(NonZeroU32),
    /// As fast as the slowest connection takes.
    Unlimited,
}

/// How fast a recording is replayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    /// Thousandths of the speed it was recorded at.
    Thousandths(NonZeroU32),
    /// As fast as the slowest connection takes.
    Unlimited,
}

/// A rate or a speed that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadPace {
    /// Not a rate.
    #[error("{0:?} is no rate: give messages per second (1 to 4294967295), or `max`")]
    Rate(String),
    /// Not a speed.
    #[error("{0:?} is no speed: give `1x`, `0.5x`, `20x` (0.001x to 1000000x), or `max`")]
    Speed(String),
}

/// Fastest replay that is still paced.
const SPEED_MAX_THOUSANDTHS: u32 = 1_000_000_000;

impl FromStr for Rate {
    type Err = BadPace;

    fn from_str(text: &str) -> Result<Self, BadPace> {
        if text == "max" {
            return Ok(Self::Unlimited);
        }
        text.replace('_', "").parse().ok().map(Self::PerSecond).ok_or_else(|| BadPace::Rate(text.to_owned()))
    }
}

impl FromStr for Speed {
    type Err = BadPace;

    fn from_str(text: &str) -> Result<Self, BadPace> {
        if text == "max" {
            return Ok(Self::Unlimited);
        }
        thousandths(text.strip_suffix('x').unwrap_or(text))
            .map(Self::Thousandths)
            .ok_or_else(|| BadPace::Speed(text.to_owned()))
    }
}

fn thousandths(text: &str) -> Option<NonZeroU32> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits_only = [whole, fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
    if !digits_only || whole.is_empty() || 3 < fraction.len() {
        return None;
    }
    let number: u32 = format!("{whole}{fraction:0<3}").parse().ok()?;
    NonZeroU32::new(number).filter(|number| number.get() <= SPEED_MAX_THOUSANDTHS)
}

/// Paces a walk.
#[derive(Debug)]
pub(super) struct Pace {
    rate: Rate,
    since: Option<Instant>,
    done: u64,
}

impl Pace {
    pub(super) fn new(rate: Rate) -> Self {
        Self { rate, since: None, done: 0 }
    }

    /// How many messages are due at `now` and not done yet. The first call starts the count.
    pub(super) fn due(&mut self, now: Instant) -> u64 {
        let Rate::PerSecond(rate) = self.rate else { return u64::MAX };
        let since = *self.since.get_or_insert(now);
        let elapsed = now.saturating_duration_since(since).as_nanos();
        let total = elapsed * u128::from(rate.get()) / NANOS_PER_SECOND;
        u64::try_from(total).unwrap_or(u64::MAX).saturating_sub(self.done)
    }

    /// Notes that `messages` were sent.
    pub(super) fn spend(&mut self, messages: u64) {
        self.done += messages;
    }

    /// When the next message is due; `None` while paused or unlimited.
    pub(super) fn next_at(&self) -> Option<Instant> {
        self.due_at(0)
    }

    /// When the message after `ahead` further ones is due; `None` while paused or unlimited.
    pub(super) fn due_at(&self, ahead: u64) -> Option<Instant> {
        let (Rate::PerSecond(rate), Some(since)) = (self.rate, self.since) else { return None };
        let nanos = (u128::from(self.done) + u128::from(ahead) + 1) * NANOS_PER_SECOND / u128::from(rate.get()) + 1;
        Some(since + Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX)))
    }

    /// Forgets the time until the next call of [`due`](Self::due): nothing falls due while nobody listens.
    pub(super) fn pause(&mut self) {
        *self = Self::new(self.rate);
    }
}

const NANOS_PER_SECOND: u128 = 1_000_000_000;

/// Paces a replay by the recording's own clock.
#[derive(Debug)]
pub(super) struct Playback {
    speed: Speed,
    /// A moment now, and the recorded moment (ns) that it stands for.
    origin: Option<(Instant, u64)>,
}

impl Playback {
    pub(super) fn new(speed: Speed) -> Self {
        Self { speed, origin: None }
    }

    /// When a message recorded at `recorded_ns` is due; `None` means at once. The first call after the start or a
    /// pause makes its message due now.
    pub(super) fn due_at(&mut self, recorded_ns: u64, now: Instant) -> Option<Instant> {
        let Speed::Thousandths(speed) = self.speed else { return None };
        let (origin, origin_ns) = *self.origin.get_or_insert((now, recorded_ns));
        let ahead_ns = u128::from(recorded_ns.saturating_sub(origin_ns)) * 1_000 / u128::from(speed.get());
        Some(origin + Duration::from_nanos(u64::try_from(ahead_ns).unwrap_or(u64::MAX)))
    }

    /// Stops the recording's clock until the next call of [`due_at`](Self::due_at).
    pub(super) fn pause(&mut self) {
        self.origin = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(per_second: u32) -> Rate {
        Rate::PerSecond(NonZeroU32::new(per_second).unwrap())
    }

    #[test]
    fn what_is_due_follows_the_time_however_often_one_asks() {
        let start = common::clock::monotonic();
        let mut pace = Pace::new(rate(2_000));
        assert_eq!(pace.due(start), 0);
        let mut sent = 0;
        for millis in 1..=60_000_u64 {
            let due = pace.due(start + Duration::from_millis(millis));
            pace.spend(due);
            sent += due;
        }
        assert_eq!(sent, 120_000);
    }

    #[test]
    fn a_late_round_catches_up_and_odd_rates_do_not_drift() {
        let start = common::clock::monotonic();
        let mut pace = Pace::new(rate(7));
        assert_eq!(pace.due(start), 0);
        assert_eq!(pace.due(start + Duration::from_secs(3)), 21);
        pace.spend(21);
        assert_eq!(pace.due(start + Duration::from_secs(3)), 0);
        assert_eq!(pace.due(start + Duration::from_hours(24)), 7 * 86_400 - 21);
    }

    #[test]
    fn at_the_announced_moment_exactly_one_message_is_due() {
        let start = common::clock::monotonic();
        let mut pace = Pace::new(rate(3));
        assert_eq!(pace.due(start), 0);
        for _ in 0..100 {
            let at = pace.next_at().unwrap();
            assert_eq!(pace.due(at), 1);
            pace.spend(1);
        }
    }

    #[test]
    fn a_late_round_knows_when_each_of_its_messages_was_due() {
        let start = common::clock::monotonic();
        let mut pace = Pace::new(rate(1_000));
        assert_eq!((pace.due_at(0), pace.due(start)), (None, 0));
        assert_eq!(pace.due(start + Duration::from_secs(2)), 2_000);
        let due: Vec<_> =
            [0, 1, 1_999].into_iter().map(|ahead| (pace.due_at(ahead).unwrap() - start).as_millis()).collect();
        assert_eq!(due, [1, 2, 2_000]);
        pace.spend(2_000);
        assert_eq!((pace.due_at(0).unwrap() - start).as_millis(), 2_001);
    }

    #[test]
    fn a_pause_leaves_no_debt() {
        let start = common::clock::monotonic();
        let mut pace = Pace::new(rate(1_000));
        assert_eq!(pace.due(start), 0);
        pace.pause();
        assert_eq!(pace.due(start + Duration::from_secs(100)), 0);
        assert_eq!(pace.due(start + Duration::from_secs(101)), 1_000);
    }

    #[test]
    fn a_replay_keeps_the_recorded_distances_at_its_speed() {
        let start = common::clock::monotonic();
        let mut playback = Playback::new("4x".parse().unwrap());
        assert_eq!(playback.due_at(1_000, start), Some(start));
        assert_eq!(playback.due_at(4_000_001_000, start), Some(start + Duration::from_secs(1)));
        playback.pause();
        let later = start + Duration::from_mins(1);
        assert_eq!(playback.due_at(4_000_001_000, later), Some(later));
        assert_eq!(Playback::new(Speed::Unlimited).due_at(9, start), None);
    }

    #[test]
    fn speeds_and_rates_are_read_or_refused() {
        let speed = |thousandths| Speed::Thousandths(NonZeroU32::new(thousandths).unwrap());
        assert_eq!("1x".parse(), Ok(speed(1_000)));
        assert_eq!("0.5x".parse(), Ok(speed(500)));
        assert_eq!("20".parse(), Ok(speed(20_000)));
        assert_eq!("max".parse(), Ok(Speed::Unlimited));
        for bad in ["", "x", "0x", "-1x", "1.2345x", "fast", ".5x", "1e3", "9999999999x", "+1x"] {
            assert_eq!(bad.parse::<Speed>(), Err(BadPace::Speed(bad.to_owned())), "{bad}");
        }
        assert_eq!("2000".parse(), Ok(rate(2_000)));
        assert_eq!("max".parse(), Ok(Rate::Unlimited));
        for bad in ["", "0", "-5", "many"] {
            assert_eq!(bad.parse::<Rate>(), Err(BadPace::Rate(bad.to_owned())), "{bad}");
        }
    }
}
