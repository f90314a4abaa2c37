use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::broker::shards::GroupName;

const TTL: Duration = Duration::from_secs(6);

fn group() -> GroupName {
    "g".parse().unwrap()
}

/// One call at a second of the broker's clock.
fn hold(book: &mut ShardBook, owner: InstanceId, plan: u32, second: i64) -> Vec<u32> {
    let now = UnixMicros::from_secs(second).unwrap();
    book.hold(&HoldShards { group: &group(), owner, shards: plan, ttl: TTL }, now);
    book.held_by(owner).map(|(shard, _)| shard).collect()
}

#[test]
fn the_surplus_is_given_up_from_the_highest_number_down() {
    let (mut book, [one, two]) = (ShardBook::default(), [InstanceId::fresh(), InstanceId::fresh()]);
    assert_eq!(hold(&mut book, one, 5, 0), [0, 1, 2, 3, 4]);
    assert_eq!(hold(&mut book, two, 5, 1), [0; 0]);
    assert_eq!(hold(&mut book, one, 5, 2), [0, 1, 2]);
    assert_eq!(hold(&mut book, two, 5, 3), [3, 4]);
}

#[test]
fn time_runs_out_at_the_deadline_itself() {
    let (mut book, [dead, heir]) = (ShardBook::default(), [InstanceId::fresh(), InstanceId::fresh()]);
    hold(&mut book, dead, 2, 0);
    assert_eq!(hold(&mut book, heir, 2, 5), [0; 0]);
    assert_eq!(hold(&mut book, heir, 2, 6), [0, 1]);
}

#[test]
fn a_clock_that_is_set_back_keeps_no_dead_owner() {
    let (mut book, [dead, heir]) = (ShardBook::default(), [InstanceId::fresh(), InstanceId::fresh()]);
    hold(&mut book, dead, 2, 3_600);
    assert_eq!(hold(&mut book, heir, 2, 0), [0; 0]);
    assert_eq!(hold(&mut book, heir, 2, 5), [0; 0]);
    assert_eq!(hold(&mut book, heir, 2, 6), [0, 1]);
}

#[test]
fn what_others_hold_beyond_ones_own_plan_is_theirs() {
    // One owner has heard of the smaller plan already, the other has not.
    let (mut book, [one, two]) = (ShardBook::default(), [InstanceId::fresh(), InstanceId::fresh()]);
    for second in 0..2 {
        hold(&mut book, one, 6, second);
        hold(&mut book, two, 6, second);
    }
    hold(&mut book, one, 6, 2);
    assert_eq!(hold(&mut book, one, 4, 3), [0, 1]);
    assert_eq!(hold(&mut book, two, 6, 3), [3, 4, 5], "nobody took them away");
    assert_eq!(hold(&mut book, two, 4, 4), [2, 3]);
    assert_eq!(hold(&mut book, one, 4, 5), [0, 1]);
}

fn is_fair(book: &ShardBook, owners: &[InstanceId], plan: u32) -> bool {
    let counts: Vec<usize> = owners.iter().map(|owner| book.held_by(*owner).count()).collect();
    let (least, most) = (counts.iter().min().unwrap(), counts.iter().max().unwrap());
    counts.iter().sum::<usize>() == plan as usize && *most <= *least + 1
}

proptest! {
    /// From any state that calls can lead to, whoever is first in a round.
    #[test]
    fn two_rounds_make_it_fair_and_a_third_changes_nothing(
        calls in vec((0..6_usize, 0..20_u32), 0..40),
        plan in 0..20_u32,
        present in 1..6_usize,
        first in 0..6_usize,
    ) {
        let everybody: Vec<InstanceId> = (0..6).map(|_| InstanceId::fresh()).collect();
        let mut book = ShardBook::default();
        for (who, plan) in calls {
            hold(&mut book, everybody[who], plan, 0);
        }
        for gone in &everybody[present..] {
            book.release(*gone);
        }
        let mut owners = everybody[..present].to_vec();
        for owner in &owners {
            hold(&mut book, *owner, plan, 1); // now everybody is there
        }
        owners.rotate_left(first % present);
        for _ in 0..2 {
            for owner in &owners {
                hold(&mut book, *owner, plan, 1);
            }
        }
        prop_assert!(is_fair(&book, &owners, plan), "{book:?}");
        let settled = book.clone();
        owners.reverse();
        for owner in &owners {
            hold(&mut book, *owner, plan, 1);
        }
        prop_assert_eq!(book, settled);
    }
}
