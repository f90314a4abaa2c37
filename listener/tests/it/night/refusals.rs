//! Symbols and places are refused.

use std::time::Duration;

use common::presence::Link;

use super::{Attempts, data_flows, each, for_a_while};
use crate::quick_feed::QuickFeed;
use crate::simulated::Simulated;

#[tokio::test]
async fn a_refused_symbol_is_named_with_its_reason_and_costs_the_others_nothing() {
    let exchange = Simulated::start("twelvedata", &[3]).await;
    let listening = exchange.listen(&exchange.symbols[..8], |options| {
        options.feed = QuickFeed::of("twelvedata", |_| {});
    });
    let attempts = Attempts::from_now(&listening);
    let live = listening.live().await;
    data_flows(&listening).await;
    let refused: Vec<_> = live.iter().flat_map(|state| &state.refused).collect();
    eprintln!("refused: {refused:?}");
    let [(symbol, reason)] = refused[..] else { unreachable!("one is refused: {refused:?}") };
    assert_eq!(&**symbol, exchange.symbols[3]);
    assert!(!reason.is_empty());
    assert_eq!(live.iter().map(|state| state.confirmed).sum::<u64>(), 7);
    assert_eq!(attempts.told("a refused symbol", &listening), 1);
    listening.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn a_connection_all_of_whose_symbols_are_refused_does_not_knock_for_data() {
    const AGE: Duration = Duration::from_millis(500);
    let exchange = Simulated::start("massive", &[0, 1]).await;
    // Crypto always trades, so data could be missed.
    let pairs: Vec<_> = exchange.symbols[..2].iter().map(|asset| format!("{asset}-USD")).collect();
    let listening = exchange.listen(&pairs, |options| {
        options.feed = QuickFeed::of("massive", |_| {});
        options.link.data_age_max = Some(AGE);
    });
    let refused = listening.until("both are refused", |state| state.refused.len() == 2).await;
    assert_eq!(each(&refused, |state| state.confirmed), [0]);
    let attempts = Attempts::from_now(&listening);
    for_a_while(&listening, AGE * 6, |state| state.state == Link::Live).await;
    assert_eq!(attempts.told("nothing but refused symbols", &listening), 0);
    assert_eq!(each(&listening.connections(), |state| state.is_market_open), [Some(true)]);
    listening.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn a_connection_that_was_put_out_stays_out_when_the_other_process_has_gone() {
    let exchange = Simulated::start("massive", &[]).await;
    let first = exchange.listen(&exchange.symbols[..5], |_| {});
    first.live().await;
    let second = exchange.listen(&exchange.symbols[..5], |_| {});
    let stopped = first.until("stopped", |state| state.state == Link::Stopped).await;
    second.live().await;
    let attempts = Attempts::from_now(&first);
    for_a_while(&second, Duration::from_secs(2), |state| state.state == Link::Live && state.attempts == 1).await;
    data_flows(&second).await;
    second.stop().await;
    for_a_while(&first, Duration::from_secs(2), |state| state.state == Link::Stopped && state.attempts == 1).await;
    assert_eq!(attempts.told("put out", &first), 0);
    assert_eq!(first.connections()[0].reason, stopped[0].reason);
    first.stop().await;
    let third = exchange.listen(&exchange.symbols[..5], |_| {});
    third.live().await;
    data_flows(&third).await;
    third.stop().await;
    exchange.stop();
}
