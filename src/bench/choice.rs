//! What is to be measured.

use std::num::NonZeroU32;

use clap::ValueEnum;
use listener::exchange::Rate;

/// One kind of measurement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Measurement {
    /// A full queue until it is empty
    QueueToRows,
    /// From a simulated exchange to the tables
    WebsocketToRows,
    /// From a simulated exchange to the queue, without workers
    WebsocketToQueue,
    /// At given rates, with latencies
    Paced,
    /// What the parts can do alone, to hold the others against
    Limits,
}

impl Measurement {
    /// What is measured when nobody says: all that needs no rate.
    pub(crate) const USUAL: [Self; 4] =
        [Self::QueueToRows, Self::WebsocketToRows, Self::WebsocketToQueue, Self::Limits];
}

/// Messages a second of a paced run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PacedRate {
    /// None: what it costs to be there.
    Idle,
    /// So many.
    PerSecond(NonZeroU32),
}

impl PacedRate {
    /// The rates of the documentation's tables.
    pub(crate) fn usual() -> Vec<Self> {
        [100, 1_000, 10_000, 50_000].into_iter().filter_map(NonZeroU32::new).map(Self::PerSecond).collect()
    }

    /// As a number, 0 when idle.
    pub(crate) fn per_s(self) -> u64 {
        match self {
            Self::Idle => 0,
            Self::PerSecond(rate) => rate.get().into(),
        }
    }

    /// As the exchange takes it; `None` is silence.
    pub(crate) fn of_exchange(self) -> Option<Rate> {
        match self {
            Self::Idle => None,
            Self::PerSecond(rate) => Some(Rate::PerSecond(rate)),
        }
    }

    /// As people write it: `100`, `10k`, `1m` or `idle`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let bad = || "messages per second such as `100`, `10k` or `1m`, or `idle`".to_owned();
        if text == "idle" {
            return Ok(Self::Idle);
        }
        let (digits, scale) = match text.strip_suffix(['k', 'K']) {
            Some(digits) => (digits, 1_000),
            None => text.strip_suffix(['m', 'M']).map_or((text, 1), |digits| (digits, 1_000_000)),
        };
        if !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'_') {
            return Err(bad());
        }
        let number: u32 = digits.replace('_', "").parse().ok().ok_or_else(bad)?;
        let rate = number.checked_mul(scale).ok_or_else(bad)?;
        Ok(NonZeroU32::new(rate).map_or(Self::Idle, Self::PerSecond))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_read_with_and_without_a_suffix() {
        let read = |text: &str| PacedRate::parse(text).map(PacedRate::per_s);
        for (text, per_s) in [("100", 100), ("1k", 1_000), ("50K", 50_000), ("2m", 2_000_000), ("1_500", 1_500)] {
            assert_eq!(read(text), Ok(per_s), "{text}");
        }
        assert_eq!((read("0"), read("idle")), (Ok(0), Ok(0)));
        for bad in ["", "k", "-1", "1.5k", "5g", "+5", "4295m", "max", " 5"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
