//! The days of `tick_history` that have a partition.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use diesel::QueryResult;
use diesel::sql_types::{Array, Date};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::arrays::fits;
use crate::store::HistoryRow;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 2000-01-01 in days since 1970, where PostgreSQL counts days from.
const YEAR_2000_DAYS: i64 = 10_957;
/// Partitions that one batch may create: it holds the ticks of one moment, so more days mean a broken clock, whose
/// rows are refused instead.
const NEW_DAYS_MAX: usize = 8;

/// Days (since 2000) known to have a partition.
#[derive(Debug, Default)]
pub(super) struct Days(Mutex<BTreeSet<i32>>);

impl Days {
    /// The days of these ticks that may lack a partition.
    pub(super) fn missing(&self, ticks: &[HistoryRow]) -> BTreeSet<i32> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let days = ticks.iter().filter(|tick| fits(tick.received_at)).filter_map(day);
        days.filter(|day| !known.contains(day)).collect::<BTreeSet<_>>().into_iter().take(NEW_DAYS_MAX).collect()
    }

    /// These have one now.
    pub(super) fn add(&self, days: &BTreeSet<i32>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(days);
    }

    /// Somebody may have dropped one: ask again.
    pub(super) fn forget(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

fn day(tick: &HistoryRow) -> Option<i32> {
    i32::try_from(tick.received_at.0.div_euclid(MICROS_PER_DAY) - YEAR_2000_DAYS).ok()
}

/// Creates the partitions of these days, those that are missing.
pub(super) async fn create(connection: &mut AsyncPgConnection, days: &BTreeSet<i32>) -> QueryResult<usize> {
    let days: Vec<_> = days.iter().copied().map(diesel::data_types::PgDate).collect();
    diesel::sql_query("SELECT tidemill_add_history_days($1)").bind::<Array<Date>, _>(days).execute(connection).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMicros;
    use crate::market::{Fields, OrderKey};
    use crate::store::InstrumentId;

    fn tick(at: i64) -> HistoryRow {
        let order = OrderKey::from_i64(1).unwrap();
        let received_at = UnixMicros(at);
        let (instrument, fields) = (InstrumentId(1), Fields::default());
        HistoryRow { instrument, order, index: 0, received_at, exchange_at: None, trade_id: None, fields }
    }

    #[test]
    fn a_day_is_asked_for_once() {
        let days = Days::default();
        let ticks = [tick(946_684_800_000_000), tick(946_684_799_999_999)];
        let missing = days.missing(&ticks);
        assert_eq!(missing, BTreeSet::from([-1, 0]));
        days.add(&missing);
        assert!(days.missing(&ticks).is_empty());
        days.forget();
        assert_eq!(days.missing(&ticks).len(), 2);
    }

    #[test]
    fn a_broken_clock_does_not_create_partitions_without_end() {
        let ticks: Vec<_> = (0..100).map(|day| tick(day * MICROS_PER_DAY)).collect();
        assert_eq!(Days::default().missing(&ticks).len(), NEW_DAYS_MAX);
    }
}
