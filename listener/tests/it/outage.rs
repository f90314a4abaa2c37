//! The broker is away, full, silent, or loses its replies: nothing is lost and nothing is doubled.

use std::time::Duration;

use common::presence::Link;
use common::testing::eventually;

use crate::memory_broker::Mood;
use crate::rig::Rig;
use crate::server::PATIENCE;

fn ids_are_complete(rig: &Rig, count: u32) {
    let seqs: Vec<u32> = rig.broker.seen().iter().map(|seen| seen.seq).collect();
    assert_eq!(seqs, (0..count).collect::<Vec<_>>());
    assert_eq!(rig.broker.state().received, u64::from(count));
}

#[tokio::test]
async fn nothing_is_lost_while_the_broker_is_away_and_pings_are_answered() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..10).await;
    rig.tasks(10).await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 10..3_000).await;
    peer.ping("are you there?").await;
    rig.buffered(2_990).await;
    let trouble = rig.broker.listener().unwrap().trouble.unwrap();
    assert_eq!(trouble, "cannot reach the broker at memory: connection refused");
    rig.broker.set(Mood::Up);
    rig.tasks(3_000).await;
    ids_are_complete(&rig, 3_000);
    let calm = || rig.broker.listener().is_some_and(|state| state.trouble.is_none() && state.buffered == 0);
    eventually("trouble over", PATIENCE, async || calm()).await;
    assert_eq!(rig.stop().await.accepted, 3_000);
}

#[tokio::test]
async fn a_lost_reply_is_repeated_and_adds_nothing_twice() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.broker.set(Mood::LosesReplies);
    peer.trades("BTCUSDT", 0..100).await;
    eventually("first try", PATIENCE, async || 0 < rig.broker.tasks()).await;
    rig.broker.set(Mood::Up);
    rig.tasks(100).await;
    ids_are_complete(&rig, 100);
    assert_eq!(rig.stop().await.accepted, 100);
}

#[tokio::test]
async fn a_broker_that_does_not_answer_is_asked_again() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.enqueue.patience = Duration::from_millis(50)).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.broker.set(Mood::Silent);
    peer.trades("BTCUSDT", 0..10).await;
    let told = || rig.broker.listener().and_then(|state| state.trouble);
    eventually("trouble", PATIENCE, async || told().is_some()).await;
    assert_eq!(told().unwrap(), "the broker gave no answer within 50ms");
    rig.broker.set(Mood::Up);
    rig.tasks(10).await;
    ids_are_complete(&rig, 10);
    rig.stop().await;
}

#[tokio::test]
async fn a_full_queue_is_waited_for_and_told() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.enqueue.waiting_max = 7).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.broker.set(Mood::Full);
    peer.trades("BTCUSDT", 0..50).await;
    rig.buffered(50).await;
    let told = || rig.broker.listener().and_then(|state| state.trouble);
    eventually("trouble", PATIENCE, async || told().is_some()).await;
    assert_eq!(told().unwrap(), "the queue is full: 7 tasks wait, the limit is 7");
    rig.broker.set(Mood::Up);
    rig.tasks(50).await;
    ids_are_complete(&rig, 50);
    rig.stop().await;
}

#[tokio::test]
async fn a_connection_waits_for_its_epoch_and_then_comes_up() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    drop(rig.server.accept_subscribed().await);
    rig.broker.set(Mood::Away);
    rig.connection("down", |state| state.state == Link::Reconnecting).await;
    let told = || rig.broker.listener().and_then(|state| state.trouble);
    eventually("trouble", PATIENCE, async || told().is_some()).await;
    let text = "connections wait for an epoch: cannot reach the broker at memory: connection refused";
    assert_eq!(told().unwrap(), text);
    rig.broker.set(Mood::Up);
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..1).await;
    rig.tasks(1).await;
    eventually("trouble over", PATIENCE, async || told().is_none()).await;
    rig.stop().await;
}
