//! How shards are shared out. Pure; the SQLite broker keeps it in tables, `redis/shards_hold.lua` says the same in Lua.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{HoldShards, ShardLease, ShardMap, ShardOwner};
use crate::clock::UnixMicros;
use crate::market::Epoch;
use crate::presence::InstanceId;

#[cfg(test)]
mod tests;

/// What a broker remembers of one group.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShardBook {
    /// Who is there.
    pub owners: BTreeMap<InstanceId, Membership>,
    /// Who holds what. Every holder is among the owners.
    pub shards: BTreeMap<u32, Holding>,
}

/// One owner's being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Membership {
    /// Until when.
    pub deadline: UnixMicros,
    /// How long its word counts.
    pub ttl: Duration,
    /// Shards of its plan.
    pub plan: u32,
    /// Whether it got more time without asking. Nobody gets it twice.
    pub is_waited_for: bool,
}

/// One shard's being held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holding {
    /// By whom.
    pub owner: InstanceId,
    /// Since when.
    pub since: UnixMicros,
    /// Its epoch; `None` until it was fetched, which must be after the shard was granted.
    pub epoch: Option<Epoch>,
}

impl ShardBook {
    /// One call of an owner. What it gains has no epoch yet.
    pub fn hold(&mut self, wish: &HoldShards<'_>, now: UnixMicros) {
        self.renew(wish, now);
        let (owner, plan) = (wish.owner, wish.shards);
        let owners = &self.owners;
        self.shards
            .retain(|shard, holding| owners.contains_key(&holding.owner) && (holding.owner != owner || *shard < plan));
        let limit = self.share(owner, plan);
        let mut held: Vec<u32> = self.held_by(owner).map(|(shard, _)| shard).collect();
        while limit < held.len() {
            if let Some(highest) = held.pop() {
                self.shards.remove(&highest);
            }
        }
        let missing = limit - held.len();
        let taken: BTreeSet<u32> = self.shards.keys().copied().collect();
        for shard in (0..plan).filter(|shard| !taken.contains(shard)).take(missing) {
            self.shards.insert(shard, Holding { owner, since: now, epoch: None });
        }
    }

    /// Prolongs the caller's time and forgets those whose time ran out.
    fn renew(&mut self, wish: &HoldShards<'_>, now: UnixMicros) {
        for member in self.owners.values_mut() {
            // Farther ahead than it can have asked for: the clock was set back.
            member.deadline = member.deadline.min(now.after(member.ttl));
        }
        let was_here = self.owners.contains_key(&wish.owner);
        let broker_was_away = was_here && self.owners.values().all(|member| member.deadline <= now);
        self.owners.retain(|owner, member| {
            if *owner == wish.owner || now < member.deadline {
                return true;
            }
            if !broker_was_away || member.is_waited_for {
                return false;
            }
            (member.deadline, member.is_waited_for) = (now.after(member.ttl), true);
            true
        });
        let (deadline, ttl, plan) = (now.after(wish.ttl), wish.ttl, wish.shards);
        self.owners.insert(wish.owner, Membership { deadline, ttl, plan, is_waited_for: false });
    }

    /// How many shards of `plan` the owner may hold. All may hold the quotient; of the remainder one each, who have it.
    fn share(&self, owner: InstanceId, plan: u32) -> usize {
        let (plan, owners) = (plan as usize, self.owners.len().max(1));
        let (quotient, remainder) = (plan / owners, plan % owners);
        let mut others = BTreeMap::<InstanceId, usize>::new();
        for (shard, holding) in &self.shards {
            if holding.owner != owner && (*shard as usize) < plan {
                *others.entry(holding.owner).or_default() += 1;
            }
        }
        let have_more = others.values().filter(|held| quotient < **held).count();
        quotient + usize::from(have_more < remainder)
    }

    /// What an owner holds, by number.
    pub fn held_by(&self, owner: InstanceId) -> impl Iterator<Item = (u32, &Holding)> {
        self.shards.iter().filter(move |(_, holding)| holding.owner == owner).map(|(shard, holding)| (*shard, holding))
    }

    /// Forgets an owner and frees what it held.
    pub fn release(&mut self, owner: InstanceId) {
        self.owners.remove(&owner);
        self.shards.retain(|_, holding| holding.owner != owner);
    }

    /// For people.
    pub fn map(&self) -> ShardMap {
        let owner = |(owner, member): (&InstanceId, &Membership)| ShardOwner {
            owner: *owner,
            plan: member.plan,
            deadline: member.deadline,
        };
        let lease = |(shard, holding): (&u32, &Holding)| {
            let Membership { deadline, .. } = self.owners.get(&holding.owner)?;
            Some(ShardLease { shard: *shard, owner: holding.owner, since: holding.since, deadline: *deadline })
        };
        ShardMap {
            owners: self.owners.iter().map(owner).collect(),
            shards: self.shards.iter().filter_map(lease).collect(),
        }
    }
}
