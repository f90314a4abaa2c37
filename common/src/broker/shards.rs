//! Sharing symbols between listener processes: who carries which shard, and what operators asked for at run time.
//!
//! The processes that share one list of symbols are a **group**. Its plan splits the list into shards, numbered from 0.
//! A shard belongs to one owner at most, for as long as the owner keeps saying that it is there. Everything is decided
//! by the broker's clock, in one atomic call; owners never talk to each other. How a listener uses it:
//! `docs/sharing.md`.

use std::time::Duration;

use async_trait::async_trait;
use serde::Serialize;

use super::BrokerError;
use crate::clock::UnixMicros;
use crate::market::Epoch;
use crate::presence::InstanceId;
use crate::roster::{RosterEvent, RosterNews};

mod book;
mod group;
mod turn;

pub use book::{Holding, Membership, ShardBook};
pub use group::{BadGroupName, GroupName};
pub use turn::Turn;

/// Says "I am there", and asks for a fair share of the shards.
#[derive(Debug, Clone, Copy)]
pub struct HoldShards<'a> {
    /// Who shares.
    pub group: &'a GroupName,
    /// Who asks: one life of one process.
    pub owner: InstanceId,
    /// Shards of the plan, at most [`HoldShards::SHARDS_MAX`]. With 0 the owner is there and holds nothing.
    pub shards: u32,
    /// The owner's shards go to others when it was silent for this long.
    pub ttl: Duration,
}

impl HoldShards<'_> {
    /// Shards of one plan at most: a call looks at each of them, which keeps Redis busy for 2.5 us per shard.
    pub const SHARDS_MAX: u32 = 2_000;
    /// A usual lease.
    pub const TTL: Duration = Duration::from_secs(6);
    /// How often to call with [`HoldShards::TTL`]: three tries within a third of it, and what operators ask for is seen
    /// within two intervals.
    pub const INTERVAL: Duration = Duration::from_secs(1);

    /// What is wrong with the wish, in words.
    pub(super) fn problem(&self) -> Option<String> {
        (Self::SHARDS_MAX < self.shards)
            .then(|| format!("a plan of {} shards; at most {} can be shared", self.shards, Self::SHARDS_MAX))
    }
}

/// What the owner holds now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardGrant {
    /// All of it, by number. What was held before and is not named here is another's, or nobody's.
    pub held: Vec<HeldShard>,
    /// Owners in the group, this one included.
    pub owners: u32,
    /// The roster's revision: when it is not the one you have, ask [`ShardBroker::roster_since`].
    pub revision: u64,
}

/// One shard in the owner's hand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct HeldShard {
    /// Its number in the plan.
    pub shard: u32,
    /// Given when this owner got it: above every epoch that a former owner could use. It stays the same while the
    /// shard is held without a gap; another epoch means that somebody else may have held it in between.
    pub epoch: Epoch,
    /// Since when, by the broker's clock.
    pub since: UnixMicros,
}

/// Who is in a group, and who holds what: for people.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ShardMap {
    /// The owners, eldest first.
    pub owners: Vec<ShardOwner>,
    /// The shards that are held, by number.
    pub shards: Vec<ShardLease>,
}

/// One member of a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShardOwner {
    /// Who.
    pub owner: InstanceId,
    /// Shards of the plan that it shares in. Owners that disagree have different settings, or one is about to follow.
    pub plan: u32,
    /// Its shards go to others after this, by the broker's clock.
    pub deadline: UnixMicros,
}

/// One shard that is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ShardLease {
    /// Its number in the plan.
    pub shard: u32,
    /// Who holds it.
    pub owner: InstanceId,
    /// Since when, by the broker's clock.
    pub since: UnixMicros,
    /// Until when, unless the owner says again that it is there.
    pub deadline: UnixMicros,
}

/// Groups of listeners: their shards and their rosters.
#[async_trait]
pub trait ShardBroker {
    /// Groups this broker knows.
    async fn groups(&self) -> Result<Vec<GroupName>, BrokerError>;

    /// Prolongs what the owner holds, gives up what is above its fair share (highest numbers first), and takes free
    /// shards up to it (lowest first). Repeat it several times per `ttl`. The answer counts from when the *question*
    /// left.
    ///
    /// The fair share is `shards / owners`, rounded up for as many owners as need be. Owners whose time ran out are
    /// forgotten in the same step; but when the time of *all* had run out and one of them asks again, it was the broker
    /// that was away: then the others get one more `ttl` to come back, so that an outage moves no shard.
    ///
    /// Never call it twice at once for one owner, and never after [`release_shards`](Self::release_shards).
    async fn hold_shards(&self, wish: &HoldShards<'_>) -> Result<ShardGrant, BrokerError>;

    /// Gives everything back at once and leaves the group: a stop in good order.
    async fn release_shards(&self, group: &GroupName, owner: InstanceId) -> Result<(), BrokerError>;

    /// Who holds what.
    async fn shard_map(&self, group: &GroupName) -> Result<ShardMap, BrokerError>;

    /// Appends events to the roster, up to [`RosterEvent::APPEND_MAX`]: all of them or none. Events that are there
    /// already add nothing. Returns the roster's revision.
    async fn roster_append(&self, group: &GroupName, events: &[RosterEvent]) -> Result<u64, BrokerError>;

    /// What happened after `revision` (0: everything).
    async fn roster_since(&self, group: &GroupName, revision: u64) -> Result<RosterNews, BrokerError>;
}
