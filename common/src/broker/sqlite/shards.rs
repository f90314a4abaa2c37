//! Shards and rosters of groups in the file. The rules of sharing are [`ShardBook`]'s; this only keeps its rows.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;

use super::ledger::unsigned;
use super::transaction::Access;
use super::trouble::Trouble;
use super::{SqliteBroker, desk, roster};
use crate::broker::BrokerError;
use crate::broker::shards::{
    BadGroupName, GroupName, HeldShard, HoldShards, Holding, Membership, ShardBook, ShardBroker, ShardGrant, ShardMap,
};
use crate::clock::UnixMicros;
use crate::market::Epoch;
use crate::presence::InstanceId;
use crate::roster::{RosterEvent, RosterNews};
use crate::sqlite::{query, statement};

#[async_trait]
impl ShardBroker for SqliteBroker {
    async fn groups(&self) -> Result<Vec<GroupName>, BrokerError> {
        self.run(Access::Read, |db, _now| groups(db)).await
    }

    async fn hold_shards(&self, wish: &HoldShards<'_>) -> Result<ShardGrant, BrokerError> {
        if let Some(problem) = wish.problem() {
            return Err(Trouble::Refused(problem).at(&self.place));
        }
        let (group, owner, shards, ttl) = (wish.group.clone(), wish.owner, wish.shards, wish.ttl);
        self.run(Access::Write, move |db, now| {
            know(db, &group)?;
            run(db, &HoldShards { group: &group, owner, shards, ttl }, now)
        })
        .await
    }

    async fn release_shards(&self, group: &GroupName, owner: InstanceId) -> Result<(), BrokerError> {
        let group = group.clone();
        self.run(Access::Write, move |db, _now| {
            let before = load(db, &group)?;
            let mut book = before.clone();
            book.release(owner);
            save(db, &group, &before, &book)
        })
        .await
    }

    async fn shard_map(&self, group: &GroupName) -> Result<ShardMap, BrokerError> {
        let group = group.clone();
        self.run(Access::Read, move |db, _now| Ok(load(db, &group)?.map())).await
    }

    async fn roster_append(&self, group: &GroupName, events: &[RosterEvent]) -> Result<u64, BrokerError> {
        let (group, events) = (group.clone(), events.to_vec());
        self.run(Access::Write, move |db, now| {
            know(db, &group)?;
            roster::append(db, &group, &events, now)
        })
        .await
    }

    async fn roster_since(&self, group: &GroupName, revision: u64) -> Result<RosterNews, BrokerError> {
        let group = group.clone();
        self.run(Access::Read, move |db, _now| roster::since(db, &group, revision)).await
    }
}

fn groups(db: &mut SqliteConnection) -> Result<Vec<GroupName>, Trouble> {
    let names = query::<Text>("SELECT name FROM queue_group ORDER BY name").load::<String>(db)?;
    let bad = |error: BadGroupName| Trouble::Damaged(error.to_string());
    names.iter().map(|name| name.parse().map_err(bad)).collect()
}

fn know(db: &mut SqliteConnection, group: &GroupName) -> Result<(), Trouble> {
    statement("INSERT OR IGNORE INTO queue_group (name) VALUES (?)").bind(group.as_str()).execute(db)?;
    Ok(())
}

/// One call of an owner. Within a transaction, epochs included.
fn run(db: &mut SqliteConnection, wish: &HoldShards<'_>, now: UnixMicros) -> Result<ShardGrant, Trouble> {
    let before = load(db, wish.group)?;
    let mut book = before.clone();
    book.hold(wish, now);
    let mut held = Vec::new();
    for (shard, holding) in book.shards.iter_mut().filter(|(_, holding)| holding.owner == wish.owner) {
        let epoch = match holding.epoch {
            Some(epoch) => epoch,
            None => *holding.epoch.insert(desk::next_epoch(db, now)?),
        };
        held.push(HeldShard { shard: *shard, epoch, since: holding.since });
    }
    save(db, wish.group, &before, &book)?;
    let owners = u32::try_from(book.owners.len()).unwrap_or(u32::MAX);
    Ok(ShardGrant { held, owners, revision: roster::revision(db, wish.group)? })
}

