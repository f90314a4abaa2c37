//! Faults on demand.

use std::time::Duration;

use listener::exchange::{ExchangeEnded, ExchangeLimits, ExchangeOptions, ExchangeSource, Rate, Target, WalkOptions};
use serde_json::json;
use tokio_tungstenite::tungstenite::{Error, Message};

use super::client::Client;
use super::running::{Running, start};

/// Long enough that a few messages would have come, were any sent.
const SILENCE: Duration = Duration::from_millis(300);

fn walk(rate: &str) -> ExchangeOptions {
    let rate: Rate = rate.parse().unwrap();
    ExchangeOptions::new(ExchangeSource::Walk(WalkOptions { rate, ..WalkOptions::default() }))
}

async fn with_clients(options: ExchangeOptions) -> (Running, Client, Client) {
    let exchange = start(options).await;
    let mut first = exchange.connect("/stream?streams=btcusdt@trade").await;
    first.text().await; // so that it is number 1
    let mut second = exchange.connect("/stream?streams=ethusdt@trade").await;
    second.text().await;
    (exchange, first, second)
}

#[tokio::test]
async fn a_cut_connection_ends_without_a_word_and_the_other_goes_on() {
    let (exchange, mut first, mut second) = with_clients(walk("1000")).await;
    exchange.controls.cut(Target::Connection(1)).await.unwrap();
    let error = loop {
        match first.message().await {
            Some(Ok(Message::Text(_))) => {}
            Some(Err(error)) => break error,
            other => panic!("expected an abrupt end, got {other:?}"),
        }
    };
    assert!(matches!(error, Error::Io(_) | Error::Protocol(_)), "{error:?}");
    second.texts(100).await;
    drop((first, second));
    exchange.stop().await;
}

#[tokio::test]
async fn a_close_frame_carries_the_code_that_was_asked_for() {
    let (exchange, mut first, mut second) = with_clients(walk("1000")).await;
    exchange.controls.close(Target::Everyone, 1012, "service restart").await.unwrap();
    for client in [&mut first, &mut second] {
        let close = loop {
            match client.message().await {
                Some(Ok(Message::Text(_))) => {}
                Some(Ok(Message::Close(frame))) => break frame.unwrap(),
                other => panic!("expected a close frame, got {other:?}"),
            }
        };
        assert_eq!((u16::from(close.code), close.reason.as_str()), (1012, "service restart"));
    }
    drop((first, second));
    exchange.stop().await;
}

#[tokio::test]
async fn a_muted_connection_is_open_and_silent_and_a_client_that_leaves_it_is_noticed() {
    let limits = ExchangeLimits {
        ping_interval: Duration::from_millis(100),
        messages_per_second: 100, // each pong is one
        ..ExchangeLimits::default()
    };
    let (exchange, mut first, mut second) = with_clients(ExchangeOptions { limits, ..walk("1000") }).await;
    exchange.controls.mute(Target::Connection(1)).await.unwrap();
    while !first.is_silent(SILENCE).await {}
    second.texts(100).await;
    exchange.controls.unmute(Target::Connection(1)).await.unwrap();
    first.texts(10).await;
    exchange.controls.mute(Target::Connection(1)).await.unwrap();
    while !first.is_silent(SILENCE).await {}
    drop(first);
    exchange.until("the muted client is gone", |stats| stats.connections == 1).await;
    drop(second);
    let stats = exchange.stop().await.stats;
    assert!(0 < stats.unsent, "{stats:?}");
}

#[tokio::test]
async fn garbage_of_every_sort_reaches_the_client_as_it_is() {
    let exchange = start(walk("1")).await;
    let mut client = exchange.connect("/stream").await;
    client.ask("LIST_SUBSCRIPTIONS", &[]).await;
    let everyone = Target::Everyone;
    exchange.controls.send_text(everyone, "{not json").await.unwrap();
    assert_eq!(client.text().await, "{not json");
    exchange.controls.send_binary(everyone, &[0, 1, 2, 255]).await.unwrap();
    assert_eq!(client.message().await.unwrap().unwrap(), Message::binary(vec![0, 1, 2, 255]));
    let oversize = "x".repeat(1 << 20);
    exchange.controls.send_text(everyone, &oversize).await.unwrap();
    assert_eq!(client.text().await, oversize);
    exchange.controls.send_raw(everyone, &[0xff; 64]).await.unwrap();
    assert!(matches!(client.message().await, Some(Err(Error::Protocol(_)))));
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn a_shutdown_is_announced_as_an_event() {
    let exchange = start(walk("1")).await;
    let mut client = exchange.connect("/stream").await;
    client.ask("LIST_SUBSCRIPTIONS", &[]).await;
    exchange.controls.announce_shutdown(Target::Everyone).await.unwrap();
    let notice = client.json().await;
    assert_eq!(notice["stream"], json!("!serverShutdown"));
    assert_eq!(notice["data"]["e"], json!("serverShutdown"));
    assert!(notice["data"]["E"].is_i64());
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn all_connections_can_be_cut_again_and_again() {
    let exchange = start(ExchangeOptions { cut_every: Some(Duration::from_millis(50)), ..walk("100") }).await;
    for _ in 0..3 {
        let mut client = exchange.connect("/stream?streams=btcusdt@trade").await;
        while let Some(Ok(_)) = client.message().await {}
    }
    assert_eq!(exchange.stop().await.stats.connections_total, 3);
}

#[tokio::test]
async fn a_stopped_exchange_closes_with_going_away_and_its_controls_say_that_it_ended() {
    let exchange = start(walk("1")).await;
    let mut client = exchange.connect("/stream").await;
    client.ask("LIST_SUBSCRIPTIONS", &[]).await;
    let controls = exchange.controls.clone();
    let (report, close) = tokio::join!(exchange.stop(), client.message());
    assert!(matches!(close, Some(Ok(Message::Close(Some(frame)))) if u16::from(frame.code) == 1001));
    assert_eq!(report.stats.connections, 0);
    assert_eq!(controls.cut(Target::Everyone).await, Err(ExchangeEnded));
}
