//! Gaps, one insert each: they are rare.

use diesel::result::Error;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryResult, RunQueryDsl};

use crate::clock::UnixMicros;
use crate::store::gap::{COLUMNS, GapColumns, missing_column};
use crate::store::{GapRow, StoredGap};

/// Adds a gap, unless it is there.
pub(super) fn add(connection: &mut SqliteConnection, row: &GapRow, now: UnixMicros) -> QueryResult<()> {
    diesel::sql_query(format!(
        "INSERT INTO tick_gap ({COLUMNS}, stored_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    ))
    .bind::<Text, _>(&*row.feed)
    .bind::<BigInt, _>(i64::from(row.conn))
    .bind::<BigInt, _>(row.order.epoch().cast_signed())
    .bind::<BigInt, _>(i64::from(row.order.seq()))
    .bind::<Nullable<Text>, _>(row.symbol.as_deref())
    .bind::<Text, _>(&*row.stream)
    .bind::<Text, _>(&*row.kind)
    .bind::<Nullable<BigInt>, _>(row.from)
    .bind::<Nullable<BigInt>, _>(row.to)
    .bind::<Nullable<BigInt>, _>(missing_column(row))
    .bind::<Nullable<BigInt>, _>(row.since.map(|at| at.0))
    .bind::<BigInt, _>(row.until.0)
    .bind::<Text, _>(&*row.reason)
    .bind::<BigInt, _>(now.0)
    .execute(connection)
    .map(drop)
}

/// The newest, newest first.
pub(super) fn newest(connection: &mut SqliteConnection, limit: u32) -> QueryResult<Vec<StoredGap>> {
    let rows: Vec<GapColumns> =
        diesel::sql_query(format!("SELECT {COLUMNS}, stored_at FROM tick_gap ORDER BY id DESC LIMIT ?"))
            .bind::<BigInt, _>(i64::from(limit))
            .load(connection)?;
    rows.into_iter().map(|row| row.try_into().map_err(Error::DeserializationError)).collect()
}
