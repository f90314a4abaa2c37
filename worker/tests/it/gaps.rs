//! A gap's task becomes a row of its own, and no tick.

use std::time::Duration;

use common::clock::UnixMicros;
use common::market::Epoch;
use common::queue::{GAP_KIND, Task, WIRE_VERSION};
use serde_json::value::RawValue;
use worker::WorkerOptions;

use crate::rig::{Rig, trade};

const BODY: &str = r#"{"symbol":"BTCUSDT","stream":"btcusdt@trade","kind":"trade","from":4,"to":6,"missing":3,"since":1,"until":2,"reason":"sequence"}"#;

fn gap(seq: u32, feed: &str, body: &str) -> Vec<u8> {
    let body: &RawValue = serde_json::from_str(body).unwrap();
    let (epoch, at) = (Epoch::new(7).unwrap(), UnixMicros(2));
    let (feed, kind) = (feed.into(), GAP_KIND.into());
    Task { v: WIRE_VERSION, feed, kind, conn: 1, epoch, seq, at, attempt: 0, body }.encode()
}

#[tokio::test]
async fn a_gap_is_stored_beside_the_ticks_of_its_batch_and_settled_with_none() {
    let rig = Rig::new().await;
    rig.enqueue(&[trade(1, "BTCUSDT", "10"), gap(2, "binance", BODY), trade(3, "BTCUSDT", "11")]).await;
    rig.work(rig.options()).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.settled, ledger.ticks, ledger.dead, ledger.is_balanced()), (3, 2, 0, true));
    let gaps = rig.store.gaps(10).await.unwrap();
    let row = &gaps[0].row;
    assert_eq!((gaps.len(), row.order.seq(), row.from, row.to, row.missing), (1, 2, Some(4), Some(6), Some(3)));
    assert_eq!((row.symbol.as_deref(), &*row.reason), (Some("BTCUSDT"), "sequence"));
}

#[tokio::test]
async fn a_gap_of_an_unknown_feed_that_is_older_than_the_age_limit_is_stored_all_the_same() {
    let rig = Rig::new().await;
    rig.enqueue(&[gap(1, "a feed of tomorrow", BODY)]).await;
    rig.work(WorkerOptions { age_max: Some(Duration::from_mins(1)), ..rig.options() }).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.settled, ledger.ticks, ledger.is_balanced()), (1, 0, true));
    assert_eq!(&*rig.store.gaps(10).await.unwrap()[0].row.feed, "a feed of tomorrow");
}

#[tokio::test]
async fn a_gap_that_is_delivered_twice_is_stored_once() {
    let rig = Rig::new().await;
    for _ in 0..2 {
        rig.enqueue(&[gap(1, "binance", BODY)]).await;
        rig.work(rig.options()).await;
    }
    assert_eq!((rig.store.gaps(10).await.unwrap().len(), rig.ledger().await.settled), (1, 2));
}

#[tokio::test]
async fn a_bad_gap_dies_alone_and_a_refused_tick_takes_no_gap_with_it() {
    let rig = Rig::new().await;
    let nul = BODY.replace("BTCUSDT", "A\\u0000B");
    let (refused, senseless) = (gap(4, "binance", &nul), gap(5, "binance", r#"{"stream":1}"#));
    rig.enqueue(&[
        trade(1, "BTCUSDT", "1000000000000000000"),
        gap(2, "binance", BODY),
        trade(3, "ETHUSDT", "1"),
        refused.clone(),
        senseless.clone(),
    ])
    .await;
    rig.work(rig.options()).await;

    let ledger = rig.ledger().await;
    assert_eq!((ledger.settled, ledger.stored, ledger.dead, ledger.is_balanced()), (2, 1, 3, true));
    assert_eq!(rig.store.gaps(10).await.unwrap().len(), 1);
    let letters = rig.letters().await;
    let died_of = |task: &[u8]| letters.iter().find(|letter| letter.task == task).map(|letter| &*letter.reason);
    assert_eq!((died_of(&refused), died_of(&senseless)), (Some("row"), Some("malformed")));
}
