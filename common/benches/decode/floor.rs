//! `serde_json` and plain structs of the values that are stored: the least that reading the same JSON can cost.

#![expect(dead_code, reason = "fields are filled, which is what costs; nobody reads them")]

use std::collections::BTreeMap;
use std::hint::black_box;

use serde::Deserialize;

use crate::measure::{Median, nanos_per_message};

fn floor<'b, T: Deserialize<'b>>(body: &'b str) -> Median {
    nanos_per_message(|| {
        let plain: T = serde_json::from_str(black_box(body)).expect("a documented message");
        black_box(&plain);
    })
}

#[derive(Deserialize)]
struct Plain<'a, E> {
    #[serde(borrow)]
    stream: &'a str,
    data: E,
}

#[derive(Deserialize)]
struct Trade<'a> {
    s: &'a str,
    p: &'a str,
    q: &'a str,
    #[serde(rename = "T")]
    at: i64,
}

pub(crate) fn of_binance_trade(body: &str) -> Median {
    floor::<Plain<'_, Trade<'_>>>(body)
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

pub(crate) fn of_binance_quote(body: &str) -> Median {
    floor::<Plain<'_, BookTicker<'_>>>(body)
}

#[derive(Deserialize)]
struct MassiveTrade<'a> {
    sym: &'a str,
    p: f64,
    s: u64,
    t: i64,
}

pub(crate) fn of_massive_trade(body: &str) -> Median {
    floor::<MassiveTrade<'_>>(body)
}

#[derive(Deserialize)]
struct TwelveData<'a> {
    symbol: &'a str,
    exchange: &'a str,
    timestamp: i64,
    price: f64,
    bid: f64,
    ask: f64,
    day_volume: u64,
}

pub(crate) fn of_twelvedata_price(body: &str) -> Median {
    floor::<TwelveData<'_>>(body)
}

#[derive(Deserialize)]
struct FyersSymbol<'a> {
    symbol: &'a str,
    ltp: f64,
    last_traded_qty: u64,
    last_traded_time: i64,
    bid_price: f64,
    bid_size: u64,
    ask_price: f64,
    ask_size: u64,
    open_price: f64,
    high_price: f64,
    low_price: f64,
    prev_close_price: f64,
    vol_traded_today: u64,
}

pub(crate) fn of_fyers_symbol(body: &str) -> Median {
    floor::<FyersSymbol<'_>>(body)
}

#[derive(Deserialize)]
struct Ohlc {
    open: f64,
    high: f64,
    low: f64,
    close: f64,
}

#[derive(Deserialize)]
struct KiteFull<'a> {
    instrument_token: u32,
    last_price: f64,
    last_quantity: u64,
    volume: u64,
    ohlc: Ohlc,
    oi: u64,
    timestamp: &'a str,
    depth: KiteDepth,
}

#[derive(Deserialize)]
struct KiteDepth {
    buy: [KiteLevel; 5],
    sell: [KiteLevel; 5],
}

#[derive(Deserialize)]
struct KiteLevel {
    price: f64,
    quantity: u64,
}

pub(crate) fn of_kite_full(body: &str) -> Median {
    floor::<KiteFull<'_>>(body)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpstoxFrame<'a> {
    #[serde(borrow)]
    feeds: BTreeMap<&'a str, UpstoxFeed<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpstoxFeed<'a> {
    #[serde(borrow)]
    full_feed: UpstoxFull<'a>,
}

#[derive(Deserialize)]
struct UpstoxFull<'a> {
    #[serde(rename = "marketFF", borrow)]
    market: UpstoxMarket<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpstoxMarket<'a> {
    #[serde(borrow)]
    ltpc: UpstoxLast<'a>,
    #[serde(borrow)]
    market_level: UpstoxLevels<'a>,
    #[serde(rename = "marketOHLC", borrow)]
    market_ohlc: UpstoxBars<'a>,
    vtt: &'a str,
    oi: f64,
}

#[derive(Deserialize)]
struct UpstoxLast<'a> {
    ltp: f64,
    ltt: &'a str,
    ltq: &'a str,
    cp: f64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpstoxLevels<'a> {
    #[serde(borrow)]
    bid_ask_quote: Vec<UpstoxLevel<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UpstoxLevel<'a> {
    bid_q: &'a str,
    bid_p: f64,
    ask_q: &'a str,
    ask_p: f64,
}

#[derive(Deserialize)]
struct UpstoxBars<'a> {
    #[serde(borrow)]
    ohlc: Vec<UpstoxBar<'a>>,
}

#[derive(Deserialize)]
struct UpstoxBar<'a> {
    interval: &'a str,
    open: f64,
    high: f64,
    low: f64,
    close: f64,
}

pub(crate) fn of_upstox_full(body: &str) -> Median {
    floor::<UpstoxFrame<'_>>(body)
}
