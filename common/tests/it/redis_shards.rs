//! Shards and rosters on Redis, beside the promises that all brokers make: restarts, keys, and a Redis without room.

use std::sync::Arc;
use std::time::Duration;

use common::broker::redis::connect;
use common::broker::shards::{GroupName, HoldShards};
use common::broker::{Broker, BrokerError};
use common::clock;
use common::presence::InstanceId;
use common::roster::{Roster, RosterAction, RosterEvent};
use common::testing::{RedisServer, eventually};

const LONG: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(20);

async fn open(args: &[&str]) -> (RedisServer, Arc<dyn Broker>) {
    let server = RedisServer::start_with(args).await;
    let broker = connect(&server.url()).await.expect("the server runs");
    (server, broker)
}

fn group() -> GroupName {
    "binance".parse().expect("the name is good")
}

fn subscribe(symbol: &str) -> RosterEvent {
    RosterEvent::new(RosterAction::Subscribe { symbol: symbol.into() }, "test", clock::now())
}

#[tokio::test]
async fn shards_and_roster_outlive_a_redis_that_is_killed() {
    let (mut server, broker) = open(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let (group, owner) = (group(), InstanceId::fresh());
    let hold = HoldShards { group: &group, owner, shards: 5, ttl: LONG };
    let revision = broker.roster_append(&group, &[subscribe("BTCUSDT")]).await.unwrap();
    let before = broker.hold_shards(&hold).await.unwrap();
    assert_eq!((before.held.len(), before.revision), (5, revision));
    server.restart().await;
    eventually("it answers again", PATIENCE, async || broker.preflight().await.is_ok()).await;
    assert_eq!(broker.hold_shards(&hold).await.unwrap(), before);
    let stranger = HoldShards { owner: InstanceId::fresh(), ..hold };
    assert_eq!(broker.hold_shards(&stranger).await.unwrap().held, []);
    let mut roster = Roster::default();
    roster.catch_up(&broker.roster_since(&group, 0).await.unwrap());
    assert_eq!((roster.symbols(), roster.revision()), (vec!["BTCUSDT"], revision));
}

#[tokio::test]
async fn a_redis_that_lost_everything_gives_later_epochs_and_revisions() {
    let (mut server, broker) = open(&[]).await;
    let (group, owner) = (group(), InstanceId::fresh());
    let hold = HoldShards { group: &group, owner, shards: 1, ttl: LONG };
    let mut roster = Roster::new(&["A"]);
    let revision = broker.roster_append(&group, &[subscribe("B")]).await.unwrap();
    roster.catch_up(&broker.roster_since(&group, 0).await.unwrap());
    let before = broker.hold_shards(&hold).await.unwrap();
    server.restart().await;
    eventually("it answers again", PATIENCE, async || broker.preflight().await.is_ok()).await;
    let mut after = broker.hold_shards(&hold).await.unwrap();
    eventually("the epochs' tenth of a second is over", PATIENCE, async || {
        broker.release_shards(&group, owner).await.unwrap();
        after = broker.hold_shards(&hold).await.unwrap();
        before.held[0].epoch < after.held[0].epoch
    })
    .await;
    assert_eq!(after.revision, 0);
    let news = broker.roster_since(&group, roster.revision()).await.unwrap();
    assert!(news.is_restart);
    roster.catch_up(&news);
    assert_eq!(roster.symbols(), ["A"], "what operators had asked for is gone, for everybody");
    assert!(revision < broker.roster_append(&group, &[subscribe("C")]).await.unwrap());
    assert_eq!(broker.groups().await.unwrap(), [group], "it is known again");
}

#[tokio::test]
async fn every_key_of_a_group_lies_in_its_slot_and_none_expires() {
    let (server, broker) = open(&[]).await;
    let (group, owner) = (group(), InstanceId::fresh());
    broker.roster_append(&group, &[subscribe("BTCUSDT")]).await.unwrap();
    broker.hold_shards(&HoldShards { group: &group, owner, shards: 2, ttl: LONG }).await.unwrap();
    let keys = server.cli(&["KEYS", "*"]);
    let mut keys: Vec<&str> = keys.lines().collect();
    keys.sort_unstable();
    let own = ["owners", "roster", "shards"].map(|end| format!("tidemill:{{binance}}:{end}"));
    assert_eq!(keys, ["tidemill:epoch", "tidemill:groups", &own[0], &own[1], &own[2]]);
    assert!(keys.iter().all(|key| server.cli(&["TTL", key]) == "-1"), "{keys:?}");
    let roster = server.cli(&["ZRANGE", &own[1], "0", "-1"]);
    assert!(roster.contains(r#""do":"subscribe","symbol":"BTCUSDT""#), "readable: {roster}");
}

#[tokio::test]
async fn a_full_redis_still_shares_shards_and_hears_operators() {
    let (server, broker) = open(&["--maxmemory-policy", "noeviction"]).await;
    let (group, owner) = (group(), InstanceId::fresh());
    server.cli(&["SET", "ballast", &"x".repeat(100_000)]);
    server.cli(&["CONFIG", "SET", "maxmemory", "100kb"]);
    assert!(server.cli(&["SET", "more", "x"]).starts_with("OOM"));
    let hold = HoldShards { group: &group, owner, shards: 3, ttl: LONG };
    assert_eq!(broker.hold_shards(&hold).await.unwrap().held.len(), 3);
    let pause = RosterEvent::new(RosterAction::Pause, "test", clock::now());
    let revision = broker.roster_append(&group, &[pause]).await.unwrap();
    assert_eq!(broker.hold_shards(&hold).await.unwrap().revision, revision);
    broker.release_shards(&group, owner).await.unwrap();
}

#[tokio::test]
async fn what_a_stranger_wrote_disturbs_nobody_or_is_named() {
    let (server, broker) = open(&[]).await;
    let (group, owner) = (group(), InstanceId::fresh());
    server.cli(&["HSET", "tidemill:{binance}:owners", "me", "for ever"]);
    server.cli(&["HSET", "tidemill:{binance}:shards", "0", "mine", "one", "me|1|1"]);
    assert_eq!(broker.shard_map(&group).await.unwrap().owners, []);
    let grant = broker.hold_shards(&HoldShards { group: &group, owner, shards: 2, ttl: LONG }).await.unwrap();
    assert_eq!((grant.held.len(), grant.owners), (2, 1));
    let newer = r#"{"v":2,"do":"dance"}"#;
    server.cli(&["ZADD", "tidemill:{binance}:roster", "7", newer]);
    let refused = broker.roster_since(&group, 0).await.unwrap_err();
    assert!(
        matches!(&refused, BrokerError::Unfit { problem, fix, .. }
        if problem.contains("newer program") && fix.contains("upgrade")),
        "{refused:?}"
    );
    broker.roster_append(&group, &[subscribe("BTCUSDT")]).await.expect("an append looks at nothing old");
}

#[tokio::test]
async fn an_epoch_that_came_too_late_is_not_used() {
    // The first step of a grant was done, and its epoch lost; then another owner had the shard in between.
    let (server, broker) = open(&[]).await;
    let (group, [one, two]) = (group(), [InstanceId::fresh(), InstanceId::fresh()]);
    let hold = |owner| HoldShards { group: &group, owner, shards: 1, ttl: LONG };
    broker.hold_shards(&hold(one)).await.unwrap();
    let unnumbered = format!("{one}|1|0");
    server.cli(&["HSET", "tidemill:{binance}:shards", "0", &unnumbered]);
    let first = broker.hold_shards(&hold(one)).await.unwrap().held[0];
    assert_eq!(first.since.0, 1_000, "the same grant, numbered now");
    broker.release_shards(&group, one).await.unwrap();
    let second = broker.hold_shards(&hold(two)).await.unwrap().held[0];
    assert!(first.epoch < second.epoch);
}
