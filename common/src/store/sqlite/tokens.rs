//! `access_token`.

use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl, sql_query};
use secrecy::{ExposeSecret, SecretString};

use crate::clock::UnixMicros;
use crate::store::tokens::legacy_query;
use crate::store::{StoredToken, TOKENS_KEPT};

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    expires_at: Option<i64>,
    #[diesel(sql_type = BigInt)]
    created_at: i64,
}

#[derive(diesel::QueryableByName)]
struct LegacyRow {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// The last one of this feed.
pub(super) fn newest(connection: &mut SqliteConnection, feed: &str) -> QueryResult<Option<StoredToken>> {
    let row: Option<Row> =
        sql_query("SELECT value, expires_at, created_at FROM access_token WHERE feed = ? ORDER BY id DESC LIMIT 1")
            .bind::<Text, _>(feed)
            .get_result(connection)
            .optional()?;
    Ok(row.map(|Row { value, expires_at, created_at }| StoredToken {
        value: value.into(),
        expires_at: expires_at.map(UnixMicros),
        created_at: Some(UnixMicros(created_at)),
    }))
}

/// Adds one and deletes the oldest beyond [`TOKENS_KEPT`]. To be called in a transaction.
pub(super) fn add(
    connection: &mut SqliteConnection,
    feed: &str,
    value: &SecretString,
    expires_at: Option<UnixMicros>,
    now: UnixMicros,
) -> QueryResult<()> {
    sql_query("INSERT INTO access_token (feed, value, expires_at, created_at) VALUES (?, ?, ?, ?)")
        .bind::<Text, _>(feed)
        .bind::<Text, _>(value.expose_secret())
        .bind::<Nullable<BigInt>, _>(expires_at.map(|at| at.0))
        .bind::<BigInt, _>(now.0)
        .execute(connection)?;
    sql_query(
        "DELETE FROM access_token WHERE feed = ? AND id NOT IN (
             SELECT id FROM access_token WHERE feed = ? ORDER BY id DESC LIMIT ?
         )",
    )
    .bind::<Text, _>(feed)
    .bind::<Text, _>(feed)
    .bind::<BigInt, _>(i64::from(TOKENS_KEPT))
    .execute(connection)?;
    Ok(())
}

/// The last one of the replaced system's table.
pub(super) fn legacy(connection: &mut SqliteConnection, table: &str) -> QueryResult<Option<StoredToken>> {
    let row: Option<LegacyRow> = sql_query(legacy_query(table)).get_result(connection).optional()?;
    let value = row.and_then(|row| row.value);
    Ok(value.map(|value| StoredToken { value: value.into(), expires_at: None, created_at: None }))
}
