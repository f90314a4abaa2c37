//! What every price store must do, as tests that each store runs: see [`store_suite!`](crate::store_suite).
//!
//! The specification is `PriceRow::merge`: a table must hold what merging all ticks in memory gives, in whatever
//! order and by whatever writer they came.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

mod gaps;
mod history;
mod merging;
mod pricing;
mod refusing;
mod registering;
mod subject;
mod tokens;
mod writing;

pub use gaps::*;
pub use history::*;
pub use merging::*;
pub use pricing::*;
pub use refusing::*;
pub use registering::*;
pub use subject::{Sql, Subject};
pub use tokens::*;
pub use writing::*;

/// Expands to one test per demand of the suite. `$subject` is an async function that gives a fresh [`Subject`].
#[macro_export]
macro_rules! store_suite {
    ($subject:path: $($demand:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $demand() {
                $crate::testing::store_suite::$demand(&$subject().await).await;
            }
        )*
    };
    ($subject:path) => {
        $crate::store_suite! { $subject:
            registering_twice_gives_the_same_rows
            registering_at_once_creates_each_row_once
            unknown_tickers_are_created_only_when_asked
            a_listing_that_no_table_can_hold_does_not_fail_its_neighbours
            every_order_of_ticks_by_two_writers_ends_in_the_same_row
            every_order_of_ticks_row_by_row_ends_in_the_same_row
            writers_at_once_on_the_same_rows_end_in_the_same_row
            a_batch_delivered_again_changes_nothing
            a_half_new_batch_reports_the_new_half
            an_absent_value_never_overwrites
            digits_come_back_as_they_were_sent
            a_negative_zero_is_a_zero
            an_empty_batch_is_nothing
            a_batch_out_of_order_is_refused
            a_row_that_is_gone_is_reported
            several_ticks_of_one_instrument_are_written_in_their_order
            the_census_counts_what_has_a_price
            the_view_prefers_the_configured_source
            a_ticker_is_priced_by_its_configured_source
            a_pinned_row_beats_the_price_source
            a_contract_without_a_day_is_near_by_its_month
            tickers_keep_the_letters_of_every_script
            history_is_kept_once
            known_ticks_keep_no_others_out
            a_refused_row_leaves_no_history
            a_tick_without_a_row_is_kept_or_reported
            gaps_come_back_as_they_went
            a_gap_that_is_told_again_is_there_once
            gaps_stand_or_fall_with_their_batch
            a_gap_that_no_table_can_hold_is_refused_alone
            one_refused_row_keeps_its_neighbours
            a_refused_price_goes_to_the_legacy_table_once
            a_future_has_a_legacy_table_of_its_own
            migrating_again_is_harmless
            the_newest_token_of_a_feed_counts
            a_clock_that_was_set_back_hides_no_token
            old_tokens_are_deleted_feed_by_feed
            the_replaced_systems_table_is_read
        }
    };
}
