//! Recorded connections end as exactly the rows that were counted in the recordings by other means.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use super::recordings::Recording;
use super::rig::{Pair, Rig};
use super::tables::shown;

#[tokio::test]
async fn every_recorded_spot_trade_is_stored_once_embedded() {
    btcusdt(Pair::Embedded, "hft_spot_btcusdt_20240808.txt.gz").await;
}

#[tokio::test]
async fn every_recorded_spot_trade_is_stored_once_on_servers() {
    btcusdt(Pair::Servers, "hft_spot_btcusdt_20240808.txt.gz").await;
}

#[tokio::test]
async fn every_recorded_futures_trade_is_stored_once_embedded() {
    btcusdt(Pair::Embedded, "hft_usdm_btcusdt_20240808_head.txt.gz").await;
}

#[tokio::test]
async fn every_recorded_futures_trade_is_stored_once_on_servers() {
    btcusdt(Pair::Servers, "hft_usdm_btcusdt_20240808_head.txt.gz").await;
}

#[tokio::test]
async fn several_symbols_and_channels_show_what_they_said_last_embedded() {
    several_symbols(Pair::Embedded).await;
}

#[tokio::test]
async fn several_symbols_and_channels_show_what_they_said_last_on_servers() {
    several_symbols(Pair::Servers).await;
}

async fn btcusdt(pair: Pair, name: &str) {
    let Some(recording) = Recording::find(name) else { return };
    let mut rig = Rig::new(pair).await;
    let endpoint = rig.exchange(&["--replay", &recording.path, "--speed", "max", "--wait-for", "2"]).await;
    for worker in ["worker-1", "worker-2"] {
        rig.processes.start(worker, &["worker"]);
    }
    rig.listen(&endpoint, "BTCUSDT", "trade,bookTicker");
    let messages = recording.messages("streams", &["btcusdt@trade", "btcusdt@bookTicker"]);
    rig.ended(messages).await;

    let ledger = rig.ledger();
    assert_eq!((ledger.of("received"), ledger.of("accepted")), (messages, messages), "{ledger:?}");
    assert_eq!((ledger.of("settled"), ledger.of("rejected")), (messages, 0), "{ledger:?}");
    rig.assert_all_is_well();
    assert_shows(&rig, &recording).await;

    let traded = "SELECT CAST(trade_id AS TEXT) AS value FROM tick_history WHERE last_price IS NOT NULL";
    let ids = rig.values(traded).await;
    assert_eq!(ids.len() as u64, recording.number(&["trades"]));
    assert_contiguous(&ids, &recording);
    let sizes = rig.values("SELECT CAST(last_size AS TEXT) AS value FROM tick_history").await;
    let sum: Decimal = sizes.iter().map(|size| size.parse::<Decimal>().expect("a size is a decimal")).sum();
    assert_eq!(sum, recording.text(&["sum_qty"]).parse().expect("a sum is a decimal"));
}

/// The price row says what the recording said last.
pub(super) async fn assert_shows(rig: &Rig, recording: &Recording) {
    let prices = rig.prices().await;
    assert_eq!(prices.iter().map(|price| &*price.ticker_symbol).collect::<Vec<_>>(), ["btcusdt"]);
    let expected =
        ["last_price", "final_best_bid", "final_best_ask"].map(|key| Some(recording.text(&[key]).to_owned()));
    assert_eq!(shown(&prices[0]), expected);
}

/// Every number from the recording's first trade to its last is there, and no other.
pub(super) fn assert_contiguous(ids: &[String], recording: &Recording) {
    let ids: BTreeSet<u64> = ids.iter().map(|id| id.parse().expect("a trade's number")).collect();
    let (first, last) = (recording.number(&["first_trade_id"]), recording.number(&["last_trade_id"]));
    assert_eq!((ids.first(), ids.last()), (Some(&first), Some(&last)));
    assert_eq!(ids.len() as u64, last - first + 1);
}

async fn several_symbols(pair: Pair) {
    let Some(recording) = Recording::find("spot_2021-10-12.jsonl") else { return };
    let mut rig = Rig::new(pair).await;
    let endpoint = rig.exchange(&["--replay", &recording.path, "--speed", "max", "--wait-for", "12"]).await;
    for worker in ["worker-1", "worker-2"] {
        rig.processes.start(worker, &["worker"]);
    }
    rig.listen(&endpoint, "NKNUSDT,BLZETH,LRCBTC,RUNEEUR", "bookTicker,aggTrade,kline_1m");
    let messages = recording.messages("recv_by_stream_type", &["bookTicker", "aggTrade", "kline_1m"]);
    rig.ended(messages).await;
    rig.assert_all_is_well();
    assert_eq!(rig.ledger().of("accepted"), messages);

    let mut seen = BTreeMap::new();
    for price in rig.prices().await {
        let [last, bid, ask] = shown(&price);
        seen.insert(price.ticker_symbol.to_uppercase(), last);
        seen.insert(
            format!("bbo:{}", price.ticker_symbol.to_uppercase()),
            bid.zip(ask).map(|(bid, ask)| bid + " " + &ask),
        );
    }
    seen.retain(|_, value| value.is_some());
    // What is expected is the price of the last aggTrade; a kline's close counts here, too. They are comparable because
    // both klines of this recording close at the price of the aggTrade beside them. RUNEEUR said nothing but depth.
    let expected = recording.expected["last_aggtrade_price_and_bbo"].as_object().expect("a table");
    let expected: BTreeMap<String, Option<String>> = expected
        .iter()
        .map(|(key, value)| {
            let sides = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
            let sides: Vec<&str> = sides.iter().map(|side| side.as_str().expect("prices are text")).collect();
            (key.clone(), Some(sides.join(" ")))
        })
        .collect();
    assert_eq!(seen, expected);
}
