//! A session ends: the reason is recorded in words, and the listener comes back.

use std::time::Duration;

use common::presence::ConnectionState;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use crate::quick_feed::QuickFeed;
use crate::rig::Rig;

async fn reason(rig: &Rig, reason: &str) -> ConnectionState {
    rig.connection(reason, |state| state.reason.as_deref().is_some_and(|text| text.starts_with(reason))).await
}

/// The listener is back, and its messages flow.
async fn is_back(rig: &Rig) {
    let mut peer = rig.server.accept_subscribed().await;
    let before = rig.broker.tasks();
    peer.trades("BTCUSDT", 0..2).await;
    rig.tasks(before + 2).await;
    let state = rig.connection("reconnects", |state| 1 <= state.reconnects && 2 <= state.messages).await;
    assert_eq!(state.confirmed, 1);
}

#[tokio::test]
async fn a_close_code_is_told_in_words() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.close(1012, "maintenance").await;
    assert_eq!(peer.goodbye().await, 1012);
    reason(&rig, "server closed: 1012 service restart (maintenance)").await;
    is_back(&rig).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_connection_cut_without_a_goodbye_is_told() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    drop(rig.server.accept_subscribed().await);
    reason(&rig, "connection lost: ").await;
    is_back(&rig).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_silent_connection_is_dead_and_one_that_answers_pings_is_not() {
    let feed = QuickFeed::leak(|limits| {
        limits.silence_max = Duration::from_millis(600);
        limits.ping_interval = Duration::from_millis(50);
    });
    let rig = Rig::start(&["BTCUSDT"], |options| options.feed = feed).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    for _ in 0..40 {
        // The library answers each ping when the next frame is read: two seconds of nothing but pings and pongs.
        assert!(matches!(peer.frame().await, Some(Ok(Message::Ping(_)))));
    }
    assert_eq!(rig.broker.listener().unwrap().connections[0].reason, None);
    reason(&rig, "silent for 600ms").await; // we read no more, so nobody answers
    is_back(&rig).await;
    rig.stop().await;
}

#[tokio::test]
async fn garbage_is_counted_and_does_not_end_the_session() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.text("not json").await;
    peer.text(r#"{"who":"knows"}"#).await;
    peer.send(Message::binary(vec![0, 159, 146, 150])).await;
    peer.trades("BTCUSDT", 0..1).await;
    rig.tasks(1).await;
    let state = rig.connection("errors", |state| state.errors == 3).await;
    assert_eq!((state.messages, state.reconnects), (1, 0));
    let rejected = rig.stop().await.rejected;
    assert_eq!((rejected.values().sum::<u64>(), rejected["not_json"], rejected["binary_frame"]), (3, 1, 1));
}

#[tokio::test]
async fn a_message_that_is_too_large_is_counted_and_ends_the_session() {
    let feed = QuickFeed::leak(|limits| limits.message_bytes_max = 10_000);
    let rig = Rig::start(&["BTCUSDT"], |options| options.feed = feed).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..5).await;
    peer.text(&"x".repeat(20_000)).await;
    reason(&rig, "message too large: 20000 bytes of at most 10000").await;
    assert_eq!(peer.goodbye().await, 1009);
    rig.tasks(5).await;
    is_back(&rig).await;
    assert_eq!(rig.stop().await.rejected["too_large"], 1);
}

#[tokio::test]
async fn a_text_that_is_no_utf8_is_counted_and_ends_the_session() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.raw(&[0x81, 0x02, 0xc3, 0x28]).await; // a text frame of two bytes
    reason(&rig, "text frame that is no UTF-8").await;
    assert_eq!(peer.goodbye().await, 1007);
    is_back(&rig).await;
    assert_eq!(rig.stop().await.rejected["not_utf8"], 1);
}

#[tokio::test]
async fn a_protocol_error_is_told() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.raw(&[0xf1, 0x00]).await; // reserved bits
    reason(&rig, "protocol error: ").await;
    is_back(&rig).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_refused_handshake_tells_the_status() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut tcp = rig.server.accept_raw().await;
    tcp.write_all(b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n").await.unwrap();
    reason(&rig, "server refused the WebSocket with HTTP status 503").await;
    drop(tcp);
    drop(rig.server.accept().await);
    rig.stop().await;
}

#[tokio::test]
async fn a_server_that_accepts_and_says_nothing_is_given_up() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.link.connect_max = Duration::from_millis(100)).await;
    let _mute = rig.server.accept_raw().await;
    reason(&rig, "not connected within 100ms").await;
    rig.stop().await;
}

#[tokio::test]
async fn nobody_there_is_told_and_tried_again_for_ever() {
    let rig = Rig::start(&["BTCUSDT"], |options| {
        // A port that was free a moment ago.
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        options.endpoint = Some(format!("ws://{free}"));
    })
    .await;
    let state = reason(&rig, "cannot connect: 127.0.0.1:").await;
    assert!(state.reason.unwrap().contains("refused"));
    assert!(state.next_attempt_at.is_some());
    let epochs = rig.broker.state().epoch;
    rig.connection("more attempts", |_| epochs + 3 < rig.broker.state().epoch).await;
    rig.stop().await;
}

#[tokio::test]
async fn a_name_that_does_not_exist_is_told() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.endpoint = Some("ws://nowhere.invalid:1".into())).await;
    reason(&rig, "name not resolved: nowhere.invalid: ").await;
    rig.stop().await;
}

#[tokio::test]
async fn a_server_without_tls_is_told() {
    let rig = Rig::start(&["BTCUSDT"], |options| {
        let endpoint = options.endpoint.as_mut().unwrap();
        *endpoint = endpoint.replace("ws://", "wss://");
    })
    .await;
    let mut tcp = rig.server.accept_raw().await;
    tcp.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
    reason(&rig, "no secure connection: ").await;
    rig.stop().await;
}
