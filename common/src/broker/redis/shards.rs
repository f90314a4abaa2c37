//! Shards and rosters of groups on Redis.
//!
//! Keys of group `g` (see `group.lua`): `tidemill:{g}:owners`, `:shards`, `:roster`. Of the whole deployment:
//! `tidemill:groups`. Nothing expires by itself: an owner whose time ran out is swept by the next owner's call.
//!
//! A shard's epoch comes from the deployment's one counter, `tidemill:epoch`, which lies in another Cluster slot than
//! the group: no script can grant a shard and number it in one step. So a grant is two steps: the shard is given without
//! an epoch, *then* the epoch is fetched and written to this grant. The order matters. A former owner's epochs were all
//! given while it held the shard, hence before the grant; the counter only rises; so an epoch fetched after the grant
//! is above all of them, and the order keys fence the former owner off. One fetched before the grant could be below one
//! that the former owner took meanwhile. (A counter per group would be in reach of the script, but two groups may carry
//! the same symbol, and epochs must be unique in the deployment.) If the second step is lost, the shard is held
//! without an epoch and the owner's next call fetches it.

use async_trait::async_trait;
use redis::Value;

use super::{EPOCH, GROUPS, RedisBroker, millis, reply, scripts};
use crate::broker::BrokerError;
use crate::broker::shards::{
    GroupName, HeldShard, HoldShards, ShardBroker, ShardGrant, ShardLease, ShardMap, ShardOwner,
};
use crate::clock::UnixMicros;
use crate::market::Epoch;
use crate::presence::InstanceId;
use crate::roster::{RosterEvent, RosterNews};

#[async_trait]
impl ShardBroker for RedisBroker {
    async fn groups(&self) -> Result<Vec<GroupName>, BrokerError> {
        self.names(GROUPS).await
    }

    async fn hold_shards(&self, wish: &HoldShards<'_>) -> Result<ShardGrant, BrokerError> {
        if let Some(problem) = wish.problem() {
            return Err(self.link.unexpected(problem));
        }
        self.know(GROUPS, wish.group.as_str()).await?;
        let mut call = scripts::SHARDS_HOLD.on(&prefix(wish.group));
        call.arg(wish.owner.to_string()).arg(wish.shards).arg(millis(wish.ttl));
        let answer = self.link.run(&scripts::SHARDS_HOLD, call).await?;
        let [owners, revision, granted] = self.expect(reply::array(answer), "no grant of shards")?;
        let granted = self.expect(read_granted(granted), "a strange grant of shards")?;
        let held = self.numbered(wish, granted).await?;
        Ok(ShardGrant {
            held,
            owners: self.expect(reply::count(&owners).and_then(|count| u32::try_from(count).ok()), "no owners")?,
            revision: self.expect(reply::count(&revision), "no revision")?,
        })
    }

    async fn release_shards(&self, group: &GroupName, owner: InstanceId) -> Result<(), BrokerError> {
        let mut call = scripts::SHARDS_RELEASE.on(&prefix(group));
        call.arg(owner.to_string());
        self.link.run(&scripts::SHARDS_RELEASE, call).await.map(drop)
    }

    async fn shard_map(&self, group: &GroupName) -> Result<ShardMap, BrokerError> {
        let answer = self.link.run(&scripts::SHARDS_MAP, scripts::SHARDS_MAP.on(&prefix(group))).await?;
        let [owners, shards] = self.expect(reply::array(answer), "no map of shards")?;
        let (owners, shards) = self.expect(reply::list(owners).zip(reply::list(shards)), "no map of shards")?;
        // What cannot be read was written by somebody else, and is swept by the next owner's call.
        let mut owners: Vec<ShardOwner> = owners.as_chunks::<2>().0.iter().filter_map(read_owner).collect();
        owners.sort_unstable_by_key(|owner| owner.owner);
        let mut shards: Vec<ShardLease> =
            shards.as_chunks::<2>().0.iter().filter_map(|record| read_lease(record, &owners)).collect();
        shards.sort_unstable_by_key(|lease| lease.shard);
        Ok(ShardMap { owners, shards })
    }

