//! What the parts of the way from a socket to a table can do alone: the least code that does each step with the same
//! payload, so that the whole can be held against their sum. For benchmarks only; tables and keys are our own and go.

use std::time::{Duration, Instant};

use serde::Serialize;

use crate::presence::ProcessFacts;
use crate::{BoxError, clock};

mod numeric;
mod parse;
mod postgres;
mod redis;
mod socket;
mod sqlite;

pub use parse::parse;
pub use postgres::{PostgresRun, postgres};
pub use redis::redis;
pub use socket::websocket;
pub use sqlite::sqlite;

/// One batch of ticks.
#[derive(Debug, Clone)]
pub struct Payload {
    /// As a provider sends them.
    pub frames: Vec<String>,
    /// As they lie on a queue.
    pub elements: Vec<Vec<u8>>,
}

/// How ticks are spread: a trade and a quote of each symbol in turn, then of the next.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Symbols.
    pub symbols: usize,
    /// Ticks of a batch.
    pub batch: usize,
}

/// How long to measure.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Length of a round, about.
    pub round: Duration,
    /// Rounds; the rate is that of the median one, CPU time that of all together.
    pub rounds: u32,
}

/// What one part can do: one caller, one call after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartLimit {
    /// Its name.
    pub part: &'static str,
    /// Ticks per second.
    pub ticks_per_s: u64,
    /// CPU time on our side per tick, nanoseconds.
    pub client_ns: u64,
    /// CPU time on the other side per tick, nanoseconds; 0 where there is none.
    pub server_ns: u64,
}

/// A part could not be measured.
#[derive(Debug, thiserror::Error)]
#[error("cannot measure what {part} can do")]
pub struct LimitError {
    /// Which.
    pub part: &'static str,
    /// Why.
    #[source]
    pub source: BoxError,
}

impl LimitError {
    fn of<E: Into<BoxError>>(part: &'static str) -> impl Fn(E) -> Self {
        move |source| Self { part, source: source.into() }
    }
}

impl Shape {
    /// Rows of a batch: the newest of each symbol.
    fn rows(self) -> usize {
        self.symbols.min(self.batch.div_ceil(2)).max(1)
    }

    /// The symbols (from 1) of the `number`th batch, in order.
    fn ids(self, number: u64) -> Vec<i64> {
        let (rows, symbols) = (self.rows() as u64, self.symbols.max(1) as u64);
        let mut ids: Vec<i64> =
            (0..rows).map(|row| i64::try_from((number * rows + row) % symbols + 1).unwrap_or(1)).collect();
        ids.sort_unstable();
        ids
    }
}

/// Adds up rounds.
#[derive(Debug, Default)]
struct Rounds {
    rates: Vec<u64>,
    ticks: u64,
    client_us: u64,
    server_us: u64,
}

/// One round, from its begin.
#[derive(Debug)]
struct Round {
    began: Instant,
    client_us: u64,
    server_us: u64,
}

impl Round {
    fn begin(server_us: u64) -> Self {
        Self { client_us: ProcessFacts::read().cpu_us, server_us, began: clock::monotonic() }
    }

    fn is_over(&self, timing: Timing) -> bool {
        timing.round <= self.began.elapsed()
    }
}

impl Rounds {
    fn add(&mut self, round: &Round, ticks: u64, server_us: u64) {
        let elapsed_us = u64::try_from(round.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.rates.push(per(ticks, 1_000_000, elapsed_us));
        self.ticks += ticks;
        self.client_us += ProcessFacts::read().cpu_us.saturating_sub(round.client_us);
        self.server_us += server_us.saturating_sub(round.server_us);
    }

    fn limit(mut self, part: &'static str) -> PartLimit {
        self.rates.sort_unstable();
        let median = self.rates.get(self.rates.len().saturating_sub(1) / 2).copied().unwrap_or(0);
        PartLimit {
            part,
            ticks_per_s: median,
            client_ns: per(self.client_us, 1_000, self.ticks),
            server_ns: per(self.server_us, 1_000, self.ticks),
        }
    }
}

/// `amount * scale / of`, 0 of nothing.
fn per(amount: u64, scale: u64, of: u64) -> u64 {
    let scaled = u128::from(amount) * u128::from(scale);
    u64::try_from(scaled.checked_div(u128::from(of)).unwrap_or(0)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn batches_go_round_all_symbols_and_hold_each_once() {
        let shape = Shape { symbols: 5, batch: 6 };
        assert_eq!([shape.ids(0), shape.ids(1)], [vec![1, 2, 3], vec![1, 4, 5]]);
        assert_eq!(Shape { symbols: 2, batch: 100 }.ids(7), [1, 2]);
        assert_eq!(Shape { symbols: 1, batch: 1 }.ids(3), [1]);
    }

    #[test]
    fn the_rate_is_the_median_and_cpu_time_is_of_all_rounds() {
        let rounds = Rounds { rates: vec![30, 10, 20], ticks: 1_000, client_us: 500, server_us: 2_000 };
        let limit = rounds.limit("x");
        assert_eq!((limit.ticks_per_s, limit.client_ns, limit.server_ns), (20, 500, 2_000));
    }
}
