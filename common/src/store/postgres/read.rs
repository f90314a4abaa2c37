//! Reading back, for the status page, the gateway's start and tests.

use diesel::QueryResult;
use diesel::data_types::PgTimestamp;
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::arrays::{timestamp, unix_micros};
use crate::store::columns::VALUES;
use crate::store::stored::{StoredColumns, TickedColumns};
use crate::store::{HistoryRow, HistorySpan, Slot, StoreCensus, StoredPrice};

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    instrument: String,
    #[diesel(sql_type = Text)]
    feed: String,
    #[diesel(sql_type = Text)]
    ticker_symbol: String,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    values: Vec<Option<String>>,
    #[diesel(sql_type = Array<BigInt>)]
    orders: Vec<i64>,
    #[diesel(sql_type = Array<Nullable<Timestamptz>>)]
    times: Vec<Option<PgTimestamp>>,
}

/// Every row that ever got a price.
pub(super) async fn prices(connection: &mut AsyncPgConnection) -> QueryResult<Vec<StoredPrice>> {
    let orders: Vec<_> = Slot::ALL.into_iter().map(Slot::order_column).collect();
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT p.id, p.instrument, p.feed, b.ticker_symbol, ARRAY[{}]::text[] AS values, ARRAY[{}] AS orders,
            ARRAY[p.trade_at, p.quote_at, p.day_at, p.received_at, p.stored_at] AS times
         FROM ticker_price_data AS p JOIN ticker_base AS b ON b.id = p.ticker_id
         WHERE p.stored_at IS NOT NULL
         ORDER BY p.instrument COLLATE \"C\", p.feed COLLATE \"C\"",
        VALUES.join(", "),
        orders.join(", "),
    ))
    .load(connection)
    .await?;
    rows.into_iter().map(price).collect()
}

fn price(row: Row) -> QueryResult<StoredPrice> {
    let Row { id, instrument, feed, ticker_symbol, values, orders, times } = row;
    let times = times.into_iter().map(|at| at.map(unix_micros)).collect();
    let stored = StoredColumns { id, instrument, feed, ticker_symbol, values, orders, times };
    stored.try_into().map_err(Error::DeserializationError)
}

#[derive(diesel::QueryableByName)]
struct Tick {
    #[diesel(sql_type = BigInt)]
    instrument_id: i64,
    #[diesel(sql_type = BigInt)]
    order_key: i64,
    #[diesel(sql_type = SmallInt)]
    index_in_message: i16,
    #[diesel(sql_type = Timestamptz)]
    received_at: PgTimestamp,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    exchange_at: Option<PgTimestamp>,
    #[diesel(sql_type = Nullable<BigInt>)]
    trade_id: Option<i64>,
    #[diesel(sql_type = Array<Nullable<Text>>)]
    values: Vec<Option<String>>,
}

/// A part of the history, in order.
pub(super) async fn history(
    connection: &mut AsyncPgConnection,
    span: HistorySpan,
    limit: u32,
) -> QueryResult<Vec<HistoryRow>> {
    let rows: Vec<Tick> = diesel::sql_query(format!(
        "SELECT instrument_id, order_key, index_in_message, received_at, exchange_at, trade_id,
            ARRAY[{}]::text[] AS values
         FROM tick_history WHERE order_key BETWEEN $1 AND $2 AND received_at >= $3
         ORDER BY order_key, index_in_message LIMIT $4",
        VALUES.join(", "),
    ))
    .bind::<BigInt, _>(span.from.get())
    .bind::<BigInt, _>(span.to.get())
    .bind::<Timestamptz, _>(timestamp(span.since))
    .bind::<BigInt, _>(i64::from(limit))
    .load(connection)
    .await?;
    rows.into_iter().map(tick).collect()
}

fn tick(row: Tick) -> QueryResult<HistoryRow> {
    let ticked = TickedColumns {
        instrument: row.instrument_id,
        order: row.order_key,
        index: row.index_in_message,
        received_at: unix_micros(row.received_at),
        exchange_at: row.exchange_at.map(unix_micros),
        trade_id: row.trade_id,
        values: row.values,
    };
    ticked.try_into().map_err(Error::DeserializationError)
}

#[derive(diesel::QueryableByName)]
struct Census {
    #[diesel(sql_type = BigInt)]
    priced: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    newest_at: Option<PgTimestamp>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
    #[diesel(sql_type = BigInt)]
    gaps: i64,
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    rows: i64,
}

/// Rows of the history.
pub(super) async fn history_ticks(connection: &mut AsyncPgConnection) -> QueryResult<u64> {
    let count: Count =
        diesel::sql_query("SELECT count(*) AS \"rows\" FROM tick_history").get_result(connection).await?;
    Ok(u64::try_from(count.rows).unwrap_or(0))
}

/// For the status page.
pub(super) async fn census(connection: &mut AsyncPgConnection, place: &str) -> QueryResult<StoreCensus> {
    let census: Census = diesel::sql_query(
        "SELECT count(*) AS priced, max(stored_at) AS newest_at, pg_database_size(current_database()) AS bytes,
            (SELECT count(*) FROM tick_gap) AS gaps
         FROM ticker_price_data WHERE stored_at IS NOT NULL",
    )
    .get_result(connection)
    .await?;
    Ok(StoreCensus {
        kind: "postgres",
        place: place.to_owned(),
        priced: u64::try_from(census.priced).unwrap_or(0),
        newest_at: census.newest_at.map(unix_micros),
        bytes: u64::try_from(census.bytes).unwrap_or(0),
        gaps: u64::try_from(census.gaps).unwrap_or(0),
    })
}
