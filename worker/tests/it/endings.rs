//! Every tick ends exactly one way, and bad ones hurt no neighbour.

use std::time::Duration;

use common::clock::UnixMicros;
use common::store::UnknownTicker;
use worker::WorkerOptions;

use crate::rig::{Rig, element, trade};

#[tokio::test]
async fn bad_elements_die_alone_with_their_bytes_and_their_neighbours_are_stored() {
    let rig = Rig::new().await;
    let nan = trade(4, "ETHUSDT", "NaN");
    rig.enqueue(&[trade(1, "BTCUSDT", "10"), b"garbage".to_vec(), trade(3, "BTCUSDT", "11"), nan.clone()]).await;
    let summary = rig.work(rig.options()).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.settled, ledger.dead, summary.dead, ledger.is_balanced()), (2, 2, 2, true));
    let letters = rig.letters().await;
    let mut dead: Vec<(&str, &[u8])> = letters.iter().map(|letter| (&*letter.reason, &*letter.task)).collect();
    dead.sort_unstable();
    assert_eq!(dead, [("bad_number", &*nan), ("malformed", &b"garbage"[..])]);
    let prices = rig.store.prices().await.unwrap();
    assert_eq!(prices[0].row.fields.last_price, Some("11".parse().unwrap()));
}

#[tokio::test]
async fn messages_with_nothing_to_store_are_skipped_by_reason() {
    let rig = Rig::new().await;
    let depth = r#"{"stream":"btcusdt@depth","data":{"e":"depthUpdate","s":"BTCUSDT"}}"#;
    let now = common::clock::now();
    rig.enqueue(&[element(1, now, "depth", depth), trade(2, "UNREADABLE", "1"), trade(3, "BTCUSDT", "2")]).await;
    rig.work(rig.options()).await;

    let ledger = rig.ledger().await;
    let skipped: Vec<(&str, u64)> = ledger.skipped.iter().map(|(reason, count)| (&**reason, *count)).collect();
    assert_eq!(skipped, [("depth", 1), ("unknown_symbol", 1)]);
    assert_eq!((ledger.stored, ledger.is_balanced()), (1, true));
}

#[tokio::test]
async fn a_message_older_than_the_age_limit_expires() {
    let rig = Rig::new().await;
    let old = r#"{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":1,"p":"1","q":"1","T":1}}"#;
    rig.enqueue(&[element(1, UnixMicros(1), "trade", old), trade(2, "BTCUSDT", "2")]).await;
    rig.work(WorkerOptions { age_max: Some(Duration::from_mins(5)), ..rig.options() }).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.expired, ledger.stored, ledger.is_balanced()), (1, 1, true));
}

#[tokio::test]
async fn an_unknown_ticker_is_skipped_or_dead_as_the_settings_say() {
    for (policy, skipped, dead) in [(UnknownTicker::Skip, 1, 0), (UnknownTicker::Dead, 0, 1)] {
        let rig = Rig::new().await;
        rig.enqueue(&[trade(1, "BTCUSDT", "1")]).await;
        rig.work(WorkerOptions { unknown_ticker: policy, ..rig.options() }).await;

        let ledger = rig.ledger().await;
        assert_eq!((ledger.skipped_total(), ledger.dead, ledger.is_balanced()), (skipped, dead, true), "{policy:?}");
        assert!(rig.store.prices().await.unwrap().is_empty());
    }
}

#[tokio::test]
async fn an_older_tick_that_comes_later_is_superseded() {
    let rig = Rig::new().await;
    rig.enqueue(&[trade(9, "BTCUSDT", "9")]).await;
    rig.work(rig.options()).await;
    rig.enqueue(&[trade(3, "BTCUSDT", "3")]).await;
    rig.work(rig.options()).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.stored, ledger.superseded, ledger.is_balanced()), (1, 1, true));
    assert_eq!(rig.store.prices().await.unwrap()[0].row.fields.last_price, Some("9".parse().unwrap()));
}
