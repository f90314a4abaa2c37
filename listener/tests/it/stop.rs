//! A stop, as on SIGTERM: sockets first, then the buffer.

use std::sync::Arc;
use std::time::Duration;

use crate::memory_broker::Mood;
use crate::rig::Rig;

#[tokio::test]
async fn a_stop_says_goodbye_and_hands_over_what_was_read() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.enqueue.tasks_max = 10).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..500).await;
    rig.buffered(500).await;
    let broker = Arc::clone(&rig.broker);
    let (summary, code) = tokio::join!(rig.stop(), async {
        let code = peer.goodbye().await;
        broker.set(Mood::Up);
        code
    });
    assert_eq!(code, 1000);
    assert_eq!((summary.accepted, summary.buffered), (500, 0));
    assert_eq!(broker.tasks(), 500);
}

#[tokio::test]
async fn a_stop_reports_what_is_left_when_the_broker_stays_away() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.drain_grace = Duration::from_millis(200)).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..50).await;
    rig.buffered(50).await;
    let summary = rig.stop().await;
    assert_eq!((summary.received, summary.accepted, summary.buffered), (50, 0, 50));
}

#[tokio::test]
async fn counts_without_tasks_reach_the_broker_before_the_end() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    for _ in 0..20 {
        peer.text("garbage").await;
        peer.ping("seen").await;
    }
    let broker = Arc::clone(&rig.broker);
    rig.stop().await;
    let state = broker.state();
    assert_eq!(state.rejected["not_json"], 20);
    assert!(state.empty_enqueues <= 3, "{} enqueues for counts alone", state.empty_enqueues);
}

#[tokio::test]
async fn a_listener_that_waits_for_everything_stops_at_once() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.endpoint = Some("ws://127.0.0.1:1".into())).await;
    rig.broker.set(Mood::Away);
    let summary = rig.stop().await;
    assert_eq!(summary.received, 0);
}
