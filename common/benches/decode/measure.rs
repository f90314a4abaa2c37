//! Rounds of many messages, and the one in their middle.

use std::time::Duration;

use common::clock::monotonic;

/// Messages per round: some tens of milliseconds.
const MESSAGES: u32 = 20_000;

/// Rounds; the first ones also warm up caches and branch prediction, and the median is of none of them.
const ROUNDS: usize = 21;

/// The median of the rounds, per message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Median(u128);

impl Median {
    /// Of one message.
    pub(crate) fn nanos(self) -> u128 {
        self.0
    }

    pub(crate) fn per_second(self) -> u128 {
        1_000_000_000 / self.nanos()
    }

    /// How many times the other, with two digits.
    pub(crate) fn over(self, other: Self) -> String {
        let hundredths = self.nanos() * 100 / other.nanos();
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    }
}

/// Times `message`. Without `--bench`, which `cargo bench` says, it only tries whether it works.
pub(crate) fn nanos_per_message(mut message: impl FnMut()) -> Median {
    let is_bench = std::env::args().any(|arg| arg == "--bench");
    let (rounds, messages) = if is_bench { (ROUNDS, MESSAGES) } else { (1, 1) };
    let round = |_| {
        let began = monotonic();
        (0..messages).for_each(|_| message());
        began.elapsed()
    };
    let mut rounds: Vec<Duration> = (0..rounds).map(round).collect();
    rounds.sort_unstable();
    let median = rounds.get(rounds.len() / 2).copied().unwrap_or_default();
    Median((median.as_nanos() / u128::from(messages)).max(1))
}
