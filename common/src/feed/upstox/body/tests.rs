use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::feed::upstox::schema::{FullFeed, MarketLevel, Ohlc};

fn entry(key: &str, union: FeedUnion, mode: RequestMode) -> FeedEntry {
    FeedEntry { key: key.to_owned(), feed: Some(Feed { union: Some(union), request_mode: mode.into() }) }
}

fn live(entry: &FeedEntry) -> Body {
    let response = FeedResponse {
        response_type: ResponseType::LiveFeed.into(),
        current_ts: 1_742_373_998_921,
        ..FeedResponse::default()
    };
    body(&response, entry)
}

fn full(market: MarketFullFeed) -> FeedUnion {
    FeedUnion::FullFeed(Box::new(FullFeed { union: Some(FullFeedUnion::MarketFf(Box::new(market))) }))
}

#[test]
fn a_last_trade_is_written_in_upstox_own_form() {
    let ltpc = Ltpc { ltp: 1_313.7, ltt: 1_742_373_998_758, ltq: 234, cp: 1_309.85, iep: None };
    let written = live(&entry("NSE_EQ|INE090A01021", FeedUnion::Ltpc(ltpc), RequestMode::Ltpc));
    let wanted = r#"{"type":"live_feed","feeds":{"NSE_EQ|INE090A01021":{"ltpc":{"ltp":1313.7,"ltt":"1742373998758","ltq":"234","cp":1309.85}}},"currentTs":"1742373998921"}"#;
    assert_eq!(written, Body { text: wanted.to_owned(), not_finite: 0 });
}

