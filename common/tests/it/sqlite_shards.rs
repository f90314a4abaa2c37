//! Shards and rosters in a SQLite file, beside the promises that all brokers make.

use std::time::Duration;

use common::broker::shards::{GroupName, HoldShards};
use common::clock;
use common::presence::InstanceId;
use common::roster::{RosterAction, RosterEvent};

use crate::sqlite_broker::open;
use crate::sqlite_broker_audit::tamper;

fn group() -> GroupName {
    "binance".parse().expect("the name is good")
}

#[tokio::test]
async fn shards_and_roster_are_there_again_after_the_file_was_closed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let (group, owner) = (group(), InstanceId::fresh());
    let hold = HoldShards { group: &group, owner, shards: 5, ttl: Duration::from_mins(1) };
    let event = RosterEvent::new(RosterAction::Pause, "test", clock::now());
    let before = {
        let broker = open(&path).await;
        broker.roster_append(&group, std::slice::from_ref(&event)).await.unwrap();
        broker.hold_shards(&hold).await.unwrap()
    };
    let broker = open(&path).await;
    assert_eq!(broker.hold_shards(&hold).await.unwrap(), before);
    assert_eq!(broker.hold_shards(&HoldShards { owner: InstanceId::fresh(), ..hold }).await.unwrap().held, []);
    let news = broker.roster_since(&group, 0).await.unwrap();
    assert_eq!((news.events, news.revision), (vec![event], before.revision));
}

#[tokio::test]
async fn a_file_from_before_there_were_groups_gets_their_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let epoch = open(&path).await.next_epoch().await.unwrap();
    for table in ["queue_owner", "queue_shard", "queue_roster", "queue_group"] {
        tamper(&path, &format!("DROP TABLE {table}"));
    }
    let broker = open(&path).await;
    let (group, owner) = (group(), InstanceId::fresh());
    let hold = HoldShards { group: &group, owner, shards: 1, ttl: Duration::from_mins(1) };
    assert!(epoch < broker.hold_shards(&hold).await.unwrap().held[0].epoch);
}

#[tokio::test]
async fn a_clock_that_is_set_back_does_not_keep_a_dead_owners_shards() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let broker = open(&path).await;
    let (group, [dead, heir]) = (group(), [InstanceId::fresh(), InstanceId::fresh()]);
    let hold = |owner, ttl| HoldShards { group: &group, owner, shards: 2, ttl };
    broker.hold_shards(&hold(dead, Duration::from_millis(20))).await.unwrap();
    // Its word was given an hour ahead of what the clock says now.
    tamper(&path, "UPDATE queue_owner SET deadline = deadline + 3600000000");
    common::testing::eventually("the heir has all", Duration::from_secs(20), async || {
        broker.hold_shards(&hold(heir, Duration::from_mins(1))).await.unwrap().held.len() == 2
    })
    .await;
}
