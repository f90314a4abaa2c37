//! What the wire form of one task costs: to write it in the listener, and to read it in the worker. Run with
//! `cargo bench -p tidemill-common --bench wire`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;

use common::clock::UnixMicros;
use common::market::Epoch;
use common::queue::{Task, WIRE_VERSION};
use serde_json::value::RawValue;

#[path = "counts/case.rs"]
mod case;

use case::{Case, Wish};

/// A trade of the combined streams, as Binance documents it.
const BODY: &str = r#"{"stream":"btcusdt@trade","data":{"e":"trade","E":1723161255343,"s":"BTCUSDT","t":3735683259,"p":"61837.63000000","q":"0.02000000","T":1723161255342,"m":true,"M":true}}"#;

fn main() {
    let body: &RawValue = serde_json::from_str(BODY).expect("a documented message");
    let task = Task {
        v: WIRE_VERSION,
        feed: "binance".into(),
        kind: "trade".into(),
        conn: 3,
        epoch: Epoch::new(2_171_190_000).expect("33 bits"),
        seq: 17,
        at: UnixMicros(1_763_726_400_000_000),
        attempt: 0,
        body,
    };
    let element = task.encode();
    let encode = Case::new("wire encode", || {
        black_box(black_box(&task).encode());
    });
    let decode = Case::new("wire decode", || {
        black_box(Task::decode(black_box(&element)).expect("our own wire form"));
    });
    case::fulfil(&case::wish().unwrap_or(Wish::Time), vec![encode, decode]);
}
