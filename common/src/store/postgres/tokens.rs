//! `access_token`.

use diesel::data_types::PgTimestamp;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension, QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use secrecy::{ExposeSecret, SecretString};

use super::arrays::{fits, timestamp, unix_micros};
use crate::clock::UnixMicros;
use crate::store::tokens::legacy_query;
use crate::store::{StoredToken, TOKENS_KEPT};

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    value: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    expires_at: Option<PgTimestamp>,
    #[diesel(sql_type = Timestamptz)]
    created_at: PgTimestamp,
}

#[derive(diesel::QueryableByName)]
struct LegacyRow {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// The last one of this feed.
pub(super) async fn newest(connection: &mut AsyncPgConnection, feed: &str) -> QueryResult<Option<StoredToken>> {
    let row: Option<Row> = diesel::sql_query(
        "SELECT value, expires_at, created_at FROM access_token WHERE feed = $1 ORDER BY id DESC LIMIT 1",
    )
    .bind::<Text, _>(feed)
    .get_result(connection)
    .await
    .optional()?;
    Ok(row.map(|Row { value, expires_at, created_at }| StoredToken {
        value: value.into(),
        expires_at: expires_at.map(unix_micros),
        created_at: Some(unix_micros(created_at)),
    }))
}

/// Adds one and deletes the oldest beyond [`TOKENS_KEPT`], in one statement. The delete does not see the new row.
pub(super) async fn add(
    connection: &mut AsyncPgConnection,
    feed: &str,
    value: &SecretString,
    expires_at: Option<UnixMicros>,
) -> QueryResult<usize> {
    diesel::sql_query(
        "WITH added AS (INSERT INTO access_token (feed, value, expires_at) VALUES ($1, $2, $3))
         DELETE FROM access_token WHERE feed = $1 AND id NOT IN (
             SELECT id FROM access_token WHERE feed = $1 ORDER BY id DESC LIMIT $4
         )",
    )
    .bind::<Text, _>(feed)
    .bind::<Text, _>(value.expose_secret())
    .bind::<Nullable<Timestamptz>, _>(expires_at.filter(|at| fits(*at)).map(timestamp))
    .bind::<BigInt, _>(i64::from(TOKENS_KEPT) - 1)
    .execute(connection)
    .await
}

/// The last one of the replaced system's table.
pub(super) async fn legacy(connection: &mut AsyncPgConnection, table: &str) -> QueryResult<Option<StoredToken>> {
    let row: Option<LegacyRow> = diesel::sql_query(legacy_query(table)).get_result(connection).await.optional()?;
    let value = row.and_then(|row| row.value);
    Ok(value.map(|value| StoredToken { value: value.into(), expires_at: None, created_at: None }))
}
