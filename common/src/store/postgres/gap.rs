//! Gaps by column, and back.

use diesel::QueryResult;
use diesel::data_types::PgTimestamp;
use diesel::pg::Pg;
use diesel::query_builder::AstPass;
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::arrays::{fits, timestamp};
use crate::store::gap::{GapColumns, missing_column};
use crate::store::{GapRow, StoredGap};

type Times = Vec<Option<PgTimestamp>>;

/// Gaps by column.
#[derive(Debug, Default)]
pub(super) struct GapArrays {
    feeds: Vec<String>,
    conns: Vec<i64>,
    epochs: Vec<i64>,
    seqs: Vec<i64>,
    symbols: Vec<Option<String>>,
    streams: Vec<String>,
    kinds: Vec<String>,
    /// First missing, last missing, count.
    numbers: [Vec<Option<i64>>; 3],
    since: Times,
    until: Times,
    reasons: Vec<String>,
}

impl<'a> FromIterator<&'a GapRow> for GapArrays {
    fn from_iter<I: IntoIterator<Item = &'a GapRow>>(rows: I) -> Self {
        let mut arrays = Self::default();
        for row in rows {
            arrays.feeds.push(row.feed.as_ref().into());
            arrays.conns.push(i64::from(row.conn));
            arrays.epochs.push(row.order.epoch().cast_signed());
            arrays.seqs.push(i64::from(row.order.seq()));
            arrays.symbols.push(row.symbol.as_deref().map(Into::into));
            arrays.streams.push(row.stream.as_ref().into());
            arrays.kinds.push(row.kind.as_ref().into());
            for (array, number) in arrays.numbers.iter_mut().zip([row.from, row.to, missing_column(row)]) {
                array.push(number);
            }
            arrays.since.push(row.since.map(timestamp));
            arrays.until.push(Some(timestamp(row.until)));
            arrays.reasons.push(row.reason.as_ref().into());
        }
        arrays
    }
}

/// In the order of `gap::COLUMNS`.
pub(super) fn push<'b>(out: &mut AstPass<'_, 'b, Pg>, gaps: &'b GapArrays) -> QueryResult<()> {
    out.push_bind_param::<Array<Text>, _>(&gaps.feeds)?;
    for array in [&gaps.conns, &gaps.epochs, &gaps.seqs] {
        out.push_sql(", ");
        out.push_bind_param::<Array<BigInt>, _>(array)?;
    }
    out.push_sql(", ");
    out.push_bind_param::<Array<Nullable<Text>>, _>(&gaps.symbols)?;
    for array in [&gaps.streams, &gaps.kinds] {
        out.push_sql(", ");
        out.push_bind_param::<Array<Text>, _>(array)?;
    }
    for array in &gaps.numbers {
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<BigInt>>, _>(array)?;
    }
    for array in [&gaps.since, &gaps.until] {
        out.push_sql(", ");
        out.push_bind_param::<Array<Nullable<Timestamptz>>, _>(array)?;
    }
    out.push_sql(", ");
    out.push_bind_param::<Array<Text>, _>(&gaps.reasons)
}

/// Whether the calendar of the database has these times.
pub(super) fn times_fit(gaps: &[GapRow]) -> bool {
    gaps.iter().all(|gap| fits(gap.until) && gap.since.is_none_or(fits))
}

/// The newest, newest first.
pub(super) async fn newest(connection: &mut AsyncPgConnection, limit: u32) -> QueryResult<Vec<StoredGap>> {
    let micros = |column: &str| format!("(extract(epoch FROM {column}) * 1000000)::bigint AS {column}");
    let (since, until, stored_at) = (micros("since"), micros("until"), micros("stored_at"));
    let rows: Vec<GapColumns> = diesel::sql_query(format!(
        "SELECT feed, conn, epoch, seq, symbol, stream, kind, from_number, to_number, missing, reason,
            {since}, {until}, {stored_at}
         FROM tick_gap ORDER BY id DESC LIMIT $1"
    ))
    .bind::<BigInt, _>(i64::from(limit))
    .load(connection)
    .await?;
    rows.into_iter().map(|row| row.try_into().map_err(Error::DeserializationError)).collect()
}
