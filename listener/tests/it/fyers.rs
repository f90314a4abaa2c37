//! The data socket of Fyers, end to end: whatever the simulated exchange sends is in the broker, once.

use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::presence::{Link, ListenerState};
use common::shutdown::Shutdown;
use common::testing::eventually;
use listener::ListenerOptions;
use listener::exchange::{self, ExchangeOptions, ExchangeSource, Provider, Rate, WalkOptions};

use crate::memory_broker::MemoryBroker;
use crate::quick_feed::QuickFeed;
use crate::server::PATIENCE;

const SYMBOLS: usize = 250;
const MESSAGES: u64 = 5_000;

/// How a listener asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asking {
    Full,
    Depth,
    Lite,
}

#[tokio::test]
async fn every_full_message_of_250_symbols_over_5_connections_arrives_once() {
    carries(Asking::Full, |body| body.contains(r#""vol_traded_today":"#) && body.contains(r#""ch":"#)).await;
}

#[tokio::test]
async fn every_depth_message_arrives_once() {
    carries(Asking::Depth, |body| body.contains(r#""ask_order5":"#)).await;
}

#[tokio::test]
async fn every_lite_message_of_250_symbols_over_5_connections_arrives_once() {
    carries(Asking::Lite, |body| body.starts_with(r#"{"ltp":"#) && !body.contains("vol_traded_today")).await;
}

async fn carries(asking: Asking, is_right: impl Fn(&str) -> bool) {
    let claims = URL_SAFE_NO_PAD.encode(r#"{"hsm_key":"0123456789abcdef","exp":4102444800}"#);
    let token = format!("APP-100:e30.{claims}.x");
    let rate = Rate::PerSecond(2_500.try_into().unwrap());
    let walk = WalkOptions { symbols: SYMBOLS, rate, messages: Some(MESSAGES), ..WalkOptions::default() };
    let provider: Provider = "fyers".parse().unwrap();
    let mut wanted = ExchangeOptions::new(ExchangeSource::Walk(walk)).of(provider);
    wanted.credential = Some(token.clone());
    // The last symbol is refused, as a wrong one would be.
    wanted.refused = vec!["NSE:SIM154-EQ".to_owned()];
    let exchange = exchange::bind(wanted).await.unwrap();
    let (url, symbols, stats) = (exchange.url(), exchange.symbols().to_vec(), exchange.stats());
    assert_eq!((symbols.len(), symbols.last().map(String::as_str)), (SYMBOLS, Some("NSE:SIM154-EQ")));
    let (market, shutdown, broker) = (Shutdown::new(), Shutdown::new(), MemoryBroker::fresh());
    let running = tokio::spawn(exchange.run(market.clone()));

    let mut options = ListenerOptions::new(QuickFeed::of("fyers", |_| {}), "ticks".parse().unwrap(), symbols);
    options.endpoint = Some(url);
    options.credential = Some(token.into());
    options.lite = asking == Asking::Lite;
    if asking == Asking::Depth {
        options.channels = vec!["depth".to_owned()];
    }
    options.shards.connection_delay = Duration::from_millis(1);
    options.beat_interval = Duration::from_millis(20);
    let listener = tokio::spawn(listener::run(options, Arc::clone(&broker) as _, shutdown.clone()));

    eventually("the end of the walk", PATIENCE, async || stats.now().finished).await;
    eventually("all of it", PATIENCE, async || stats.now().sent_total <= broker.tasks() as u64).await;
    let sent = stats.now();
    assert_eq!((sent.sent_total, sent.connections_total), (MESSAGES, 5), "{sent:?}");
    assert_eq!(
        sent.sent.keys().map(String::as_str).collect::<Vec<_>>(),
        [if asking == Asking::Depth { "dp" } else { "sf" }]
    );
    assert_eq!(broker.tasks() as u64, MESSAGES);
    assert!(broker.seen().iter().all(|task| is_right(&task.body)), "{:?}", broker.seen().first());
    eventually("one refused symbol", PATIENCE, async || broker.listener().is_some_and(|state| is_settled(&state)))
        .await;
    assert!(broker.state().rejected.is_empty(), "{:?}", broker.state().rejected);
    shutdown.begin();
    let summary = listener.await.unwrap().unwrap();
    assert_eq!((summary.received, summary.accepted), (MESSAGES, MESSAGES));
    market.begin();
    running.await.unwrap();
}

/// All connections are live, and one names the refused symbol.
fn is_settled(state: &ListenerState) -> bool {
    let refused: Vec<_> = state.connections.iter().flat_map(|connection| connection.refused.keys()).collect();
    state.connections.iter().all(|connection| connection.state == Link::Live)
        && refused.iter().map(|symbol| &***symbol).eq(["NSE:SIM154-EQ"])
}
