//! Listeners of one group must have the same settings.

use std::sync::Arc;

use common::shutdown::Shutdown;

use crate::rig::{Rig, options};

#[tokio::test]
async fn a_group_of_its_own_lets_a_listener_with_other_symbols_run() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let _peer = rig.server.accept_subscribed().await;
    rig.live().await;
    let mut second = options(&rig.server, &["ETHUSDT"]);
    second.group = Some("mine".parse().unwrap());
    let shutdown = Shutdown::new();
    let running = tokio::spawn(listener::run(second, Arc::clone(&rig.broker) as _, shutdown.clone()));
    let _other = rig.server.accept_subscribed().await;
    shutdown.begin();
    running.await.unwrap().unwrap();
    rig.stop().await;
}

#[tokio::test]
async fn a_listener_with_other_symbols_in_the_same_group_is_refused_by_name() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let _peer = rig.server.accept_subscribed().await;
    rig.live().await;
    let second = options(&rig.server, &["ETHUSDT"]);
    let refused = listener::run(second, Arc::clone(&rig.broker) as _, Shutdown::new()).await.unwrap_err();
    let text = refused.to_string();
    assert!(text.contains("group binance") && text.contains("listener.group"), "{text}");
    rig.stop().await;
}
