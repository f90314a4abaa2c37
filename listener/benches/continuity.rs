//! What watching the provider's numbers costs per message, on the way where nothing is missing.
//!
//! Run with `cargo bench -p tidemill-listener --bench continuity`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;

use common::clock::{UnixMicros, monotonic};
use common::feed::Mark;
use listener::continuity::{Continuity, Finding};

const STREAMS: usize = 500;
const MESSAGES_PER_STREAM: i64 = 40_000;
const ROUNDS: usize = 3;

fn main() {
    let keys: Vec<String> = (0..STREAMS).map(|stream| format!("symbol{stream}usdt@trade")).collect();
    for round in 1..=ROUNDS {
        let mut tracker = Continuity::default();
        let begun = monotonic();
        for number in 0..MESSAGES_PER_STREAM {
            for key in &keys {
                let finding = tracker.observe(black_box(key), "trade", Mark::Contiguous(number), UnixMicros(number));
                assert_eq!(black_box(finding), Finding::Fine);
            }
        }
        let messages = MESSAGES_PER_STREAM.unsigned_abs() * STREAMS as u64;
        let picos = begun.elapsed().as_nanos() * 1_000 / u128::from(messages);
        println!("round {round}: {}.{:03} ns per message over {STREAMS} streams", picos / 1_000, picos % 1_000);
    }
}