fn load(db: &mut SqliteConnection, group: &GroupName) -> Result<ShardBook, Trouble> {
    type Owner = (Text, BigInt, BigInt, BigInt, BigInt);
    type Shard = (BigInt, Text, BigInt, BigInt);
    let bad = |what: &str| Trouble::Damaged(format!("a row of {what} cannot be read"));
    let owners =
        query::<Owner>("SELECT owner, deadline, ttl_us, plan, waited_for FROM queue_owner WHERE group_name = ?")
            .bind(group.as_str())
            .load::<(String, i64, i64, i64, i64)>(db)?;
    let shards = query::<Shard>("SELECT shard, owner, since, epoch FROM queue_shard WHERE group_name = ?")
        .bind(group.as_str())
        .load::<(i64, String, i64, i64)>(db)?;
    let mut book = ShardBook::default();
    for (owner, deadline, ttl_us, plan, waited_for) in owners {
        let owner = InstanceId::parse(&owner).ok_or_else(|| bad("queue_owner"))?;
        let (deadline, ttl) = (UnixMicros(deadline), Duration::from_micros(unsigned(ttl_us)));
        book.owners.insert(owner, Membership { deadline, ttl, plan: unsigned(plan), is_waited_for: waited_for != 0 });
    }
    for (shard, owner, since, epoch) in shards {
        let owner = InstanceId::parse(&owner).ok_or_else(|| bad("queue_shard"))?;
        let (since, epoch) = (UnixMicros(since), Epoch::new(unsigned(epoch)));
        book.shards.insert(unsigned(shard), Holding { owner, since, epoch });
    }
    Ok(book)
}

/// Writes what changed: most calls change one row.
fn save(db: &mut SqliteConnection, group: &GroupName, before: &ShardBook, book: &ShardBook) -> Result<(), Trouble> {
    for (owner, member) in changed(&before.owners, &book.owners) {
        let Some(Membership { deadline, ttl, plan, is_waited_for }) = member else {
            statement("DELETE FROM queue_owner WHERE group_name = ? AND owner = ?")
                .bind(group.as_str())
                .bind(&*owner.to_string())
                .execute(db)?;
            continue;
        };
        statement(
            "INSERT OR REPLACE INTO queue_owner (group_name, owner, deadline, ttl_us, plan, waited_for)
             VALUES (?, ?, ?, ?, ?, ?)",
        )
        .bind(group.as_str())
        .bind(&*owner.to_string())
        .bind(deadline.0)
        .bind(i64::try_from(ttl.as_micros()).unwrap_or(i64::MAX))
        .bind(*plan)
        .bind(i64::from(*is_waited_for))
        .execute(db)?;
    }
    for (shard, holding) in changed(&before.shards, &book.shards) {
        let Some(Holding { owner, since, epoch }) = holding else {
            statement("DELETE FROM queue_shard WHERE group_name = ? AND shard = ?")
                .bind(group.as_str())
                .bind(*shard)
                .execute(db)?;
            continue;
        };
        statement("INSERT OR REPLACE INTO queue_shard (group_name, shard, owner, since, epoch) VALUES (?, ?, ?, ?, ?)")
            .bind(group.as_str())
            .bind(*shard)
            .bind(&*owner.to_string())
            .bind(since.0)
            .bind(epoch.map_or(0, Epoch::get))
            .execute(db)?;
    }
    Ok(())
}

/// Keys whose values differ, with the new one.
fn changed<'a, K: Ord, V: PartialEq>(
    before: &'a BTreeMap<K, V>,
    now: &'a BTreeMap<K, V>,
) -> impl Iterator<Item = (&'a K, Option<&'a V>)> {
    let gone = before.keys().filter(|key| !now.contains_key(key)).map(|key| (key, None));
    gone.chain(now.iter().filter(|(key, value)| before.get(key) != Some(value)).map(|(key, value)| (key, Some(value))))
}
