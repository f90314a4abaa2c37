//! What a batch of 1,000 ticks of 1,000 symbols costs the worker between decoding and committing: to look up its symbols,
//! and to fold it to rows. Run with `cargo bench -p tidemill-worker --bench batch`.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;

use common::clock::UnixMicros;
use common::market::Epoch;
use common::queue::{Task, WIRE_VERSION};
use serde_json::value::RawValue;
use worker::bench::Batch;

#[path = "../../common/benches/counts/case.rs"]
mod case;

use case::{Case, Wish};

const TICKS: u32 = 1_000;

/// A quote of symbol number `seq`, which is news for its row.
fn quote(seq: u32) -> Vec<u8> {
    let body = format!(
        r#"{{"stream":"sim{seq:03}usdt@bookTicker","data":{{"u":{seq},"s":"SIM{seq:03}USDT","b":"61685.{:02}000000","B":"1.25000000","a":"61686.{:02}000000","A":"2.50000000"}}}}"#,
        seq % 100,
        seq % 100
    );
    let body = RawValue::from_string(body).expect("the template is JSON");
    Task {
        v: WIRE_VERSION,
        feed: "binance".into(),
        kind: "bookTicker".into(),
        conn: 1,
        epoch: Epoch::new(2_171_190_000).expect("33 bits"),
        seq,
        at: UnixMicros(1_763_726_400_000_000),
        attempt: 0,
        body: &body,
    }
    .encode()
}

fn main() {
    let elements: Vec<Vec<u8>> = (1..=TICKS).map(quote).collect();
    let batch = Batch::prepare(&elements);
    let ticks = batch.normalise();
    assert_eq!((ticks.count(), ticks.coalesce()), (elements.len(), elements.len()), "a tick or a row is missing");
    let normalise = Case::new("normalise 1000", || {
        black_box(black_box(&batch).normalise());
    });
    let coalesce = Case::new("coalesce 1000", || {
        black_box(black_box(&ticks).coalesce());
    });
    case::fulfil(&case::wish().unwrap_or(Wish::Time), vec![normalise, coalesce]);
}
