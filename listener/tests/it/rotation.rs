//! A session that must end is followed by its successor before it ends, where the provider allows two connections.

use std::time::Duration;

use listener::ListenerOptions;

use crate::quick_feed::QuickFeed;
use crate::rig::Rig;

const SHUTDOWN: &str = r#"{"stream":"!serverShutdown","data":{"e":"serverShutdown","E":1672515782136}}"#;

fn one_at_a_time(options: &mut ListenerOptions) {
    options.feed = QuickFeed::leak(|limits| limits.may_overlap = false);
}

#[tokio::test]
async fn an_announced_shutdown_is_followed_by_a_new_connection_before_the_old_one_closes() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut old = rig.server.accept_subscribed().await;
    rig.live().await;
    old.text(SHUTDOWN).await;
    let mut new = rig.server.accept().await;
    old.trades("BTCUSDT", 0..3).await;
    rig.tasks(3).await;
    new.confirm_one().await;
    assert_eq!(old.goodbye().await, 1000);
    new.trades("BTCUSDT", 3..5).await;
    rig.tasks(5).await;
    let state = rig.connection("replaced", |state| state.reconnects == 1).await;
    let wanted = "replaced without a gap: server announced its shutdown: serverShutdown";
    assert_eq!((state.reason.as_deref(), state.confirmed, state.attempts), (Some(wanted), 1, 2));
    let epochs: Vec<_> = rig.broker.seen().iter().map(|seen| seen.epoch).collect();
    assert!(epochs[0] == epochs[2] && epochs[2] < epochs[3], "{epochs:?}");
    rig.stop().await;
}

#[tokio::test]
async fn a_successor_that_fails_is_tried_again_while_the_old_connection_goes_on() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut old = rig.server.accept_subscribed().await;
    rig.live().await;
    old.text(SHUTDOWN).await;
    drop(rig.server.accept_raw().await);
    drop(rig.server.accept().await);
    old.trades("BTCUSDT", 0..3).await;
    rig.tasks(3).await;
    let _new = rig.server.accept_subscribed().await;
    assert_eq!(old.goodbye().await, 1000);
    rig.stop().await;
}

#[tokio::test]
async fn a_successor_takes_over_when_the_old_connection_is_cut_meanwhile() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut old = rig.server.accept_subscribed().await;
    rig.live().await;
    old.text(SHUTDOWN).await;
    let mut new = rig.server.accept().await;
    let asked = new.subscribe().await;
    drop(old);
    new.text(&format!(r#"{{"result":null,"id":{}}}"#, asked.id)).await;
    new.trades("BTCUSDT", 0..2).await;
    rig.tasks(2).await;
    rig.stop().await;
}

#[tokio::test]
async fn where_two_connections_are_not_allowed_the_old_one_closes_first() {
    let rig = Rig::start(&["BTCUSDT"], one_at_a_time).await;
    let mut old = rig.server.accept_subscribed().await;
    rig.live().await;
    old.text(SHUTDOWN).await;
    assert_eq!(old.goodbye().await, 1000);
    let _new = rig.server.accept_subscribed().await;
    let told = |reason: &str| reason.starts_with("server announced its shutdown: ");
    rig.connection("back", |state| state.reconnects == 1 && state.reason.as_deref().is_some_and(told)).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_connection_is_replaced_before_the_provider_would_cut_it_for_its_age() {
    let age = Some(Duration::from_secs(1));
    let feed = QuickFeed::leak(|limits| limits.session_age_max = age);
    let rig = Rig::start(&["BTCUSDT"], |options| options.feed = feed).await;
    let mut old = rig.server.accept_subscribed().await;
    let _new = rig.server.accept_subscribed().await;
    assert_eq!(old.goodbye().await, 1000);
    rig.connection("replaced", |state| 1 <= state.reconnects).await;
    rig.stop().await;
}
