//! The buffer is full: the named policy acts, and the counts add up.

use listener::Overflow;

use crate::memory_broker::Mood;
use crate::rig::Rig;
use crate::server::PATIENCE;

async fn overflown(overflow: Overflow) -> (Rig, crate::server::Peer) {
    let rig = Rig::start(&["BTCUSDT", "ETHUSDT"], |options| {
        options.buffer.messages_max = 20;
        options.buffer.overflow = overflow;
        options.enqueue.tasks_max = 5;
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..1).await;
    rig.buffered(1).await; // in the enqueuer's hand from now on
    (rig, peer)
}

#[tokio::test]
async fn merging_keeps_the_newest_of_each_symbol_and_counts_add_up() {
    let (rig, mut peer) = overflown(Overflow::Merge).await;
    peer.trades("ETHUSDT", 1..2).await;
    peer.trades("BTCUSDT", 1..999).await;
    peer.ping("not held up").await;
    rig.buffered(21).await;
    rig.broker.set(Mood::Up);
    rig.tasks(21).await;
    let seqs: Vec<u32> = rig.broker.seen().iter().map(|seen| seen.seq).collect();
    assert!(seqs.is_sorted());
    assert_eq!(seqs[..2], [0, 1], "the one in hand, and the only one of the quiet symbol");
    assert_eq!(seqs[20], 999);
    let summary = rig.stop().await;
    assert_eq!((summary.received, summary.accepted, summary.shed["merge"]), (1_000, 21, 979));
}

#[tokio::test]
async fn what_is_shed_is_reported_to_the_broker_once() {
    let (rig, mut peer) = overflown(Overflow::DropOldest).await;
    peer.trades("BTCUSDT", 1..500).await;
    peer.ping("not held up").await;
    rig.buffered(21).await;
    rig.broker.set(Mood::Up);
    rig.tasks(21).await;
    assert_eq!(rig.broker.state().received, 500);
    assert_eq!(rig.broker.state().shed, [("drop_oldest".into(), 479)].into());
    assert_eq!(rig.broker.seen().last().unwrap().seq, 499);
    rig.stop().await;
}

#[tokio::test]
async fn a_blocked_reader_gives_up_nothing_and_shows_life() {
    let rig = Rig::start(&["BTCUSDT"], |options| {
        options.feed = crate::quick_feed::QuickFeed::leak(|limits| {
            limits.ping_interval = std::time::Duration::from_millis(20);
        });
        options.buffer.messages_max = 20;
        options.buffer.overflow = Overflow::Block;
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..1_000).await;
    loop {
        use tokio_tungstenite::tungstenite::Message;
        if let Message::Pong(_) = peer.frame().await.expect("hung up").unwrap() {
            break; // unasked, as it cannot read our pings now
        }
    }
    assert!(rig.broker.listener().unwrap().buffered < 1_000);
    rig.broker.set(Mood::Up);
    rig.tasks(1_000).await;
    let summary = rig.stop().await;
    assert_eq!((summary.received, summary.accepted), (1_000, 1_000));
}

#[tokio::test]
async fn a_blocked_listener_stops_and_hands_over_what_it_has_read() {
    let rig = Rig::start(&["BTCUSDT"], |options| {
        options.buffer.messages_max = 20;
        options.buffer.overflow = Overflow::Block;
        options.drain_grace = PATIENCE;
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..100).await;
    rig.connection("blocked", |state| 20 < state.messages).await;
    let broker = std::sync::Arc::clone(&rig.broker);
    let stopped = rig.stop();
    let recovered = async { broker.set(Mood::Up) };
    let (summary, ()) = tokio::join!(stopped, recovered);
    assert!(20 < summary.received);
    assert_eq!(summary.accepted, summary.received);
}
