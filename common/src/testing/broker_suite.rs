//! What every broker promises, as tests for any `Arc<dyn Broker>`.
//!
//! An implementation runs all of them with one line in its integration tests:
//!
//! ```text
//! common::broker_suite!(open); // async fn open() -> Place
//! ```
//!
//! A promise is an async function here and one word in the macro's list below. It gets a place of its own, where nobody
//! else is, and two handles to it that act as two processes.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use crate::broker::Broker;
use crate::queue::QueueName;

mod bells;
mod desk;
mod dice;
mod flow;
mod hand;
mod leases;
mod many_dead;
mod outcomes;
mod places;
mod random;
mod roster;
mod shards;

pub use bells::*;
pub use desk::*;
pub use flow::*;
pub use hand::Hand;
pub use leases::*;
pub use many_dead::*;
pub use outcomes::*;
pub use places::*;
pub use random::*;
pub use roster::*;
pub use shards::*;

/// What can be done to a broker past its seam, as an operator, an administrator or an accident would.
pub trait Outside: fmt::Debug + Send + Sync {
    /// Makes it forget what it has prepared, as a restart does.
    fn forget_scripts(&self);

    /// Takes its room for new tasks away, or gives it back. Returns whether it has none now.
    fn set_full(&self, is_full: bool) -> bool;

    /// Deletes all leases of a queue; their tasks stay where they are.
    fn delete_leases(&self, queue: &QueueName);

    /// Whether a check can tell the names of leases that were deleted, so that nobody takes under them again.
    fn remembers_names(&self) -> bool;
}

/// An empty place for tasks, with two handles to it.
pub struct Place {
    /// One process' handle.
    pub one: Arc<dyn Broker>,
    /// Another process' handle to the same place.
    pub two: Arc<dyn Broker>,
    /// What can be done to it from outside, if anything.
    pub outside: Option<Box<dyn Outside>>,
    /// What must live as long: a server, a folder.
    _keep: Box<dyn Any + Send + Sync>,
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place").field("one", &self.one).field("two", &self.two).finish_non_exhaustive()
    }
}

impl Place {
    /// Two handles, and what must outlive them.
    pub fn new(one: Arc<dyn Broker>, two: Arc<dyn Broker>, keep: impl Any + Send + Sync) -> Self {
        Self { one, two, outside: None, _keep: Box::new(keep) }
    }

    /// Lives as long as `keep`, too.
    #[must_use]
    pub fn kept_with(self, keep: impl Any + Send + Sync) -> Self {
        let Self { one, two, outside, _keep: before } = self;
        Self { one, two, outside, _keep: Box::new((before, keep)) }
    }

    /// A place that can be meddled with.
    #[must_use]
    pub fn with_outside(self, outside: impl Outside + 'static) -> Self {
        Self { outside: Some(Box::new(outside)), ..self }
    }
}

/// Makes a `#[tokio::test]` of every promise. `$open` is an `async fn() -> Place`.
#[macro_export]
macro_rules! broker_suite {
    ($open:path) => {
        $crate::broker_suite!($open:
            tasks_come_out_in_the_order_they_went_in
            a_take_is_limited_in_tasks_and_bytes
            many_tasks_leave_in_their_order_whatever_their_sizes
            a_repeated_take_returns_the_same_batch
            a_settled_lease_counts_once_however_often_it_is_settled
            one_round_trip_settles_and_takes_the_next_batch
            a_batch_says_whether_it_is_the_last
            the_next_batch_may_come_from_another_queue
            a_repeated_enqueue_adds_nothing
            an_enqueue_of_many_tasks_comes_in_once_and_whole_or_not_at_all
            producers_do_not_disturb_each_other
            an_enqueue_past_the_limit_is_refused_whole
            an_empty_enqueue_reports_its_counts
            bytes_travel_unchanged
            thousands_of_tasks_travel_in_order
            a_stale_settlement_is_lost_and_changes_nothing
            a_ghost_take_of_a_reaped_lease_is_used
            a_name_that_was_settled_takes_nothing_more
            a_released_batch_comes_first_and_is_no_delivery
            a_released_lease_is_over
            a_renewed_lease_is_kept
            a_renewal_names_the_leases_that_are_lost
            an_expired_lease_goes_back_to_the_head
            a_returned_batch_larger_than_the_take_is_split_in_order
            a_batch_that_expires_twice_is_halved_in_order
            a_task_is_convicted_only_after_expiring_alone_three_times
            nothing_is_reaped_before_its_deadline
            a_retry_comes_back_when_it_is_due_with_its_new_bytes
            retries_of_different_delay_come_back_in_their_order
            a_settlement_that_does_not_add_up_is_refused
            dead_letters_are_kept_whole_and_paged
            dead_letters_are_found_by_what_is_asked_for
            a_dead_letter_goes_back_to_the_tail_once
            a_purged_dead_letter_is_gone_and_counted
            nothing_trims_dead_letters
            fifty_thousand_dead_letters_are_all_there_and_a_filtered_retry_is_exact
            the_counters_balance_at_every_step
            a_foreign_task_is_counted_when_it_is_settled
            a_paused_queue_gives_nothing_and_ends_what_it_gave
            epochs_rise_across_handles
            a_presence_runs_out_or_departs
            a_queue_is_known_once_it_was_used
            a_census_sees_the_oldest_waiting_task
            an_unused_queue_is_empty_and_balanced
            a_fit_broker_passes_its_preflight
            random_work_loses_and_doubles_nothing
            owners_come_to_fair_shares_within_two_rounds
            a_repeated_hold_keeps_what_was_held
            a_silent_owners_shards_move_when_its_time_is_up_and_not_before
            a_frozen_owner_finds_its_shards_gone
            an_outage_of_the_broker_moves_no_shard
            an_owner_that_never_comes_back_is_waited_for_once
            a_clean_stop_gives_everything_back_at_once
            a_plan_may_shrink_and_grow
            a_plan_past_the_limit_is_refused
            the_epochs_of_a_shard_rise_from_owner_to_owner
            groups_are_apart_and_known_once_they_were_used
            a_map_shows_who_is_there_and_who_holds_what
            random_owners_never_hold_one_shard_together
            everybody_replays_the_same_roster
            a_repeated_append_adds_nothing
            an_append_is_limited
            a_long_roster_is_put_together_and_means_the_same
            a_revision_of_another_life_means_a_restart
            a_grant_tells_the_rosters_revision
            an_enqueue_ends_a_wait
            a_wait_may_end_with_the_batch_itself
            a_wait_without_a_ring_ends_without_a_batch
            what_is_enqueued_between_look_and_wait_is_heard
            a_wait_ends_when_its_time_is_up
            of_several_who_wait_each_enqueue_wakes_one
            a_large_enqueue_wakes_several
            whatever_puts_a_task_within_reach_rings
            a_halved_batch_rings
            an_enqueue_without_tasks_rings_nothing
        );
    };
    ($open:path: $($promise:ident)+) => {
        $(
            #[tokio::test]
            async fn $promise() {
                $crate::testing::broker_suite::$promise($open().await).await;
            }
        )+
    };
}
