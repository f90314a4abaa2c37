//! The random walk, as clients see it.

use std::collections::BTreeMap;

use common::clock;
use listener::exchange::{AtEnd, ExchangeOptions, ExchangeSource, Rate, Stamp, WalkOptions};
use serde_json::Value;

use super::running::start;

fn walk(messages: u64) -> ExchangeOptions {
    let source =
        WalkOptions { symbols: 20, rate: Rate::Unlimited, messages: Some(messages), seed: 7, ..WalkOptions::default() };
    ExchangeOptions::new(ExchangeSource::Walk(source))
}

fn streams(exchange: &listener::exchange::Exchange) -> Vec<String> {
    let streams = |symbol: &String| {
        let symbol = symbol.to_lowercase();
        [format!("{symbol}@trade"), format!("{symbol}@bookTicker")]
    };
    exchange.symbols().iter().flat_map(streams).collect()
}

#[tokio::test]
async fn a_limited_walk_sends_exactly_its_messages_with_contiguous_trade_ids_and_its_figures_add_up() {
    const MESSAGES: u64 = 50_000;
    let listed = streams(&listener::exchange::bind(walk(1)).await.unwrap());
    let exchange = start(walk(MESSAGES)).await;
    let mut client = exchange.connect(&format!("/stream?streams={}", listed.join("/"))).await;
    let mut per_kind: BTreeMap<String, u64> = BTreeMap::new();
    let mut last_ids: BTreeMap<String, u64> = BTreeMap::new();
    for text in client.texts(50_000).await {
        let frame: Value = serde_json::from_str(&text).unwrap();
        let (_, kind) = frame["stream"].as_str().unwrap().split_once('@').unwrap();
        *per_kind.entry(kind.to_owned()).or_default() += 1;
        if kind == "trade" {
            let last = last_ids.entry(frame["data"]["s"].to_string()).or_default();
            assert_eq!(frame["data"]["t"].as_u64(), Some(*last + 1));
            *last += 1;
        }
    }
    assert_eq!(last_ids.len(), 20);
    exchange.until("the walk is finished", |stats| stats.finished).await;
    assert!(client.close().await.is_empty());
    let stats = exchange.stop().await.stats;
    assert_eq!(stats.sent, per_kind);
    assert_eq!(stats.sent_total, MESSAGES);
    assert_eq!((stats.unsent, stats.undelivered, stats.resent), (0, 0, 0));
    assert_eq!((stats.connections, stats.connections_total), (0, 1));
}

#[tokio::test]
async fn due_stamps_follow_the_rate_in_microseconds_and_are_never_ahead_of_the_clock() {
    let rate = Rate::PerSecond(500.try_into().unwrap());
    let source = WalkOptions { rate, messages: Some(100), stamp: Stamp::Due, ..WalkOptions::default() };
    let exchange = start(ExchangeOptions::new(ExchangeSource::Walk(source))).await;
    let mut client = exchange.connect("/stream?streams=btcusdt@trade").await;
    let texts = client.texts(100).await;
    let time = |text: &String| serde_json::from_str::<Value>(text).unwrap()["data"]["T"].as_i64().unwrap();
    let times: Vec<i64> = texts.iter().map(time).collect();
    let took = times[99] - times[0];
    assert!((150_000..=250_000).contains(&took), "99 steps of 2 ms: {times:?}");
    assert!(times[99] <= clock::now().0 && clock::now().0 - times[0] < 60_000_000, "{times:?}");
}

#[tokio::test]
async fn a_finished_walk_closes_its_connections_and_ends_when_asked_to() {
    let exchange = start(ExchangeOptions { at_end: AtEnd::Exit, ..walk(10) }).await;
    let mut client = exchange.connect("/stream?streams=btcusdt@trade").await;
    client.texts(10).await;
    let close = client.message().await.unwrap().unwrap();
    assert!(
        matches!(&close, tokio_tungstenite::tungstenite::Message::Close(Some(frame))
        if u16::from(frame.code) == 1000 && frame.reason.as_str() == "walk finished"),
        "{close:?}"
    );
    while client.message().await.is_some() {}
    assert!(exchange.ended().await.stats.finished);
}

#[tokio::test]
async fn one_seed_gives_one_market_apart_from_its_time_stamps() {
    let mut seen = Vec::new();
    for _ in 0..2 {
        let exchange = start(walk(1_000)).await;
        let mut client = exchange.connect("/stream?streams=btcusdt@trade/ethusdt@trade/btcusdt@bookTicker").await;
        let mut frames = Vec::new();
        for text in client.texts(1_000).await {
            let mut frame: Value = serde_json::from_str(&text).unwrap();
            frame["data"].as_object_mut().unwrap().retain(|key, _| key != "E" && key != "T");
            frames.push(frame);
        }
        seen.push(frames);
        exchange.stop().await;
    }
    assert_eq!(seen[0], seen[1]);
}

#[tokio::test]
async fn the_figures_are_in_the_file_at_the_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("figures.json");
    let exchange = start(ExchangeOptions { stats_file: Some(path.clone()), ..walk(10) }).await;
    let mut client = exchange.connect("/stream?streams=btcusdt@trade").await;
    client.texts(10).await;
    drop(client);
    let report = exchange.stop().await;
    let written: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
    assert_eq!(written, serde_json::to_value(&report).unwrap());
    assert_eq!(written["sent"]["trade"], 10);
}
