//! Massive, from the simulated exchange to the broker.

use common::presence::Link;
use common::testing::eventually;

use crate::server::PATIENCE;
use crate::simulated::{KEY, Simulated, decoded};

/// `{"ev":"T",...` -> `T`.
fn kind(body: &str) -> &str {
    body.split('"').nth(3).unwrap()
}

#[tokio::test]
async fn all_symbols_share_one_connection_and_everything_sent_arrives_but_the_refused_symbol() {
    let exchange = Simulated::start("massive", &[7]).await;
    let listening = exchange.listen(&exchange.symbols, |_| {});
    let live = listening.live().await;
    assert_eq!((live.len(), live[0].symbols, live[0].confirmed, live[0].reason.clone()), (1, 250, 249, None));
    let refused = &exchange.symbols[7];
    assert_eq!(live[0].refused, [(refused.as_str().into(), "not authorized".into())].into());
    listening.symbols(249, |body| decoded("massive", kind(body), body)).await;
    exchange.all_has_arrived(&listening).await;
    let tasks = listening.broker.tasks() as u64;
    let summary = listening.stop().await;
    assert_eq!((summary.received, summary.accepted), (tasks, tasks));
    exchange.stop();
}

#[tokio::test]
async fn a_connection_that_another_process_puts_out_stops_and_does_not_fight() {
    let exchange = Simulated::start("massive", &[]).await;
    let first = exchange.listen(&exchange.symbols[..5], |_| {});
    first.live().await;
    let second = exchange.listen(&exchange.symbols[..5], |_| {});
    let stopped = first.until("stopped", |state| state.state == Link::Stopped).await;
    let reason = stopped[0].reason.clone().unwrap();
    assert!(reason.contains("another connection with this API key took the place"), "{reason}");
    second.live().await;
    let before = second.broker.tasks();
    eventually("the second goes on", PATIENCE, async || before + 200 <= second.broker.tasks()).await;
    let stats = exchange.stats.now();
    assert_eq!((stats.connections, stats.connections_total), (1, 2), "the first one has not come back");
    assert_eq!(second.connections()[0].reconnects, 0);
    first.stop().await;
    second.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn markets_do_not_put_each_other_out() {
    let exchange = Simulated::start("massive", &[]).await;
    let stocks = exchange.listen(&exchange.symbols[..5], |_| {});
    let pairs: Vec<String> = exchange.symbols[..5].iter().map(|asset| format!("{asset}-USD")).collect();
    let crypto = exchange.listen(&pairs, |_| {});
    for listening in [&stocks, &crypto] {
        listening.live().await;
        listening.symbols(5, |body| decoded("massive", kind(body), body)).await;
    }
    assert_eq!(exchange.stats.now().connections, 2);
    stocks.stop().await;
    crypto.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn a_wrong_key_is_told_and_not_shown() {
    let exchange = Simulated::start("massive", &[]).await;
    let wrong = "wr0ng-key";
    let listening = exchange.listen(&exchange.symbols[..1], |options| options.credential = Some(wrong.into()));
    let told =
        listening.until("told", |state| state.reason.as_deref().is_some_and(|why| why.contains("refused"))).await;
    let reason = told[0].reason.clone().unwrap();
    assert!(!reason.contains(wrong) && !reason.contains(KEY), "{reason}");
    assert_eq!(listening.broker.tasks(), 0);
    listening.stop().await;
    exchange.stop();
}
