//! What one message costs: to read its frame in the listener, and to decode its body in the worker.
//!
//! Beside each stands the floor: `serde_json` filling a plain struct of borrowed texts from the same bytes, which
//! neither checks a number nor turns it into a decimal. Run with `cargo bench -p tidemill-common --bench decode`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;
use std::time::Duration;

use common::clock::monotonic;
use common::feed::{self, Incoming, SessionRequest};
use common::market::Catalog;
use serde::Deserialize;

/// Frames of the two default channels, in today's spelling.
const FRAMES: [(&str, &str); 2] = [
    (
        "trade",
        r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#,
    ),
    (
        "bookTicker",
        r#"{"stream":"btcusdt@bookTicker","data":{"u":50093239212,"s":"BTCUSDT","b":"61837.63000000","B":"3.78826000","a":"61837.64000000","A":"1.54698000"}}"#,
    ),
];

/// Messages per round.
const MESSAGES: u32 = 100_000;

/// The fastest round counts: the others were disturbed.
const ROUNDS: usize = 15;

#[derive(Deserialize)]
struct Plain<'a, E> {
    #[serde(borrow)]
    stream: &'a str,
    data: E,
}

#[derive(Deserialize)]
struct Trade<'a> {
    s: &'a str,
    t: i64,
    p: &'a str,
    q: &'a str,
    #[serde(rename = "T")]
    at: i64,
}

#[derive(Deserialize)]
struct BookTicker<'a> {
    s: &'a str,
    b: &'a str,
    #[serde(rename = "B")]
    bid_size: &'a str,
    a: &'a str,
    #[serde(rename = "A")]
    ask_size: &'a str,
}

fn main() {
    println!("{:<12}{:>12}{:>12}{:>12}{:>14}{:>14}", "ns", "read", "decode", "floor", "read/floor", "decode/floor");
    for (kind, frame) in FRAMES {
        let (read, decode, floor) = (read(frame), decode(kind, frame), floor(kind, frame));
        let ratio = |nanos: u128| format!("{}.{:02}", nanos / floor, nanos * 100 / floor % 100);
        println!("{kind:<12}{read:>12}{decode:>12}{floor:>12}{:>14}{:>14}", ratio(read), ratio(decode));
    }
}

fn read(frame: &str) -> u128 {
    let binance = feed::by_name("binance").expect("the table has it");
    let request = SessionRequest {
        endpoints: binance.endpoints(),
        topics: &[],
        credential: None,
        catalog: &Catalog::default(),
        now: common::clock::now(),
    };
    let mut session = binance.session(&request).expect("Binance asks for no credential");
    let mut readings = Vec::new();
    nanos_per_message(|| {
        readings.clear();
        session.read(Incoming::Text(black_box(frame)), &mut readings);
        black_box(&readings);
    })
}

fn decode(kind: &str, frame: &str) -> u128 {
    let binance = feed::by_name("binance").expect("the table has it");
    let mut ticks = Vec::new();
    nanos_per_message(|| {
        ticks.clear();
        binance.decode(black_box(kind), black_box(frame), &mut ticks).expect("a documented message");
        black_box(&ticks);
    })
}

fn floor(kind: &str, frame: &str) -> u128 {
    if kind == "trade" {
        return nanos_per_message(|| {
            let plain: Plain<'_, Trade<'_>> = serde_json::from_str(black_box(frame)).expect("a documented message");
            black_box((plain.stream, plain.data.s, plain.data.t, plain.data.p, plain.data.q, plain.data.at));
        });
    }
    nanos_per_message(|| {
        let plain: Plain<'_, BookTicker<'_>> = serde_json::from_str(black_box(frame)).expect("a documented message");
        let BookTicker { s, b, bid_size, a, ask_size } = plain.data;
        black_box((plain.stream, s, b, bid_size, a, ask_size));
    })
}

fn nanos_per_message(mut message: impl FnMut()) -> u128 {
    let round = |_| {
        let began = monotonic();
        (0..MESSAGES).for_each(|_| message());
        began.elapsed()
    };
    let fastest = (0..ROUNDS).map(round).min().unwrap_or(Duration::MAX);
    fastest.as_nanos() / u128::from(MESSAGES)
}
