//! Twelve Data, from the simulated exchange to the broker.

use common::presence::Link;
use listener::exchange::Target;

use crate::simulated::{Simulated, decoded};

#[tokio::test]
async fn all_symbols_fit_three_connections_and_everything_sent_arrives_but_the_refused_symbol() {
    let exchange = Simulated::start("twelvedata", &[7]).await;
    let listening = exchange.listen(&exchange.symbols, |_| {});
    let live = listening.live().await;
    let sum = |count: fn(&common::presence::ConnectionState) -> u64| live.iter().map(count).sum::<u64>();
    assert_eq!((live.len(), sum(|state| state.symbols), sum(|state| state.confirmed)), (3, 250, 249));
    let refused: Vec<_> = live.iter().flat_map(|state| state.refused.keys()).collect();
    assert_eq!(refused, [exchange.symbols[7].as_str()].map(Box::<str>::from).iter().collect::<Vec<_>>());
    assert!(exchange.symbols[7].ends_with(":TSX"), "its answer names ticker and exchange apart");
    listening.symbols(249, |body| decoded("twelvedata", "price", body)).await;
    exchange.all_has_arrived(&listening).await;
    let tasks = listening.broker.tasks() as u64;
    let summary = listening.stop().await;
    assert_eq!((summary.received, summary.accepted), (tasks, tasks));
    exchange.stop();
}

#[tokio::test]
async fn an_error_without_an_event_is_told_without_the_key() {
    let exchange = Simulated::start("twelvedata", &[]).await;
    let wrong = "wr0ng-key";
    let listening = exchange.listen(&exchange.symbols[..1], |options| options.credential = Some(wrong.into()));
    let told = listening.until("told", |state| state.reason.as_deref().is_some_and(|why| why.contains("apikey"))).await;
    let reason = told[0].reason.clone().unwrap();
    assert_eq!(reason, "provider reports: apikey parameter is incorrect or not specified (code 401)");
    listening.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn an_error_that_no_new_attempt_helps_stops_and_hides_the_key() {
    let exchange = Simulated::start("twelvedata", &[]).await;
    let listening = exchange.listen(&exchange.symbols[..3], |_| {});
    listening.live().await;
    let text = r#"{"status":"error","code":402,"message":"the plan of s3cret-key has no streaming"}"#;
    exchange.controls.send_text(Target::Everyone, text).await.unwrap();
    let stopped = listening.until("stopped", |state| state.state == Link::Stopped).await;
    let wanted = "provider reports: the plan of *** has no streaming (code 402)";
    assert_eq!(stopped[0].reason.as_deref(), Some(wanted));
    listening.stop().await;
    exchange.stop();
}
