//! What an exchange refuses: to its clients, and to the one who starts it.

use std::net::SocketAddr;
use std::time::Duration;

use listener::exchange::{
    self, ExchangeError, ExchangeLimits, ExchangeOptions, ExchangeSource, Rate, ReplayError, ReplayOptions, WalkOptions,
};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use super::running::start;

fn quiet() -> ExchangeOptions {
    ExchangeOptions::new(ExchangeSource::Walk(WalkOptions::default()))
}

#[tokio::test]
async fn a_client_that_sends_more_than_five_messages_a_second_is_disconnected() {
    let exchange = start(quiet()).await;
    let mut client = exchange.connect("/stream").await;
    for id in 1..=6 {
        client.send(&format!(r#"{{"method":"LIST_SUBSCRIPTIONS","id":{id}}}"#)).await;
    }
    let mut answers = 0;
    let close = loop {
        match client.message().await {
            Some(Ok(Message::Text(_))) => answers += 1,
            Some(Ok(Message::Close(frame))) => break frame.unwrap(),
            other => panic!("expected a close frame, got {other:?}"),
        }
    };
    assert!(answers <= 5);
    assert_eq!((u16::from(close.code), close.reason.as_str()), (1008, "Too many requests"));
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn the_stream_beyond_the_limit_is_refused_and_the_others_stay() {
    let exchange = start(quiet()).await;
    let mut client = exchange.connect("/stream").await;
    let names: Vec<_> = (0..1_025).map(|number| format!("coin{number}usdt@trade")).collect();
    let mut streams: Vec<&str> = names.iter().map(String::as_str).collect();
    let refusal = client.ask("SUBSCRIBE", &streams).await;
    assert_eq!(refusal["code"], json!(2), "{refusal}");
    streams.pop();
    client.subscribe(&streams).await;
    let list = client.ask("LIST_SUBSCRIPTIONS", &[]).await;
    assert_eq!(list["result"].as_array().unwrap().len(), 1_024);
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn clients_are_pinged_and_those_that_answer_stay() {
    let limits = ExchangeLimits {
        ping_interval: Duration::from_millis(300),
        pong_max: Duration::from_secs(20),
        ..ExchangeLimits::default()
    };
    let exchange = start(ExchangeOptions { limits, ..quiet() }).await;
    let mut client = exchange.connect("/stream").await;
    for _ in 0..5 {
        let ping = client.message().await.unwrap().unwrap();
        assert!(matches!(&ping, Message::Ping(payload) if 10 < payload.len()), "{ping:?}");
    }
    assert!(client.ask("LIST_SUBSCRIPTIONS", &[]).await["result"].is_array());
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn a_client_that_answers_no_ping_is_cut_off() {
    let limits = ExchangeLimits {
        ping_interval: Duration::from_millis(50),
        pong_max: Duration::from_millis(200),
        ..ExchangeLimits::default()
    };
    let exchange = start(ExchangeOptions { limits, ..quiet() }).await;
    let _client_that_never_reads = exchange.connect("/stream").await;
    exchange.until("the client is gone", |stats| stats.connections_total == 1 && stats.connections == 0).await;
    exchange.stop().await;
}

#[tokio::test]
async fn a_slow_reader_holds_up_the_others_only_so_long() {
    let limits = ExchangeLimits { slow_reader_max: Duration::from_millis(300), ..ExchangeLimits::default() };
    let source = WalkOptions { rate: Rate::Unlimited, ..WalkOptions::default() };
    let exchange = start(ExchangeOptions { limits, ..ExchangeOptions::new(ExchangeSource::Walk(source)) }).await;
    let _slow = exchange.connect("/stream?streams=btcusdt@bookTicker").await;
    let mut good = exchange.connect("/stream?streams=ethusdt@bookTicker").await;
    exchange.until("the slow reader is full", |stats| 1_000 < stats.sent_total).await;
    let mut seen = 0;
    while exchange.stats.now().slow_readers == 0 || seen < 1_000 {
        good.text().await;
        seen += 1;
    }
    drop(good);
    let stats = exchange.stop().await.stats;
    assert_eq!(stats.slow_readers, 1);
}

#[tokio::test]
async fn one_connection_too_many_is_refused() {
    let limits = ExchangeLimits { connections: 1, ..ExchangeLimits::default() };
    let exchange = start(ExchangeOptions { limits, ..quiet() }).await;
    let mut first = exchange.connect("/stream").await;
    first.ask("LIST_SUBSCRIPTIONS", &[]).await;
    assert!(tokio_tungstenite::connect_async(format!("{}/stream", exchange.url)).await.is_err());
    drop(first);
    assert_eq!(exchange.stop().await.stats.refused, 1);
}

#[tokio::test]
async fn what_cannot_start_says_why() {
    let exchange = start(quiet()).await;
    let taken: SocketAddr = exchange.url.strip_prefix("ws://").unwrap().parse().unwrap();
    let error = exchange::bind(ExchangeOptions { listen: taken, ..quiet() }).await.unwrap_err();
    assert!(matches!(&error, ExchangeError::InUse(address) if *address == taken), "{error}");
    assert!(error.to_string().contains("port 0"), "{error}");

    let replay = ExchangeSource::Replay(ReplayOptions::new("no/such/recording.gz"));
    let error = exchange::bind(ExchangeOptions::new(replay)).await.unwrap_err();
    assert!(matches!(&error, ExchangeError::Replay(ReplayError::Unreadable { .. })), "{error}");
    assert!(error.to_string().contains("recording.gz"), "{error}");

    for symbols in [0, 20_001] {
        let source = ExchangeSource::Walk(WalkOptions { symbols, ..WalkOptions::default() });
        let error = exchange::bind(ExchangeOptions::new(source)).await.unwrap_err();
        assert!(matches!(error, ExchangeError::Symbols(refused) if refused == symbols), "{error}");
    }
    exchange.stop().await;
}
