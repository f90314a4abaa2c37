//! One row that the price table refuses, among good ones.

use std::fmt::Write as _;

use common::broker::{self, Enqueue, Enqueued};
use common::clock;
use common::presence::InstanceId;
use common::queue::{IntakeCounts, Task, WIRE_VERSION};
use secrecy::SecretString;
use serde_json::Value;
use serde_json::value::RawValue;

use super::rig::{Pair, Rig};

/// Trades of one batch, each of its own symbol.
const TRADES: u32 = 500;
/// Which of them is poisoned.
const POISONED: u32 = 250;
/// A decimal that we keep exactly and that the price table's range refuses: 1e20.
const PRICE: &str = "100000000000000000000";

#[tokio::test]
async fn a_poisoned_row_is_kept_alone_and_its_retry_ends_in_the_legacy_table_embedded() {
    let rig = poisoned(Pair::Embedded).await;
    rig.alter("CREATE TABLE t250usdt_websocket_data (\"timestamp\" INTEGER, ltp TEXT)").await;
    retried(&rig).await;
    let ledger = rig.ledger();
    assert_eq!((ledger.of("stored"), ledger.of("legacy")), (u64::from(TRADES) - 1, 1), "{ledger:?}");
    assert_eq!(rig.values("SELECT CAST(ltp AS TEXT) AS value FROM t250usdt_websocket_data").await, [PRICE]);
}

#[tokio::test]
async fn a_poisoned_row_is_kept_alone_and_its_retry_is_stored_once_its_cause_is_gone_on_servers() {
    let rig = poisoned(Pair::Servers).await;
    rig.alter("ALTER TABLE ticker_price_data DROP CONSTRAINT ticker_price_data_price_range").await;
    retried(&rig).await;
    let ledger = rig.ledger();
    assert_eq!((ledger.of("stored"), ledger.of("legacy")), (u64::from(TRADES), 0), "{ledger:?}");
    let priced = "SELECT CAST(last_price AS TEXT) AS value FROM ticker_price_data WHERE symbol = 'T250USDT'";
    assert_eq!(rig.values(priced).await, [PRICE]);
}

/// A system in which all trades but one are stored, and that one is a dead letter.
async fn poisoned(pair: Pair) -> Rig {
    let mut rig = Rig::new(pair).await;
    rig.processes.set("TIDEMILL_WORKER__ATTEMPTS_MAX", "1");
    let elements: Vec<Vec<u8>> = enqueue(&rig).await;
    rig.processes.start("worker", &["worker"]);
    rig.ended(0).await;

    let ledger = rig.ledger();
    assert_eq!((ledger.of("accepted"), ledger.of("dead")), (u64::from(TRADES), 1), "{ledger:?}");
    assert_eq!((ledger.of("stored"), ledger.of("lost")), (u64::from(TRADES) - 1, 0), "{ledger:?}");
    assert_eq!(ledger.0["balanced"], true, "{ledger:?}");
    let priced = "SELECT symbol AS value FROM ticker_price_data WHERE last_price IS NOT NULL";
    assert_eq!(rig.values(priced).await.len(), 499);

    let letters = json(&rig.succeeds(&["dead", "ls", "--json"]));
    let id = letters["letters"][0]["id"].as_str().expect("one letter");
    let letter = json(&rig.succeeds(&["dead", "show", id, "--json"]));
    assert_eq!((&letter["reason"], &letter["code"]), (&"row".into(), &"23514".into()), "{letter}");
    let original = &elements[POISONED as usize];
    assert_eq!(letter["task"].as_str().map(str::as_bytes), Some(&**original), "{letter}");
    assert_eq!(rig.run(&["status"]).0, Some(5), "a dead letter needs attention");
    rig
}

async fn retried(rig: &Rig) {
    let said = rig.succeeds(&["dead", "retry", "--all"]);
    assert!(said.starts_with("1 dead letter put back"), "{said}");
    rig.ended(0).await;
    rig.assert_all_is_well();
}

/// One batch, as a listener enqueues it. Returns its elements.
async fn enqueue(rig: &Rig) -> Vec<Vec<u8>> {
    let broker = broker::connect(&SecretString::from(rig.broker_url.as_str())).await.expect("the broker opens");
    let epoch = broker.next_epoch().await.expect("an epoch");
    let at = clock::now();
    let element = |number: u32| {
        let body = RawValue::from_string(trade(number)).expect("it is JSON");
        let (feed, kind) = ("binance".into(), "trade".into());
        Task { v: WIRE_VERSION, feed, kind, conn: 1, epoch, seq: number, at, attempt: 0, body: &body }.encode()
    };
    let tasks: Vec<Vec<u8>> = (0..TRADES).map(element).collect();
    let (producer, counts) = (InstanceId::fresh(), IntakeCounts::default());
    let queue = "websocket_data".parse().expect("a good name");
    let enqueue = Enqueue { queue: &queue, producer, batch: 1, tasks: &tasks, waiting_max: 1_000_000, counts: &counts };
    assert_eq!(broker.enqueue(&enqueue).await.expect("the broker takes it"), Enqueued::Accepted);
    tasks
}

fn trade(number: u32) -> String {
    let price = if number == POISONED { PRICE } else { "61685.99000000" };
    let mut text = format!(r#"{{"stream":"t{number}usdt@trade","data":{{"e":"trade","E":1723161601272,"#);
    write!(text, r#""s":"T{number}USDT","t":{number},"p":"{price}","q":"0.02","T":1723161601271,"m":true}}}}"#)
        .expect("writing to a string succeeds");
    text
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}
