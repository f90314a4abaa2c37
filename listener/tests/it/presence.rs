//! What the listener says of itself while it runs.

use std::sync::Arc;

use common::testing::eventually;

use crate::rig::Rig;
use crate::server::PATIENCE;

#[tokio::test]
async fn the_presence_record_shows_the_process_and_its_connections() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.buffer.messages_max = 77).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..3).await;
    let connection = rig.connection("messages", |state| state.messages == 3).await;
    assert_eq!((connection.conn, &*connection.feed, connection.symbols), (1, "binance", 1));
    assert!(connection.last_frame_at.is_some() && connection.last_message_at <= connection.last_frame_at);
    let record = rig.broker.state().presences.values().next().unwrap().clone();
    assert_eq!((record.pid, record.started_at <= record.beat_at), (std::process::id(), true));
    let state = rig.broker.listener().unwrap();
    assert_eq!((state.queue.unwrap().as_str(), state.buffer_max), ("ticks", 77));
    rig.stop().await;
}

#[tokio::test]
async fn the_record_is_removed_when_the_listener_stops() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let broker = Arc::clone(&rig.broker);
    eventually("present", PATIENCE, async || broker.listener().is_some()).await;
    rig.stop().await;
    assert!(broker.listener().is_none());
}

#[tokio::test]
async fn symbols_beyond_the_limit_are_shown_by_name() {
    let rig = Rig::start(&["BTCUSDT", "ETHUSDT", "what?"], |options| options.shards.symbols_max = 1).await;
    let connection = rig.connection("refused", |state| state.refused.len() == 2).await;
    assert_eq!(&*connection.refused["ETHUSDT"], "more symbols than the limit of 1");
    let _peer = rig.server.accept_subscribed().await;
    rig.live().await;
    let connection = rig.connection("still refused", |state| state.confirmed == 1).await;
    assert!(connection.refused.contains_key("what?") && connection.refused.contains_key("ETHUSDT"));
    rig.stop().await;
}
