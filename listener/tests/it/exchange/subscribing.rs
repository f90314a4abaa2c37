//! Requests and what follows from them.

use listener::exchange::{ExchangeOptions, ExchangeSource, Rate, WalkOptions};
use serde_json::{Value, json};

use super::running::{Running, start};

async fn walk(rate: &str) -> Running {
    let rate: Rate = rate.parse().unwrap();
    start(ExchangeOptions::new(ExchangeSource::Walk(WalkOptions { rate, ..WalkOptions::default() }))).await
}

#[tokio::test]
async fn a_subscription_is_acknowledged_first_and_then_served() {
    let exchange = walk("2000").await;
    let mut client = exchange.connect("/stream").await;
    client.send(r#"{"method":"SUBSCRIBE","params":["btcusdt@trade"],"id":1}"#).await;
    assert_eq!(client.text().await, r#"{"result":null,"id":1}"#);
    for id in 1..=20 {
        let frame = client.json().await;
        assert_eq!(frame["stream"], "btcusdt@trade");
        assert_eq!((&frame["data"]["e"], &frame["data"]["s"]), (&json!("trade"), &json!("BTCUSDT")));
        assert_eq!(frame["data"]["t"], json!(id));
    }
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn only_subscribed_streams_are_sent() {
    let exchange = walk("max").await;
    let mut first = exchange.connect("/stream?streams=btcusdt@trade/ethusdt@bookTicker").await;
    let mut second = exchange.connect("/stream").await;
    second.subscribe(&["solusdt@kline_1m", "nosuchcoin@trade", "BTCUSDT@trade"]).await;
    let mut seen: Vec<String> = Vec::new();
    for text in first.texts(500).await {
        let frame: Value = serde_json::from_str(&text).unwrap();
        seen.push(frame["stream"].as_str().unwrap().to_owned());
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, ["btcusdt@trade", "ethusdt@bookTicker"]);
    for text in second.texts(100).await {
        assert!(text.starts_with(r#"{"stream":"solusdt@kline_1m","data":{"e":"kline","#), "{text}");
    }
    drop((first, second));
    exchange.stop().await;
}

#[tokio::test]
async fn after_the_answer_to_an_unsubscription_nothing_of_the_stream_comes() {
    let exchange = walk("max").await;
    let mut client = exchange.connect("/stream?streams=btcusdt@trade/btcusdt@bookTicker").await;
    client.texts(100).await;
    client.ask("UNSUBSCRIBE", &["btcusdt@trade"]).await;
    for text in client.texts(2_000).await {
        assert!(text.starts_with(r#"{"stream":"btcusdt@bookTicker""#), "{text}");
    }
    let list = client.ask("LIST_SUBSCRIPTIONS", &[]).await;
    assert_eq!(list["result"], json!(["btcusdt@bookTicker"]));
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn bare_messages_are_sent_at_the_ws_path_until_the_client_wants_them_wrapped() {
    let exchange = walk("500").await;
    let mut client = exchange.connect("/ws/btcusdt@trade").await;
    assert!(client.text().await.starts_with(r#"{"e":"trade""#));
    client.send(r#"{"method":"SET_PROPERTY","params":["combined",true],"id":9}"#).await;
    while client.text().await != r#"{"result":null,"id":9}"# {}
    assert!(client.text().await.starts_with(r#"{"stream":"btcusdt@trade","data":{"e":"trade""#));
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn wrong_requests_are_answered_and_the_connection_goes_on() {
    let exchange = walk("100").await;
    let mut client = exchange.connect("/stream").await;
    client.send("{oops").await;
    assert_eq!(client.json().await["code"], json!(3));
    client.send(r#"{"method":"DESUBSCRIBE","id":"x"}"#).await;
    let answer = client.json().await;
    assert_eq!((&answer["code"], &answer["id"]), (&json!(2), &json!("x")));
    client.subscribe(&["btcusdt@trade"]).await;
    assert_eq!(client.json().await["stream"], "btcusdt@trade");
    drop(client);
    exchange.stop().await;
}

#[tokio::test]
async fn a_path_that_does_not_exist_is_refused_with_a_reason() {
    let exchange = walk("100").await;
    let refused = tokio_tungstenite::connect_async(format!("{}/market", exchange.url)).await;
    let Err(tokio_tungstenite::tungstenite::Error::Http(response)) = refused else {
        panic!("expected a refusal, got {refused:?}")
    };
    assert_eq!(response.status(), 400);
    assert!(String::from_utf8_lossy(response.body().as_deref().unwrap()).contains("/stream"));
    assert_eq!(exchange.stop().await.stats.refused, 1);
}
