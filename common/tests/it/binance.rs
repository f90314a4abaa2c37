//! Recorded connections, read and decoded frame by frame, give what was counted in the recordings by other means.

#![expect(clippy::panic, clippy::unwrap_used, reason = "what surprises here fails its test")]

use std::collections::BTreeMap;

use common::clock::UnixMicros;
use common::feed::{self, DecodeError, Feed, FeedSession, Incoming, Reading, SessionRequest};
use common::market::{Catalog, Fields, Observation, Price};
use rust_decimal::Decimal;
use serde_json::Value;

use crate::captures;

/// Everything that a recording says, added up.
#[derive(Debug, Default)]
struct Replayed {
    /// Messages by kind.
    kinds: BTreeMap<String, u64>,
    /// Messages without a price, by reason.
    skipped: BTreeMap<&'static str, u64>,
    /// Frames that are no message of the feed, by reason.
    rejected: BTreeMap<&'static str, u64>,
    trade_ids: Vec<i64>,
    traded: Decimal,
    turnover: Decimal,
    last_trade_at: Option<UnixMicros>,
    /// What each symbol shows in the end.
    shown: BTreeMap<String, Fields>,
}

impl Replayed {
    fn new<'f>(feed: &str, frames: impl Iterator<Item = &'f str>) -> Self {
        let binance = feed::by_name(feed).expect("the table has it");
        let request = SessionRequest {
            endpoints: binance.endpoints(),
            topics: &[],
            credential: None,
            catalog: &Catalog::default(),
            now: UnixMicros(0),
        };
        let mut session = binance.session(&request).unwrap();
        let mut replayed = Self::default();
        for frame in frames {
            replayed.frame(binance, &mut *session, frame);
        }
        replayed
    }

    fn frame(&mut self, binance: &dyn Feed, session: &mut dyn FeedSession, frame: &str) {
        let (mut readings, mut ticks) = (Vec::new(), Vec::new());
        session.read(Incoming::Text(frame), &mut readings);
        let [reading] = &*readings else { panic!("{readings:?}") };
        if let Reading::Rejected(reason) = reading {
            *self.rejected.entry(reason).or_default() += 1;
            return;
        }
        let Reading::Data { kind, body, key, mark: _ } = reading else { panic!("{reading:?}") };
        assert!(body.contains(&**key), "the key is the stream's name");
        *self.kinds.entry(kind.to_string()).or_default() += 1;
        match binance.decode(kind, body, &mut ticks) {
            Ok(()) => ticks.iter().for_each(|tick| self.tick(kind, tick)),
            Err(DecodeError::Skip(reason)) => *self.skipped.entry(reason).or_default() += 1,
            Err(error) => panic!("{error} in {frame}"),
        }
    }

    fn tick(&mut self, kind: &str, tick: &Observation<'_>) {
        let fields = tick.fields;
        if let (Some(id), Some(price), Some(size)) = (tick.trade_id, fields.last_price, fields.last_size) {
            self.trade_ids.push(id);
            self.traded += size.get();
            self.turnover += price.get() * size.get();
            self.last_trade_at = tick.exchange_at;
        }
        let shown = self.shown.entry(tick.symbol.clone().into_owned()).or_default();
        if kind != "kline" {
            shown.last_price = fields.last_price.or(shown.last_price);
        }
        shown.bid_price = fields.bid_price.or(shown.bid_price);
        shown.ask_price = fields.ask_price.or(shown.ask_price);
    }
}

#[test]
fn the_spot_recording_gives_every_trade_and_the_last_quote() {
    agrees_with_the_count("binance", "hft_spot_btcusdt_20240808.txt.gz");
}

#[test]
fn the_futures_recording_gives_every_trade_and_the_last_quote() {
    agrees_with_the_count("binance_usdm", "hft_usdm_btcusdt_20240808_head.txt.gz");
}

fn agrees_with_the_count(feed: &str, name: &str) {
    let Some(recording) = captures::read(&format!("binance/{name}")) else { return };
    let Some(counted) = counted(name) else { return };
    let frames = recording.lines().map(|line| line.split_once(' ').expect("time, then frame").1);
    let replayed = Replayed::new(feed, frames);

    let number = |key: &str| counted[key].as_i64().expect("a number");
    let text = |key: &str| counted[key].as_str().expect("a text").to_owned();
    let ids = &replayed.trade_ids;
    assert_eq!(i64::try_from(ids.len()), Ok(number("trades")));
    assert!(ids.windows(2).all(|pair| pair[0] + 1 == pair[1]), "the trades' numbers have no hole and no double");
    assert_eq!((ids.first(), ids.last()), (Some(&number("first_trade_id")), Some(&number("last_trade_id"))));
    assert_eq!(replayed.traded, text("sum_qty").parse().unwrap());
    assert_eq!(replayed.turnover, text("sum_notional").parse().unwrap());
    assert_eq!(replayed.last_trade_at, UnixMicros::from_millis(number("last_trade_time_ms")));

    let shown = &replayed.shown["BTCUSDT"];
    let digits = [shown.last_price, shown.bid_price, shown.ask_price].map(|price| price.unwrap().to_string());
    assert_eq!(digits, [text("last_price"), text("final_best_bid"), text("final_best_ask")]);

    for (stream, count) in counted["streams"].as_object().expect("counts per stream") {
        let found = match stream.split('@').nth(1) {
            Some(kind) => replayed.kinds.get(kind),
            // The recorder put one answer of the REST interface between the frames.
            None => replayed.rejected.get("unknown_message"),
        };
        assert_eq!(found.copied(), count.as_u64(), "{stream}");
    }
    assert_eq!(replayed.skipped.get("depth"), replayed.kinds.get("depth"));
    assert_eq!(replayed.skipped.len(), 1, "{:?}", replayed.skipped);
}

#[test]
fn many_symbols_on_one_connection_keep_their_own_prices() {
    let name = "spot_2021-10-12.jsonl";
    let Some(recording) = captures::read(&format!("binance/{name}")) else { return };
    let Some(counted) = counted(name) else { return };
    let lines = recording.lines().map(|line| serde_json::from_str::<Value>(line).expect("one JSON value per line"));
    let received: Vec<String> =
        lines.filter(|line| line["dir"] == "recv").map(|line| line["raw"].as_str().unwrap().to_owned()).collect();
    let replayed = Replayed::new("binance", received.iter().map(String::as_str));

    for (stream, count) in counted["recv_by_stream_type"].as_object().expect("counts per stream") {
        let kind = stream.split(['@', '_']).next().unwrap();
        assert_eq!(replayed.kinds.get(kind).copied(), count.as_u64(), "{stream}");
    }
    let last = counted["last_aggtrade_price_and_bbo"].as_object().expect("prices per symbol");
    assert!(!last.is_empty());
    for (key, wanted) in last {
        let shown = &replayed.shown[key.strip_prefix("bbo:").unwrap_or(key)];
        let digits = |price: Option<Price>| Value::from(price.unwrap().to_string());
        let found = if key.starts_with("bbo:") {
            Value::from(vec![digits(shown.bid_price), digits(shown.ask_price)])
        } else {
            digits(shown.last_price)
        };
        assert_eq!(&found, wanted, "{key}");
    }
}

/// What was counted in a recording.
fn counted(name: &str) -> Option<Value> {
    let mut all: Value = serde_json::from_str(&captures::read("binance/EXPECTED.json")?).expect("JSON");
    Some(all[name].take())
}
