//! The lease protocol as a model, checked in every state that it can reach.
//!
//! The model is that of `broker/redis/*.lua` and `docs/task-lifecycle.md`, one atomic step for one script. Everything that can
//! happen between two steps does: workers crash and start again under the same name, freeze for longer than their lease
//! (nothing says when a worker acts), requests are lost, repeated, and delivered late, replies are lost, leases expire
//! at any moment, anybody reaps. What is not in it: order of tasks, retries with delay, pauses, the clock; those are in
//! the brokers' promises.

#![expect(clippy::print_stderr, reason = "how large the search was is part of its result")]

use std::time::Duration;

use common::clock;
use explore::{Explored, explore};
use state::{Bug, Rules, State};

mod broker;
mod explore;
mod state;
mod worker;

/// A debug build on a busy machine.
const TIME_MAX: Duration = Duration::from_mins(1);

fn explored(name: &str, rules: Rules) -> Explored {
    let began = clock::monotonic();
    let explored = explore(State::new(rules), rules);
    let took = began.elapsed();
    eprintln!("{name}: {} states, {} steps between them, {took:?}", explored.states, explored.steps);
    assert!(took < TIME_MAX, "{name} took {took:?}");
    explored
}

fn assert_holds(name: &str, rules: Rules) {
    let explored = explored(name, rules);
    assert!(explored.broken.is_none(), "{}", explored.broken.unwrap_or_default());
    assert!(1_000 < explored.states, "{name}: too few states to mean anything");
}

/// The seeded bug is found, by the property that it breaks.
fn assert_finds(name: &str, rules: Rules, property: &str) {
    let broken = explored(name, rules).broken.unwrap_or_else(|| unreachable!("{name}: no counterexample"));
    assert!(broken.starts_with(property), "{broken}");
}

#[test]
fn two_workers_three_tasks_any_crash_any_loss_any_delay() {
    assert_holds("2 workers, 3 tasks, 3 leases", Rules { workers: 2, tasks: 3, leases: 3, ..Rules::default() });
}

#[test]
fn a_batch_that_expires_again_and_again_is_halved_and_nothing_is_lost_by_it() {
    let rules = Rules { workers: 1, tasks: 3, leases: 4, take_max: 3, ..Rules::default() };
    assert_holds("1 worker, 3 tasks at once, 4 leases", rules);
}

#[test]
fn only_a_task_that_expired_alone_three_times_is_convicted() {
    let rules = Rules { workers: 2, tasks: 1, leases: 4, ..Rules::default() };
    assert_holds("2 workers, 1 task, 4 leases", rules);
}

#[test]
fn a_settlement_without_a_fence_is_found() {
    let rules = Rules { bug: Some(Bug::UnfencedSettle), ..Rules::default() };
    assert_finds("settle that does not look at the lease", rules, "I4 fencing");
}

#[test]
fn a_settlement_before_the_commit_is_found() {
    let rules = Rules { bug: Some(Bug::SettleBeforeCommit), ..Rules::default() };
    assert_finds("settle before commit", rules, "commit before ack");
}

#[test]
fn a_lease_whose_name_may_be_used_again_is_found() {
    let rules = Rules { bug: Some(Bug::NoTombstone), leases: 4, tasks: 2, take_max: 1, ..Rules::default() };
    assert_finds("reap without a tombstone", rules, "commit before ack");
}

#[test]
fn a_take_in_two_steps_is_found() {
    let rules = Rules { bug: Some(Bug::TakeInTwoSteps), ..Rules::default() };
    assert_finds("pop, then register", rules, "I1 conservation");
}

#[test]
fn a_reaper_that_forgets_what_it_took_is_found() {
    let rules = Rules { bug: Some(Bug::ReapForgets), ..Rules::default() };
    assert_finds("reap that does not give back", rules, "I14 liveness");
}
