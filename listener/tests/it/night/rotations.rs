//! Connections grow old.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::Deserialize;

use super::{Attempts, each};
use crate::quick_feed::QuickFeed;
use crate::simulated::Simulated;

/// What Binance sends.
#[derive(Deserialize)]
struct Envelope {
    data: Trade,
}

#[derive(Deserialize)]
struct Trade {
    #[serde(rename = "s")]
    symbol: String,
    #[serde(rename = "t")]
    number: u64,
}

#[tokio::test]
async fn a_connection_that_is_replaced_for_its_age_misses_no_trade() {
    const TIMES: u64 = 3;
    let exchange = Simulated::start("binance", &[]).await;
    let listening = exchange.listen(&exchange.symbols[..50], |options| {
        options.feed = QuickFeed::leak(|limits| limits.session_age_max = Some(Duration::from_secs(2)));
        options.channels = vec!["trade".to_owned()];
    });
    listening.live().await;
    let attempts = Attempts::from_now(&listening);
    let old = listening.until("replaced several times", |state| TIMES <= state.reconnects).await;
    attempts.told("rotation every 1.8 s", &listening);
    let reason = old[0].reason.as_deref();
    assert_eq!(reason, Some("replaced without a gap: it reached the age at which the provider cuts connections"));
    // One more reconnect may be under way, an attempt is not yet one.
    assert!(each(&old, |state| state.attempts <= state.reconnects + 2) == [true], "{old:?}");

    let mut numbers = BTreeMap::<String, BTreeSet<u64>>::new();
    let mut epochs = BTreeSet::new();
    let seen = listening.broker.seen();
    for task in &seen {
        let Envelope { data: trade } = serde_json::from_str(&task.body).unwrap();
        numbers.entry(trade.symbol).or_default().insert(trade.number);
        epochs.insert(task.epoch);
    }
    let different: usize = numbers.values().map(BTreeSet::len).sum();
    eprintln!("rotation: {} trades, {} of them twice, in {} epochs", different, seen.len() - different, epochs.len());
    assert_eq!(numbers.len(), 50);
    assert!(TIMES < epochs.len() as u64);
    for (symbol, numbers) in &numbers {
        let (first, last) = (numbers.first().unwrap(), numbers.last().unwrap());
        assert_eq!(numbers.len() as u64, last - first + 1, "{symbol} misses some");
    }
    assert_eq!(listening.broker.gaps(), [""; 0]);
    listening.stop().await;
    exchange.stop();
}
