//! Reading JSON: `serde_json` into plain structs that borrow their texts.

use std::hint::black_box;

use serde::Deserialize;

use super::{LimitError, PartLimit, Payload, Round, Rounds, Timing};

#[derive(Deserialize)]
struct Frame<'a> {
    #[serde(borrow)]
    stream: &'a str,
    #[serde(borrow)]
    data: Data<'a>,
}

/// A trade or a quote; what is not there stays empty.
#[derive(Deserialize)]
struct Data<'a> {
    s: &'a str,
    #[serde(default, rename = "T")]
    at: i64,
    #[serde(default)]
    p: &'a str,
    #[serde(default)]
    q: &'a str,
    #[serde(default)]
    b: &'a str,
    #[serde(default, rename = "B")]
    bid_size: &'a str,
    #[serde(default)]
    a: &'a str,
    #[serde(default, rename = "A")]
    ask_size: &'a str,
}

/// Parses each frame once.
///
/// # Errors
/// When the payload is not what its struct expects.
pub fn parse(payload: &Payload, timing: Timing) -> Result<PartLimit, LimitError> {
    const PART: &str = "parse";
    let mut rounds = Rounds::default();
    for _ in 0..timing.rounds {
        let (round, mut ticks) = (Round::begin(0), 0);
        while !round.is_over(timing) {
            for frame in &payload.frames {
                let frame: Frame<'_> = serde_json::from_str(black_box(frame)).map_err(LimitError::of(PART))?;
                let Data { s, at, p, q, b, bid_size, a, ask_size } = frame.data;
                black_box((frame.stream, s, at, p, q, b, bid_size, a, ask_size));
            }
            ticks += payload.frames.len() as u64;
        }
        rounds.add(&round, ticks, 0);
    }
    Ok(rounds.limit(PART))
}
