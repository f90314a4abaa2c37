//! Shards and their owners.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Place;
use super::hand::{LONG, PATIENCE};
use crate::broker::shards::{GroupName, HeldShard, HoldShards, ShardGrant, ShardMap};
use crate::broker::{Broker, BrokerError};
use crate::clock;
use crate::presence::InstanceId;
use crate::testing::eventually;

mod random;

pub use random::random_owners_never_hold_one_shard_together;

/// Short enough to wait for, long enough for a few calls on a busy machine.
const BRIEF: Duration = Duration::from_millis(400);

pub(super) fn group() -> GroupName {
    "suite.feed".parse().expect("the name is good")
}

/// One listener, as far as shards go.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) broker: Arc<dyn Broker>,
    pub(super) owner: InstanceId,
}

impl Member {
    pub(super) fn new(broker: &Arc<dyn Broker>) -> Self {
        Self { broker: Arc::clone(broker), owner: InstanceId::fresh() }
    }

    pub(super) async fn try_hold(&self, shards: u32, ttl: Duration) -> Result<ShardGrant, BrokerError> {
        self.broker.hold_shards(&HoldShards { group: &group(), owner: self.owner, shards, ttl }).await
    }

    pub(super) async fn hold(&self, shards: u32, ttl: Duration) -> Vec<HeldShard> {
        self.try_hold(shards, ttl).await.expect("hold").held
    }
}

pub(super) fn numbers(held: &[HeldShard]) -> Vec<u32> {
    held.iter().map(|held| held.shard).collect()
}

/// Whoever comes or goes: two rounds later every shard is held, by nobody more than by others.
pub async fn owners_come_to_fair_shares_within_two_rounds(place: Place) {
    for (shards, sizes) in [(10, &[1, 2, 3, 2, 1, 4][..]), (7, &[3, 1, 2, 5]), (2, &[1, 3, 1]), (0, &[2])] {
        let mut members: Vec<Member> = Vec::new();
        for &size in sizes {
            while members.len() < size {
                members.push(Member::new(if members.len().is_multiple_of(2) { &place.one } else { &place.two }));
                members[members.len() - 1].hold(shards, LONG).await;
            }
            for gone in members.drain(size..) {
                place.one.release_shards(&group(), gone.owner).await.expect("release");
            }
            let mut held = Vec::new();
            members.rotate_left(1);
            for _ in 0..2 {
                held.clear();
                for member in &members {
                    held.push(member.hold(shards, LONG).await);
                }
            }
            let mut all: Vec<u32> = held.iter().flat_map(|held| numbers(held)).collect();
            all.sort_unstable();
            assert_eq!(all, (0..shards).collect::<Vec<_>>(), "{size} owners of {shards} shards: {held:?}");
            let (least, most) = (held.iter().map(Vec::len).min(), held.iter().map(Vec::len).max());
            assert!(most <= least.map(|least| least + 1), "{size} owners of {shards} shards: {held:?}");
        }
        for gone in members {
            place.one.release_shards(&group(), gone.owner).await.expect("release");
        }
    }
}

/// As if the reply had been lost: the same shards, under the same epochs.
pub async fn a_repeated_hold_keeps_what_was_held(place: Place) {
    let [one, two] = [Member::new(&place.one), Member::new(&place.two)];
    one.hold(5, LONG).await;
    for _ in 0..2 {
        one.hold(5, LONG).await;
        two.hold(5, LONG).await;
    }
    let (first, second) = (one.try_hold(5, LONG).await.expect("hold"), two.try_hold(5, LONG).await.expect("hold"));
    for _ in 0..3 {
        assert_eq!(one.try_hold(5, LONG).await.expect("hold"), first);
        assert_eq!(two.try_hold(5, LONG).await.expect("hold"), second);
    }
    assert_eq!((first.owners, numbers(&first.held), numbers(&second.held)), (2, vec![0, 1, 2], vec![3, 4]));
}

