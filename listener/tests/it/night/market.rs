//! The market closes and opens, and data stop though it is open.

use std::time::Duration;

use common::presence::Link;
use listener::exchange::{ExchangeSource, Rate, WalkOptions};

use super::{Attempts, data_flows, each, for_a_while};
use crate::quick_feed::QuickFeed;
use crate::simulated::Simulated;

const AGE: Duration = Duration::from_secs(2);

#[tokio::test]
async fn a_closed_market_is_waited_for_on_the_same_connections() {
    let exchange = Simulated::start("upstox", &[]).await;
    let listening = exchange.listen(&exchange.symbols[..100], |options| {
        options.feed = QuickFeed::of("upstox", |_| {});
        options.link.data_age_max = Some(AGE);
    });
    let live = listening.live().await;
    assert_eq!(each(&live, |state| state.is_market_open), [Some(true); 2]);
    data_flows(&listening).await;

    let attempts = Attempts::from_now(&listening);
    exchange.controls.set_market_open(false).await.unwrap();
    listening.until("closed", |state| state.is_market_open == Some(false)).await;
    for_a_while(&listening, AGE * 3, |state| state.state == Link::Live && state.reason.is_none()).await;
    assert_eq!(attempts.told("closed market", &listening), 0);

    exchange.controls.set_market_open(true).await.unwrap();
    listening.until("open", |state| state.is_market_open == Some(true)).await;
    data_flows(&listening).await;
    for_a_while(&listening, AGE, |state| state.state == Link::Live && state.reason.is_none()).await;
    let after = listening.connections();
    assert_eq!(each(&after, |state| (state.attempts, state.reconnects)), [(1, 0); 2]);
    assert_eq!(exchange.stats.now().connections_total, 2);
    exchange.all_has_arrived(&listening).await;
    assert_eq!(listening.broker.gaps(), [""; 0]);
    listening.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn after_the_opening_the_first_message_has_its_time() {
    let slow = WalkOptions { rate: Rate::PerSecond(1.try_into().unwrap()), ..WalkOptions::default() };
    let exchange = Simulated::changed("upstox", |options, _| options.source = ExchangeSource::Walk(slow)).await;
    let listening = exchange.listen(&exchange.symbols[..1], |options| {
        options.feed = QuickFeed::of("upstox", |_| {});
        options.link.data_age_max = Some(AGE);
    });
    listening.live().await;
    for night in 1..=3_u32 {
        exchange.controls.set_market_open(false).await.unwrap();
        listening.until("closed", |state| state.is_market_open == Some(false)).await;
        // Not a whole number of ages: the age runs when the market opens.
        for_a_while(&listening, AGE + AGE * night / 4, |_| true).await;
        exchange.controls.set_market_open(true).await.unwrap();
        data_flows(&listening).await;
    }
    assert_eq!(each(&listening.connections(), |state| (state.attempts, state.reconnects)), [(1, 0)]);
    listening.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn a_connection_without_data_while_the_market_is_open_is_replaced_and_the_provider_is_not_stormed() {
    let exchange = Simulated::start("binance", &[]).await;
    let listening = exchange.listen(&exchange.symbols[..100], |options| {
        options.feed = QuickFeed::leak(|limits| limits.ping_interval = AGE / 4);
        options.link.data_age_max = Some(AGE);
    });
    listening.live().await;
    data_flows(&listening).await;

    // Binance says nothing of it, and crypto always trades: for the listener the market stays open.
    exchange.controls.set_market_open(false).await.unwrap();
    let attempts = Attempts::from_now(&listening);
    let wanted = format!("no data for {AGE:?} while the market is open");
    let replaced = listening.until("replaced", |state| state.reason.as_ref() == Some(&wanted)).await;
    assert_eq!(each(&replaced, |state| state.is_market_open), [Some(true); 2]);
    for_a_while(&listening, AGE * 6, |state| state.reason.as_ref() == Some(&wanted)).await;
    let knocked = attempts.told("open market without data", &listening);
    assert!((2..=20).contains(&knocked), "{knocked}");

    exchange.controls.set_market_open(true).await.unwrap();
    listening.live().await;
    data_flows(&listening).await;
    let attempts = Attempts::from_now(&listening);
    for_a_while(&listening, AGE, |state| state.state == Link::Live).await;
    assert_eq!(attempts.told("open market with data again", &listening), 0);
    listening.stop().await;
    exchange.stop();
}
