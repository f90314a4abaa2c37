//! A batch turned on its side: one array per column, as `unnest` takes them.

use std::io::Write as _;

use diesel::data_types::PgTimestamp;
use diesel::expression::AsExpression;
use diesel::pg::Pg;
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::Numeric;
use rust_decimal::Decimal;

use crate::clock::UnixMicros;
use crate::store::columns::{self, VALUES};
use crate::store::{HistoryRow, PriceRow, Slot};

/// 2000-01-01T00:00:00Z, where PostgreSQL counts from, in microseconds since 1970.
const YEAR_2000: i64 = 946_684_800_000_000;
/// PostgreSQL's own limits of a timestamp, in microseconds since 2000: 4713 BC to 294276 AD.
const TIMESTAMPS: std::ops::Range<i64> = -211_813_488_000_000_000..9_223_371_331_200_000_000;

/// A decimal with all its digits: the library's own conversion sends 0.00 as 0.
#[derive(Debug, Clone, Copy, AsExpression)]
#[diesel(sql_type = Numeric)]
pub(super) struct Exact(Decimal);

/// Digits of base 10,000 that a decimal of 96 bits can have, up to three zeros behind its last digit included.
const GROUPS_MAX: usize = 8;
/// Number of groups, weight, sign, digits behind the point: two bytes each.
const HEAD_BYTES: usize = 8;
const NEGATIVE: u16 = 0x4000;

impl ToSql<Numeric, Pg> for Exact {
    /// As PostgreSQL's `numeric_recv` reads it, at once: the library's own conversion allocates and writes digit by
    /// digit, six times per row.
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        const BASE: u128 = 10_000;
        let scale = self.0.scale();
        let point = scale.div_ceil(4);
        // Groups begin at the point.
        let mut rest = self.0.mantissa().unsigned_abs() * 10_u128.pow(point * 4 - scale);
        let (mut groups, mut length) = ([0_u16; GROUPS_MAX], 0);
        while rest != 0 {
            groups[GROUPS_MAX - 1 - length] = u16::try_from(rest % BASE)?;
            rest /= BASE;
            length += 1;
        }
        let weight = i16::try_from(length)? - i16::try_from(point)? - 1;
        let is_negative = self.0.is_sign_negative() && length != 0;
        let mut bytes = [0; HEAD_BYTES + 2 * GROUPS_MAX];
        let head = [
            u16::try_from(length)?,
            if length == 0 { 0 } else { weight.cast_unsigned() },
            if is_negative { NEGATIVE } else { 0 },
            u16::try_from(scale)?,
        ];
        let all = head.iter().chain(&groups[GROUPS_MAX - length..]);
        for (place, value) in bytes.chunks_exact_mut(2).zip(all) {
            place.copy_from_slice(&value.to_be_bytes());
        }
        out.write_all(&bytes[..HEAD_BYTES + 2 * length])?;
        Ok(IsNull::No)
    }
}

pub(super) type Numbers = Vec<Option<Exact>>;
pub(super) type Times = Vec<Option<PgTimestamp>>;

/// Price rows by column.
#[derive(Debug, Default)]
pub(super) struct PriceArrays {
    pub(super) ids: Vec<i64>,
    /// By `VALUES`.
    pub(super) values: [Numbers; VALUES.len()],
    /// By `Slot::ALL`.
    pub(super) orders: [Vec<i64>; Slot::ALL.len()],
    pub(super) trade_at: Times,
    pub(super) quote_at: Times,
    pub(super) day_at: Times,
    pub(super) received_at: Times,
}

/// Ticks of the history by column.
#[derive(Debug, Default)]
pub(super) struct TickArrays {
    pub(super) instruments: Vec<i64>,
    pub(super) orders: Vec<i64>,
    pub(super) indexes: Vec<i16>,
    pub(super) received_at: Times,
    pub(super) exchange_at: Times,
    pub(super) trade_ids: Vec<Option<i64>>,
    /// By `VALUES`.
    pub(super) values: [Numbers; VALUES.len()],
}

impl<'a> FromIterator<&'a PriceRow> for PriceArrays {
    fn from_iter<I: IntoIterator<Item = &'a PriceRow>>(rows: I) -> Self {
        let mut arrays = Self::default();
        for row in rows {
            arrays.ids.push(row.instrument.0);
            push_values(&mut arrays.values, &row.fields);
            for (array, slot) in arrays.orders.iter_mut().zip(Slot::ALL) {
                array.push(columns::order_column(row, slot));
            }
            arrays.trade_at.push(row.trade_at.map(timestamp));
            arrays.quote_at.push(row.quote_at.map(timestamp));
            arrays.day_at.push(row.day_at.map(timestamp));
            arrays.received_at.push(Some(timestamp(row.received_at)));
        }
        arrays
    }
}

impl<'a> FromIterator<&'a HistoryRow> for TickArrays {
    fn from_iter<I: IntoIterator<Item = &'a HistoryRow>>(ticks: I) -> Self {
        let mut arrays = Self::default();
        for tick in ticks {
            arrays.instruments.push(tick.instrument.0);
            arrays.orders.push(tick.order.get());
            arrays.indexes.push(tick.index);
            arrays.received_at.push(Some(timestamp(tick.received_at)));
            arrays.exchange_at.push(tick.exchange_at.map(timestamp));
            arrays.trade_ids.push(tick.trade_id);
            push_values(&mut arrays.values, &tick.fields);
        }
        arrays
    }
}

fn push_values(arrays: &mut [Numbers; VALUES.len()], fields: &crate::market::Fields) {
    for (array, value) in arrays.iter_mut().zip(columns::values(fields)) {
        array.push(value.map(Exact));
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