/// The broker's clock decides, not whoever is in a hurry.
pub async fn a_silent_owners_shards_move_when_its_time_is_up_and_not_before(place: Place) {
    let [dead, heir] = [Member::new(&place.one), Member::new(&place.two)];
    let asked_at = clock::monotonic();
    assert_eq!(dead.hold(4, BRIEF).await.len(), 4);
    eventually("the heir has all", PATIENCE, async || {
        let held = heir.hold(4, LONG).await;
        if held.is_empty() {
            return false;
        }
        assert_eq!(held.len(), 4, "all at once");
        true
    })
    .await;
    // A millisecond for brokers that count in milliseconds.
    assert!(BRIEF <= asked_at.elapsed() + Duration::from_millis(1), "too early: {:?}", asked_at.elapsed());
}

/// It never gets back what somebody else holds, and what it gets later has a later epoch.
pub async fn a_frozen_owner_finds_its_shards_gone(place: Place) {
    let [frozen, heir] = [Member::new(&place.one), Member::new(&place.two)];
    let before = frozen.hold(4, Duration::from_millis(1)).await;
    assert_eq!(before.len(), 4);
    eventually("the heir has all", PATIENCE, async || heir.hold(4, LONG).await.len() == 4).await;
    assert_eq!(frozen.hold(4, LONG).await, [], "back again, and everything is the heir's");
    assert_eq!(frozen.hold(4, LONG).await, []);
    let kept = heir.hold(4, LONG).await;
    assert_eq!(numbers(&kept), [0, 1], "it gives up the higher half");
    let after = frozen.hold(4, LONG).await;
    assert_eq!(numbers(&after), [2, 3]);
    let latest = before.iter().chain(&kept).map(|held| held.epoch).max();
    assert!(after.iter().all(|held| latest < Some(held.epoch)), "{before:?} {after:?}");
}

/// Everybody's time ran out, and nobody was dead.
pub async fn an_outage_of_the_broker_moves_no_shard(place: Place) {
    let [one, two] = [Member::new(&place.one), Member::new(&place.two)];
    one.hold(6, LONG).await;
    two.hold(6, LONG).await;
    let held = (one.hold(6, BRIEF).await, two.hold(6, LONG).await);
    assert_eq!((held.0.len(), two.hold(6, BRIEF).await.len()), (3, 3));
    eventually("both are too late", PATIENCE, async || {
        let map = place.one.shard_map(&group()).await.expect("map");
        map.owners.iter().all(|owner| owner.deadline < clock::now())
    })
    .await;
    assert_eq!(one.hold(6, LONG).await, held.0, "the first one back takes nothing from the other");
    assert_eq!(one.hold(6, LONG).await, held.0);
    assert_eq!(two.hold(6, LONG).await, held.1);
}

/// One of them did not survive the outage.
pub async fn an_owner_that_never_comes_back_is_waited_for_once(place: Place) {
    let [one, dead] = [Member::new(&place.one), Member::new(&place.two)];
    one.hold(6, LONG).await;
    dead.hold(6, LONG).await;
    one.hold(6, Duration::from_millis(1)).await;
    dead.hold(6, Duration::from_millis(1)).await;
    // Always late, as on a machine that cannot keep up.
    eventually("the dead one's shards are taken", PATIENCE, async || {
        one.hold(6, Duration::from_millis(1)).await.len() == 6
    })
    .await;
    // Somebody new waits for nobody.
    let new = Member::new(&place.two);
    eventually("the new one has all", PATIENCE, async || new.hold(6, LONG).await.len() == 6).await;
}

/// A stop in good order costs nobody a wait.
pub async fn a_clean_stop_gives_everything_back_at_once(place: Place) {
    let [leaving, staying] = [Member::new(&place.one), Member::new(&place.two)];
    assert_eq!(leaving.hold(3, LONG).await.len(), 3);
    assert_eq!(staying.hold(3, LONG).await, []);
    for _ in 0..2 {
        place.two.release_shards(&group(), leaving.owner).await.expect("release");
    }
    let grant = staying.try_hold(3, LONG).await.expect("hold");
    assert_eq!((grant.held.len(), grant.owners), (3, 1));
}

