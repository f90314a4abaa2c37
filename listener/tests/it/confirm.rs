//! What is wanted and what the provider carries.

use std::time::Duration;

use common::presence::Link;

use crate::rig::Rig;

#[tokio::test]
async fn a_connection_is_live_when_every_stream_is_confirmed() {
    let rig = Rig::start(&["BTCUSDT", "ETHUSDT"], |_| {}).await;
    let mut peer = rig.server.accept().await;
    let subscribe = peer.subscribe().await;
    let state = rig.connection("subscribing", |state| state.state == Link::Subscribing).await;
    assert_eq!((state.symbols, state.confirmed), (2, 0));
    peer.text(&format!(r#"{{"result":null,"id":{}}}"#, subscribe.id)).await;
    let state = rig.connection("live", |state| state.state == Link::Live).await;
    assert_eq!(state.confirmed, 2);
    rig.stop().await;
}

#[tokio::test]
async fn an_unanswered_subscription_is_asked_again_once_and_stays_visible() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.link.confirm_max = Duration::from_millis(100)).await;
    let mut peer = rig.server.accept().await;
    let (first, second) = (peer.subscribe().await, peer.subscribe().await);
    assert_eq!(first.params, second.params);
    let told = |state: &common::presence::ConnectionState| {
        state.reason.as_deref() == Some("1 streams not confirmed: btcusdt@trade")
    };
    let state = rig.connection("told", told).await;
    assert_eq!((state.state, state.confirmed), (Link::Subscribing, 0));
    assert!(peer.is_quiet());
    peer.trades("BTCUSDT", 0..1).await;
    rig.tasks(1).await; // its messages are taken all the same
    peer.text(&format!(r#"{{"result":null,"id":{}}}"#, second.id)).await;
    rig.connection("live", |state| state.state == Link::Live && state.reason.is_none()).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_refused_subscription_shows_its_symbols_and_the_reason() {
    let rig = Rig::start(&["BTCUSDT", "ETHUSDT"], |_| {}).await;
    let mut peer = rig.server.accept().await;
    let subscribe = peer.subscribe().await;
    peer.text(&format!(r#"{{"code":2,"msg":"Invalid request","id":{}}}"#, subscribe.id)).await;
    let state = rig.connection("refused", |state| state.refused.len() == 2).await;
    assert!(state.refused["BTCUSDT"].contains("Invalid request"), "{:?}", state.refused);
    assert_eq!((state.confirmed, state.errors), (0, 1));
    rig.stop().await;
}
