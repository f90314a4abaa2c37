//! Connections break, all at once or one in silence.

use std::collections::BTreeSet;
use std::time::Duration;

use common::clock;
use common::presence::{ConnectionState, Link};
use common::queue::{GAP_KIND, Task};
use common::testing::eventually;
use listener::exchange::Target;

use super::{Attempts, data_flows, each, for_a_while};
use crate::quick_feed::QuickFeed;
use crate::simulated::{Listening, Simulated};

/// The connections that have told of a hole between two sessions. What their streams miss in it by their own numbers is
/// told besides.
fn broken(listening: &Listening) -> Vec<u32> {
    let state = listening.broker.state();
    let tasks = state.tasks.iter().map(|element| Task::decode(element).unwrap());
    let says = |task: &Task<'_>, what| task.body.get().contains(what);
    let is_break = |task: &Task<'_>| says(task, r#""stream":"*""#) && says(task, r#""reason":"reconnect""#);
    tasks.filter(|task| task.kind == GAP_KIND && is_break(task)).map(|task| task.conn).collect()
}

#[tokio::test]
async fn five_connections_that_drop_at_once_are_all_back_after_few_attempts() {
    let exchange = Simulated::start("binance", &[]).await;
    let listening = exchange.listen(&exchange.symbols, |options| options.feed = QuickFeed::leak(|_| {}));
    assert_eq!(listening.live().await.len(), 5);
    data_flows(&listening).await;

    let attempts = Attempts::from_now(&listening);
    exchange.controls.cut(Target::Everyone).await.unwrap();
    let cut_at = clock::monotonic();
    let back = |state: &ConnectionState| state.state == Link::Live && 1 <= state.reconnects;
    let again = listening.until("all are back", back).await;
    eprintln!("all dropped at once: all live again after {:.2?}", cut_at.elapsed());
    data_flows(&listening).await;
    for_a_while(&listening, Duration::from_secs(3), |state| state.state == Link::Live).await;
    let knocked = attempts.told("all dropped at once", &listening);
    assert!((5..=10).contains(&knocked), "{knocked}");
    assert_eq!(each(&again, |state| (state.reconnects, state.confirmed)), [(1, 50); 5]);
    for state in &again {
        assert!(state.reason.as_deref().is_some_and(|reason| reason.starts_with("connection lost: ")), "{state:?}");
    }
    let mut told = broken(&listening);
    told.sort_unstable();
    assert_eq!(told, [1, 2, 3, 4, 5], "each tells of its own hole, once");
    listening.stop().await;
    exchange.stop();
}

#[tokio::test]
async fn a_connection_that_falls_silent_is_replaced_and_the_others_go_on() {
    let exchange = Simulated::start("binance", &[]).await;
    let listening = exchange.listen(&exchange.symbols[..150], |options| {
        options.feed = QuickFeed::leak(|limits| {
            limits.silence_max = Duration::from_secs(2);
            limits.ping_interval = Duration::from_millis(600);
        });
    });
    assert_eq!(listening.live().await.len(), 3);
    data_flows(&listening).await;

    let attempts = Attempts::from_now(&listening);
    exchange.controls.mute(Target::Connection(2)).await.unwrap();
    let muted_at = clock::monotonic();
    let is_replaced = || listening.connections().iter().any(|state| state.reconnects == 1 && state.state == Link::Live);
    eventually("replaced", Duration::from_secs(20), async || is_replaced()).await;
    eprintln!("a mute connection: replaced after {:.2?}", muted_at.elapsed());
    data_flows(&listening).await;
    assert_eq!(attempts.told("a mute connection", &listening), 1);
    let after = listening.connections();
    let reasons: BTreeSet<_> = after.iter().map(|state| (state.reconnects, state.reason.as_deref())).collect();
    assert_eq!(reasons, [(0, None), (1, Some("silent for 2s"))].into());
    assert_eq!(each(&after, |state| state.state), [Link::Live; 3]);
    assert_eq!(broken(&listening).len(), 1);
    listening.stop().await;
    exchange.stop();
}
