//! Owners that come, go, freeze and come back at random, and what each of them may rely on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Member, group, numbers};
use crate::broker::shards::HeldShard;
use crate::market::Epoch;
use crate::testing::broker_suite::Place;
use crate::testing::broker_suite::dice::{self, Dice};
use crate::testing::broker_suite::hand::LONG;

const ACTIONS: u32 = 400;
const SEEDS: [u64; 2] = [1, 2];
const OWNERS: u32 = 4;

/// No shard is ever held by two owners whose time has not run out, whoever freezes, dies or comes back; whoever calls
/// in time keeps what he has, up to the fair share; and the epochs of a shard only rise.
pub async fn random_owners_never_hold_one_shard_together(place: Place) {
    for seed in SEEDS.into_iter().chain([dice::fresh_seed()]) {
        say(seed);
        let mut run = Run { place: &place, dice: Dice::new(seed), owners: Vec::new(), epochs: Epochs::default() };
        for _ in 0..ACTIONS {
            run.act().await;
        }
        run.finish().await;
    }
}

#[expect(clippy::print_stderr, reason = "a run that fails must be repeatable: add its seed to `SEEDS`")]
fn say(seed: u64) {
    eprintln!("random owners, seed {seed}");
}

/// Every epoch that was given, and the highest of each shard.
#[derive(Debug, Default)]
struct Epochs {
    given: BTreeSet<Epoch>,
    highest: BTreeMap<u32, Epoch>,
}

/// An owner and what it believes to hold.
#[derive(Debug)]
struct Owner {
    member: Member,
    held: Vec<HeldShard>,
    /// Its time cannot have run out; otherwise it may have, at any moment.
    is_safe: bool,
}

struct Run<'p> {
    place: &'p Place,
    dice: Dice,
    owners: Vec<Owner>,
    epochs: Epochs,
}

impl Run<'_> {
    async fn act(&mut self) {
        match self.dice.below(100) {
            0..8 if (self.owners.len() as u64) < u64::from(OWNERS) => self.come(),
            0..80 => self.hold().await,
            80..88 => self.go().await,
            88..94 => self.die(),
            _ => self.look().await,
        }
    }

    fn come(&mut self) {
        let broker = if self.dice.one_in(2) { &self.place.one } else { &self.place.two };
        self.owners.push(Owner { member: Member::new(broker), held: Vec::new(), is_safe: false });
    }

    /// One of the owners, by its place; none when there is nobody.
    fn somebody(&mut self) -> Option<usize> {
        let count = u32::try_from(self.owners.len()).expect("a few");
        (0 < count).then(|| self.dice.below(count) as usize)
    }

    async fn hold(&mut self) {
        let Some(at) = self.somebody() else { return };
        let shards = if self.dice.one_in(6) { 4 + self.dice.below(5) } else { 7 };
        let is_safe = !self.dice.one_in(4);
        let ttl = if is_safe { LONG } else { Duration::from_millis(1 + u64::from(self.dice.below(4))) };
        let mut grants = Vec::new();
        for _ in 0..=u32::from(self.dice.one_in(5)) {
            // Twice, as if the first reply had been lost.
            grants.push(self.owners[at].member.try_hold(shards, ttl).await.expect("hold"));
        }
        for grant in grants {
            assert!(numbers(&grant.held).is_sorted_by(|a, b| a < b), "{grant:?}");
            assert!(grant.held.iter().all(|held| held.shard < shards), "{grant:?}");
            assert!(grant.held.len() <= shards.div_ceil(grant.owners) as usize, "more than a fair share: {grant:?}");
            self.check_others(at, &grant.held);
            self.check_own(at, &grant.held, shards / grant.owners);
            self.epochs.check(&self.owners[at].held, &grant.held);
            self.owners[at].held = grant.held;
            self.owners[at].is_safe = is_safe;
        }
    }

    fn check_others(&self, at: usize, held: &[HeldShard]) {
        let mine = numbers(held);
        for (_, other) in self.owners.iter().enumerate().filter(|(i, other)| *i != at && other.is_safe) {
            let both: Vec<u32> = numbers(&other.held).into_iter().filter(|shard| mine.contains(shard)).collect();
            assert!(both.is_empty(), "shards {both:?} have two owners");
        }
    }

    /// Whoever was in time loses nothing below its share.
    fn check_own(&self, at: usize, held: &[HeldShard], share_min: u32) {
        let Owner { held: before, is_safe, .. } = &self.owners[at];
        let lost = before.iter().filter(|before| !held.contains(before) && before.shard < 4).count();
        if *is_safe && 0 < lost {
            assert!(share_min as usize <= held.len(), "lost too much: {before:?} -> {held:?}");
        }
    }

    async fn go(&mut self) {
        let Some(at) = self.somebody() else { return };
        let owner = self.owners.swap_remove(at);
        self.place.two.release_shards(&group(), owner.member.owner).await.expect("release");
    }

    /// Without a word. Its shards come free when its time is up, so it must not have asked for a long one.
    fn die(&mut self) {
        if let Some(at) = self.owners.iter().position(|owner| !owner.is_safe) {
            self.owners.swap_remove(at);
        }
    }

    /// The map says what the owners know.
    async fn look(&mut self) {
        let map = self.place.one.shard_map(&group()).await.expect("map");
        assert!(map.shards.is_sorted_by(|a, b| a.shard < b.shard), "{map:?}");
        for owner in self.owners.iter().filter(|owner| owner.is_safe) {
            let mapped = map.shards.iter().filter(|lease| lease.owner == owner.member.owner);
            assert_eq!(mapped.map(|lease| lease.shard).collect::<Vec<_>>(), numbers(&owner.held));
        }
    }

    /// Everybody leaves, and somebody new has everything.
    async fn finish(&mut self) {
        while !self.owners.is_empty() {
            self.go().await;
        }
        let last = Member::new(&self.place.one);
        crate::testing::eventually("all shards are free", super::PATIENCE, async || {
            last.hold(7, LONG).await.len() == 7
        })
        .await;
        let held = last.hold(7, LONG).await;
        self.epochs.check(&[], &held);
        self.place.one.release_shards(&group(), last.owner).await.expect("release");
    }
}

impl Epochs {
    fn check(&mut self, before: &[HeldShard], now: &[HeldShard]) {
        for held in now.iter().filter(|held| !before.contains(held)) {
            assert!(self.given.insert(held.epoch), "given twice: {held:?}");
            let last = self.highest.insert(held.shard, held.epoch);
            assert!(last < Some(held.epoch), "{last:?} before {held:?}");
        }
    }
}