    async fn roster_append(&self, group: &GroupName, events: &[RosterEvent]) -> Result<u64, BrokerError> {
        self.know(GROUPS, group.as_str()).await?;
        self.append(&prefix(group), events).await
    }

    async fn roster_since(&self, group: &GroupName, revision: u64) -> Result<RosterNews, BrokerError> {
        self.since(&prefix(group), revision).await
    }
}

/// What all keys of a group begin with.
fn prefix(group: &GroupName) -> String {
    format!("tidemill:{{{group}}}:")
}

/// A shard as the script grants it: number, since when in milliseconds, epoch or 0.
type Granted = (u32, u64, u64);

impl RedisBroker {
    /// Fetches the epochs that are missing.
    async fn numbered(&self, wish: &HoldShards<'_>, mut granted: Vec<Granted>) -> Result<Vec<HeldShard>, BrokerError> {
        let fresh: Vec<Granted> = granted.iter().filter(|(.., epoch)| *epoch == 0).copied().collect();
        if !fresh.is_empty() {
            let mut call = scripts::EPOCH.on(EPOCH);
            call.arg(fresh.len());
            let answer = self.link.run(&scripts::EPOCH, call).await?;
            let first = reply::count(&answer).ok_or_else(|| self.link.unexpected(answer))?;
            let mut call = scripts::SHARDS_NUMBER.sized(&prefix(wish.group), 3 * fresh.len(), 32 * fresh.len());
            call.arg(wish.owner.to_string());
            for ((shard, since, _), epoch) in fresh.iter().zip(first..) {
                call.arg(*shard).arg(*since).arg(epoch);
            }
            let answer = self.link.run(&scripts::SHARDS_NUMBER, call).await?;
            let numbered = self.expect(read_granted(answer), "strange epochs of shards")?;
            granted.retain(|(.., epoch)| *epoch != 0);
            granted.extend(numbered); // what is missing there was lost meanwhile
            granted.sort_unstable();
        }
        let held = granted.into_iter().map(|(shard, since, epoch)| {
            Some(HeldShard { shard, epoch: Epoch::new(epoch)?, since: from_millis(since)? })
        });
        self.expect(held.collect(), "an epoch out of range")
    }
}

fn from_millis(millis: u64) -> Option<UnixMicros> {
    UnixMicros::from_millis(i64::try_from(millis).ok()?)
}

fn read_granted(list: Value) -> Option<Vec<Granted>> {
    let read = |[shard, record]: &[Value; 2]| {
        let (_, since, epoch) = read_record(record)?;
        Some((u32::try_from(reply::count(shard)?).ok()?, since, epoch))
    };
    reply::list(list)?.as_chunks::<2>().0.iter().map(read).collect()
}

/// `owner|since in ms|epoch`
fn read_record(record: &Value) -> Option<(InstanceId, u64, u64)> {
    let mut parts = reply::text(record)?.splitn(3, '|');
    let owner = InstanceId::parse(parts.next()?)?;
    Some((owner, parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn read_owner([owner, record]: &[Value; 2]) -> Option<ShardOwner> {
    let mut parts = reply::text(record)?.split('|');
    let deadline = parts.next()?.parse().ok().and_then(from_millis)?;
    let plan = parts.nth(1)?.parse().ok()?;
    Some(ShardOwner { owner: InstanceId::parse(reply::text(owner)?)?, plan, deadline })
}

fn read_lease([shard, record]: &[Value; 2], owners: &[ShardOwner]) -> Option<ShardLease> {
    let (owner, since, _) = read_record(record)?;
    let since = from_millis(since)?;
    let deadline = owners.iter().find(|known| known.owner == owner)?.deadline;
    Some(ShardLease { shard: u32::try_from(reply::count(shard)?).ok()?, owner, since, deadline })
}