/// Symbols came or went: what is in both plans stays where it is.
pub async fn a_plan_may_shrink_and_grow(place: Place) {
    let [one, two] = [Member::new(&place.one), Member::new(&place.two)];
    for shards in [6, 6, 9, 9, 3, 3, 0, 0, 4, 4] {
        let before = (one.hold(shards, LONG).await, two.hold(shards, LONG).await);
        let after = (one.hold(shards, LONG).await, two.hold(shards, LONG).await);
        let all: BTreeSet<u32> = numbers(&after.0).into_iter().chain(numbers(&after.1)).collect();
        assert_eq!(all, (0..shards).collect(), "{before:?} {after:?}");
        assert!(after.0.len().abs_diff(after.1.len()) <= 1, "{after:?}");
        let mapped = place.one.shard_map(&group()).await.expect("map");
        assert_eq!(mapped.shards.len(), shards as usize, "what is beyond the plan is gone");
    }
    let kept = one.hold(4, LONG).await;
    let grown = one.hold(40, LONG).await;
    assert!(kept.iter().all(|held| grown.contains(held)), "{kept:?} {grown:?}");
}

/// A call looks at every shard, so their number has a limit.
pub async fn a_plan_past_the_limit_is_refused(place: Place) {
    let member = Member::new(&place.one);
    let refused = member.try_hold(HoldShards::SHARDS_MAX + 1, LONG).await;
    assert!(matches!(&refused, Err(BrokerError::Unexpected { answer, .. }) if answer.contains("2001")), "{refused:?}");
    assert_eq!(member.hold(HoldShards::SHARDS_MAX, LONG).await.len(), HoldShards::SHARDS_MAX as usize);
}

/// So the order keys fence every former owner off.
pub async fn the_epochs_of_a_shard_rise_from_owner_to_owner(place: Place) {
    let mut last = None;
    for turn in 0..4 {
        let member = Member::new(if turn % 2 == 0 { &place.one } else { &place.two });
        let held = member.hold(3, LONG).await;
        let epochs: BTreeSet<_> = held.iter().map(|held| held.epoch).collect();
        assert_eq!(epochs.len(), 3, "each its own: {held:?}");
        assert!(last < epochs.first().copied(), "{last:?} before {held:?}");
        // A session of this owner takes one more while it holds the shard.
        last = Some(member.broker.next_epoch().await.expect("an epoch"));
        assert!(epochs.last() < last.as_ref());
        member.broker.release_shards(&group(), member.owner).await.expect("release");
    }
}

/// Two feeds in one deployment do not disturb each other.
pub async fn groups_are_apart_and_known_once_they_were_used(place: Place) {
    assert_eq!(place.one.groups().await.expect("groups"), []);
    let [first, second] = ["suite.a", "suite.b"].map(|name| name.parse::<GroupName>().expect("the name is good"));
    let owner = InstanceId::fresh();
    for group in [&second, &first, &second] {
        let hold = HoldShards { group, owner, shards: 3, ttl: LONG };
        assert_eq!(place.one.hold_shards(&hold).await.expect("hold").held.len(), 3);
    }
    place.two.release_shards(&second, owner).await.expect("release");
    assert_eq!(place.two.shard_map(&first).await.expect("map").shards.len(), 3);
    assert_eq!(place.two.groups().await.expect("groups"), [first, second]);
}

/// For people.
pub async fn a_map_shows_who_is_there_and_who_holds_what(place: Place) {
    assert_eq!(place.one.shard_map(&group()).await.expect("map"), ShardMap::default());
    let [one, two] = [Member::new(&place.one), Member::new(&place.two)];
    let before = clock::now();
    let held = one.hold(3, LONG).await;
    assert_eq!(two.hold(5, LONG).await.len(), 2);
    let map = place.two.shard_map(&group()).await.expect("map");
    let owners: Vec<_> = map.owners.iter().map(|owner| (owner.owner, owner.plan)).collect();
    assert_eq!(owners, [(one.owner, 3), (two.owner, 5)]);
    let shards: Vec<_> = map.shards.iter().map(|lease| (lease.shard, lease.owner)).collect();
    assert_eq!(shards, [(0, one.owner), (1, one.owner), (2, one.owner), (3, two.owner), (4, two.owner)]);
    assert_eq!(map.shards[0].since, held[0].since);
    // The broker's clock is this machine's here; a second of tolerance for its steps.
    let latest = clock::now().after(LONG + Duration::from_secs(1));
    assert!(map.shards.iter().all(|lease| before < lease.deadline && lease.deadline < latest), "{map:?}");
}