#[test]
fn the_first_of_an_enum_and_zeros_are_left_out() {
    let written = body(&FeedResponse::default(), &entry("X|1", full(MarketFullFeed::default()), RequestMode::Ltpc));
    assert_eq!(written.text, r#"{"feeds":{"X|1":{"fullFeed":{"marketFF":{}}}}}"#);
}

#[test]
fn an_enum_that_is_not_known_yet_is_written_as_its_number() {
    let mut entry = entry("X|1", FeedUnion::Ltpc(Ltpc::default()), RequestMode::Ltpc);
    entry.feed.as_mut().unwrap().request_mode = 9;
    let response = FeedResponse { response_type: 7, ..FeedResponse::default() };
    assert_eq!(body(&response, &entry).text, r#"{"type":7,"feeds":{"X|1":{"ltpc":{},"requestMode":9}}}"#);
}

#[test]
fn zero_in_a_message_of_its_own_is_a_value() {
    let ltpc = Ltpc { iep: Some(0.0), ..Ltpc::default() };
    let written = live(&entry("X|1", FeedUnion::Ltpc(ltpc), RequestMode::Ltpc));
    assert!(written.text.contains(r#""ltpc":{"iep":0.0}"#), "{}", written.text);
}

#[test]
fn what_is_not_finite_is_left_out_and_counted() {
    let quotes = vec![Quote { bid_q: 5, bid_p: f64::NEG_INFINITY, ask_q: 0, ask_p: 2.5 }];
    let market = MarketFullFeed {
        ltpc: Some(Ltpc { ltp: f64::NAN, ltq: 3, iep: Some(f64::NAN), ..Ltpc::default() }),
        market_level: Some(MarketLevel { bid_ask_quote: quotes }),
        oi: f64::INFINITY,
        ..MarketFullFeed::default()
    };
    let written = live(&entry("X|1", full(market), RequestMode::FullD5));
    let value: Value = serde_json::from_str(&written.text).unwrap();
    let wanted = json!({"ltpc": {"ltq": "3"}, "marketLevel": {"bidAskQuote": [{"bidQ": "5", "askP": 2.5}]}});
    assert_eq!(value["feeds"]["X|1"]["fullFeed"]["marketFF"], wanted);
    assert_eq!(written.not_finite, 4);
}

#[test]
fn every_field_has_its_name() {
    let bars = MarketOhlc {
        ohlc: vec![Ohlc { interval: "1d".into(), open: 1.0, high: 2.0, low: 0.5, close: 1.5, vol: 9, ts: 8 }],
    };
    let market = MarketFullFeed {
        option_greeks: Some(OptionGreeks { delta: 0.5, theta: -1.25, gamma: 1e-7, vega: 3.0, rho: 1e21 }),
        market_ohlc: Some(bars.clone()),
        atp: 1.1,
        vtt: 2,
        oi: 3.5,
        iv: 0.15,
        tbq: 359_157.0,
        tsq: 6.0,
        iep: 7.0,
        rp: 8.0,
        ieq: 9,
        iiq_total: -10,
        iiq_m: 11,
        cas_eligible: true,
        ..MarketFullFeed::default()
    };
    let bar = json!({"ohlc": [{"interval": "1d", "open": 1.0, "high": 2.0, "low": 0.5, "close": 1.5, "vol": "9", "ts": "8"}]});
    let wanted = json!({
        "optionGreeks": {"delta": 0.5, "theta": -1.25, "gamma": 1e-7, "vega": 3.0, "rho": 1e21},
        "marketOHLC": bar, "atp": 1.1, "vtt": "2", "oi": 3.5, "iv": 0.15, "tbq": 359_157.0, "tsq": 6.0, "iep": 7.0,
        "rp": 8.0, "ieq": "9", "iiqTotal": "-10", "iiqM": "11", "casEligible": true,
    });
    let value: Value = serde_json::from_str(&live(&entry("X|1", full(market), RequestMode::FullD30)).text).unwrap();
    let feed = &value["feeds"]["X|1"];
    assert_eq!((&feed["fullFeed"]["marketFF"], &feed["requestMode"]), (&wanted, &json!("full_d30")));

    let index = FullFeedUnion::IndexFf(IndexFullFeed { ltpc: None, market_ohlc: Some(bars) });
    let index = FeedUnion::FullFeed(Box::new(FullFeed { union: Some(index) }));
    let value: Value = serde_json::from_str(&live(&entry("X|1", index, RequestMode::FullD5)).text).unwrap();
    assert_eq!(value["feeds"]["X|1"]["fullFeed"]["indexFF"], json!({"marketOHLC": bar}));

    let first = FirstLevelWithGreeks {
        first_depth: Some(Quote { bid_q: 1, bid_p: 2.0, ask_q: 3, ask_p: 4.0 }),
        option_greeks: Some(OptionGreeks::default()),
        vtt: 5,
        oi: 6.0,
        iv: 7.0,
        ..FirstLevelWithGreeks::default()
    };
    let first = FeedUnion::FirstLevelWithGreeks(Box::new(first));
    let value: Value = serde_json::from_str(&live(&entry("X|1", first, RequestMode::OptionGreeks)).text).unwrap();
    let quote = json!({"bidQ": "1", "bidP": 2.0, "askQ": "3", "askP": 4.0});
    let wanted = json!({"firstDepth": quote, "optionGreeks": {}, "vtt": "5", "oi": 6.0, "iv": 7.0});
    assert_eq!(value["feeds"]["X|1"]["firstLevelWithGreeks"], wanted);
}

proptest! {
    #[test]
    fn any_value_is_written_as_json_that_reads_back_to_it(
        key in "[A-Z_]{1,9}\\|\\PC{1,20}", interval in "\\PC*", price in any::<f64>(), size in any::<i64>(), time in any::<i64>(),
    ) {
        let bar = Ohlc { interval: interval.clone(), open: price, ts: time, ..Ohlc::default() };
        let market = MarketFullFeed {
            ltpc: Some(Ltpc { ltp: price, ltq: size, ..Ltpc::default() }),
            market_ohlc: Some(MarketOhlc { ohlc: vec![bar] }),
            ..MarketFullFeed::default()
        };
        let written = live(&entry(&key, full(market), RequestMode::FullD5));
        let value: Value = serde_json::from_str(&written.text).unwrap();
        let ltpc = &value["feeds"][&key]["fullFeed"]["marketFF"]["ltpc"];
        prop_assert_eq!(ltpc["ltp"].is_number(), price.is_finite() && price != 0.0);
        if ltpc["ltp"].is_number() {
            let digits = written.text.split(r#""ltp":"#).nth(1).unwrap().split([',', '}']).next().unwrap();
            prop_assert_eq!(digits.parse(), Ok(price), "exactly, not nearly");
        }
        prop_assert_eq!(ltpc["ltq"].as_str().unwrap_or("0"), size.to_string());
        prop_assert_eq!(written.not_finite, if price.is_finite() { 0 } else { 2 });
        let bar = &value["feeds"][&key]["fullFeed"]["marketFF"]["marketOHLC"]["ohlc"][0];
        prop_assert_eq!(bar["interval"].as_str().unwrap_or_default(), &*interval);
    }
}
