//! A batch turned on its side: one array per column, as `unnest` takes them.

use diesel::data_types::PgTimestamp;

use super::column::Column;
use super::column::Element::{BigInt, Numeric, SmallInt, Timestamptz};
use crate::clock::UnixMicros;
use crate::market::Fields;
use crate::store::columns::{self, TRADE_AND_QUOTE, VALUES, VALUES_WITHOUT_DAY};
use crate::store::{HistoryRow, PriceRow, Slot};

/// 2000-01-01T00:00:00Z, where PostgreSQL counts from, in microseconds since 1970.
const YEAR_2000: i64 = 946_684_800_000_000;
/// PostgreSQL's own limits of a timestamp, in microseconds since 2000: 4713 BC to 294276 AD.
const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// Price rows by column.
#[derive(Debug)]
pub(super) struct PriceArrays {
    pub(super) ids: Column,
    /// By `VALUES`.
    pub(super) values: Vec<Column>,
    /// By `Slot::ALL`.
    pub(super) orders: Vec<Column>,
    pub(super) trade_at: Column,
    pub(super) quote_at: Column,
    pub(super) day_at: Option<Column>,
    pub(super) received_at: Column,
}

/// Ticks of the history by column.
#[derive(Debug)]
pub(super) struct TickArrays {
    pub(super) instruments: Column,
    pub(super) orders: Column,
    pub(super) indexes: Column,
    pub(super) received_at: Column,
    pub(super) exchange_at: Column,
    pub(super) trade_ids: Column,
    /// By `VALUES`.
    pub(super) values: Vec<Column>,
}

impl PriceArrays {
    /// Without the columns of day values where there are none.
    pub(super) fn of<'a>(rows: impl ExactSizeIterator<Item = &'a PriceRow>, has_day: bool) -> Self {
        let slots = if has_day { &Slot::ALL[..] } else { TRADE_AND_QUOTE };
        let column = |element| Column::of(element, rows.len());
        let mut arrays = Self {
            ids: column(BigInt),
            values: (0..values_of(has_day)).map(|_| column(Numeric)).collect(),
            orders: slots.iter().map(|_| column(BigInt)).collect(),
            trade_at: column(Timestamptz),
            quote_at: column(Timestamptz),
            day_at: has_day.then(|| column(Timestamptz)),
            received_at: column(Timestamptz),
        };
        for row in rows {
            arrays.ids.push_integer(row.instrument.0);
            push_values(&mut arrays.values, &row.fields);
            for (array, &slot) in arrays.orders.iter_mut().zip(slots) {
                array.push_integer(columns::order_column(row, slot));
            }
            arrays.trade_at.push_or_null(row.trade_at, Column::push_time);
            arrays.quote_at.push_or_null(row.quote_at, Column::push_time);
            if let Some(day_at) = &mut arrays.day_at {
                day_at.push_or_null(row.day_at, Column::push_time);
            }
            arrays.received_at.push_time(row.received_at);
        }
        arrays
    }
}

impl TickArrays {
    /// Without the columns of day values where there are none.
    pub(super) fn of<'a>(ticks: impl ExactSizeIterator<Item = &'a HistoryRow>, has_day: bool) -> Self {
        let column = |element| Column::of(element, ticks.len());
        let mut arrays = Self {
            instruments: column(BigInt),
            orders: column(BigInt),
            indexes: column(SmallInt),
            received_at: column(Timestamptz),
            exchange_at: column(Timestamptz),
            trade_ids: column(BigInt),
            values: (0..values_of(has_day)).map(|_| column(Numeric)).collect(),
        };
        for tick in ticks {
            arrays.instruments.push_integer(tick.instrument.0);
            arrays.orders.push_integer(tick.order.get());
            arrays.indexes.push_small(tick.index);
            arrays.received_at.push_time(tick.received_at);
            arrays.exchange_at.push_or_null(tick.exchange_at, Column::push_time);
            arrays.trade_ids.push_or_null(tick.trade_id, Column::push_integer);
            push_values(&mut arrays.values, &tick.fields);
        }
        arrays
    }
}

fn values_of(has_day: bool) -> usize {
    if has_day { VALUES.len() } else { VALUES_WITHOUT_DAY }
}

fn push_values(arrays: &mut [Column], fields: &Fields) {
    for (array, value) in arrays.iter_mut().zip(columns::values(fields)) {
        array.push_or_null(value, Column::push_number);
    }
}

/// As PostgreSQL counts; a time beyond the calendar stays beyond it.
pub(super) fn timestamp(at: UnixMicros) -> PgTimestamp {
    PgTimestamp(at.0.saturating_sub(YEAR_2000))
}

/// Back from a table.
pub(super) fn unix_micros(at: PgTimestamp) -> UnixMicros {
    UnixMicros(at.0.saturating_add(YEAR_2000))
}

/// Whether a `timestamptz` can hold it. One that cannot would make the server refuse the whole array, that is, the
/// whole batch: 22008.
pub(super) fn fits(at: UnixMicros) -> bool {
    TIMESTAMPS.contains(&timestamp(at).0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_as_it_went() {
        for micros in [0, 1_763_726_400_123_456, -1, YEAR_2000] {
            assert_eq!(unix_micros(timestamp(UnixMicros(micros))), UnixMicros(micros));
        }
    }

    #[test]
    fn a_time_beyond_the_calendar_does_not_fit() {
        assert!(fits(UnixMicros(1_763_726_400_123_456)));
        assert!(fits(UnixMicros(i64::MAX)), "the year 294247");
        assert!(!fits(UnixMicros(i64::MIN)), "290308 BC");
    }
}
