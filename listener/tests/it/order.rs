//! Every message once, in order, whole.

use common::queue::Task;

use crate::rig::Rig;
use crate::server::trade;

#[tokio::test]
async fn all_messages_arrive_whole_and_in_order_with_contiguous_seq() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..5_000).await;
    rig.tasks(5_000).await;
    for (id, seen) in (0..).zip(rig.broker.seen()) {
        assert_eq!((seen.conn, u64::from(seen.seq)), (1, id));
        assert_eq!(seen.body, trade("BTCUSDT", id));
    }
    let first = rig.broker.state().tasks[0].clone();
    let task = Task::decode(&first).unwrap();
    assert_eq!((&*task.feed, &*task.kind, task.attempt), ("binance", "trade", 0));
    let age = task.at.age_at(common::clock::now());
    assert!(age < crate::server::PATIENCE, "receive time is {age:?} ago");
    let summary = rig.stop().await;
    assert_eq!((summary.received, summary.accepted), (5_000, 5_000));
}

#[tokio::test]
async fn a_reconnected_session_has_a_greater_epoch_and_starts_its_seq_anew() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..3).await;
    rig.tasks(3).await;
    drop(peer);
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 3..5).await;
    rig.tasks(5).await;
    let keys: Vec<_> = rig.broker.seen().iter().map(|seen| (seen.epoch, seen.seq)).collect();
    let first = keys[0].0;
    assert_eq!(keys[..3], [(first, 0), (first, 1), (first, 2)]);
    assert!(first < keys[3].0);
    // The first place of the new epoch tells of the time between the two sessions.
    assert_eq!(keys[3..], [(keys[3].0, 1), (keys[3].0, 2)]);
    let gaps = rig.broker.gaps();
    assert!(gaps.len() == 1 && gaps[0].contains(r#""reason":"reconnect""#), "{gaps:?}");
    rig.stop().await;
}

#[tokio::test]
async fn a_hole_in_the_provider_s_numbers_is_told_ahead_of_the_message_behind_it() {
    let rig = Rig::start(&["BTCUSDT"], |_| {}).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    peer.trades("BTCUSDT", 1..3).await;
    peer.trades("BTCUSDT", 7..8).await;
    rig.tasks(3).await;
    let gaps = rig.broker.gaps();
    assert_eq!(gaps.len(), 1);
    let wanted = r#"{"symbol":"BTCUSDT","stream":"btcusdt@trade","kind":"trade","from":3,"to":6,"missing":4,"#;
    assert!(gaps[0].starts_with(wanted), "{gaps:?}");
    assert_eq!(rig.broker.seen().iter().map(|seen| seen.seq).collect::<Vec<_>>(), [0, 1, 3]);
    let state = rig.connection("counted", |state| state.continuity.gaps == 1).await;
    assert_eq!(state.continuity.missing, 4);
    rig.stop().await;
}

#[tokio::test]
async fn a_session_that_has_used_up_its_seq_goes_on_in_the_next_epoch() {
    let rig = Rig::start(&["BTCUSDT"], |options| options.link.seq_max = 1).await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..5).await;
    rig.tasks(5).await;
    let keys: Vec<_> = rig.broker.seen().iter().map(|seen| (seen.epoch, seen.seq)).collect();
    let first = keys[0].0;
    assert_eq!(keys, [(first, 0), (first, 1), (first + 1, 0), (first + 1, 1), (first + 2, 0)]);
    rig.stop().await;
}

#[tokio::test]
async fn two_connections_carry_their_own_symbols_and_do_not_disturb_each_other() {
    let rig = Rig::start(&["BTCUSDT", "ETHUSDT"], |options| options.shards.symbols_per_connection = 1).await;
    let mut one = rig.server.accept().await;
    let mut two = rig.server.accept().await;
    let first = one.confirm_one().await.params;
    let second = two.confirm_one().await.params;
    let mut streams = [first[0].as_str(), second[0].as_str()];
    streams.sort_unstable();
    assert_eq!((first.len(), second.len(), streams), (1, 1, ["btcusdt@trade", "ethusdt@trade"]));
    two.trades(second[0].trim_end_matches("@trade"), 0..10).await;
    rig.tasks(10).await;
    drop(one);
    two.trades(second[0].trim_end_matches("@trade"), 10..20).await;
    rig.tasks(20).await;
    let seen = rig.broker.seen();
    assert!(seen.iter().all(|task| (task.conn, task.epoch) == (seen[0].conn, seen[0].epoch)));
    assert_eq!(seen.iter().map(|task| task.seq).collect::<Vec<_>>(), (0..20).collect::<Vec<_>>());
    let _again = rig.server.accept_subscribed().await;
    rig.stop().await;
}

#[tokio::test]
async fn what_was_accepted_is_written_down_when_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("accepted.log");
    let rig = Rig::start(&["BTCUSDT"], |options| {
        options.accepted_log = Some(path.clone());
        options.enqueue.tasks_max = 3;
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..10).await;
    rig.tasks(10).await;
    let epoch = rig.broker.seen()[0].epoch;
    assert_eq!(rig.stop().await.accepted, 10);
    let text = std::fs::read_to_string(path).unwrap();
    let mut next = 0;
    for line in text.lines() {
        let words: Vec<&str> = line.split(' ').collect();
        let ["accepted", "ticks", _producer, _batch, of, first, last] = words[..] else { panic!("{line}") };
        assert_eq!((of.parse(), first.parse()), (Ok(epoch), Ok(next)), "{line}");
        next = last.parse::<u32>().unwrap() + 1;
    }
    assert_eq!(next, 10, "{text}");
}
