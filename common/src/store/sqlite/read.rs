//! Reading back, for the status page, the gateway's start and tests.

use diesel::result::Error;
use diesel::sql_types::{BigInt, Integer, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryResult, RunQueryDsl};

use crate::clock::UnixMicros;
use crate::store::columns::VALUES;
use crate::store::stored::{StoredColumns, TickedColumns};
use crate::store::{HistoryRow, HistorySpan, Slot, StoreCensus, StoredPrice};

/// Columns that belong together come as one JSON array: SQLite has no arrays.
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
    #[diesel(sql_type = Text)]
    numbers: String,
    #[diesel(sql_type = Text)]
    orders: String,
    #[diesel(sql_type = Text)]
    times: String,
}

/// Every row that ever got a price.
pub(super) fn prices(connection: &mut SqliteConnection) -> QueryResult<Vec<StoredPrice>> {
    let orders: Vec<_> = Slot::ALL.into_iter().map(Slot::order_column).collect();
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT p.id, p.instrument, p.feed, b.ticker_symbol,
            json_array({}) AS numbers, json_array({}) AS orders,
            json_array(p.trade_at, p.quote_at, p.day_at, p.received_at, p.stored_at) AS times
         FROM ticker_price_data AS p JOIN ticker_base AS b ON b.id = p.ticker_id
         WHERE p.stored_at IS NOT NULL
         ORDER BY p.instrument, p.feed",
        VALUES.join(", "),
        orders.join(", "),
    ))
    .load(connection)?;
    rows.into_iter().map(price).collect()
}

fn price(row: Row) -> QueryResult<StoredPrice> {
    let (values, orders) = (array(&row.numbers)?, array(&row.orders)?);
    let times = array::<Option<UnixMicros>>(&row.times)?;
    let Row { id, instrument, feed, ticker_symbol, .. } = row;
    let stored = StoredColumns { id, instrument, feed, ticker_symbol, values, orders, times };
    stored.try_into().map_err(Error::DeserializationError)
}

fn array<T: serde::de::DeserializeOwned>(json: &str) -> QueryResult<Vec<T>> {
    serde_json::from_str(json).map_err(|bad| Error::DeserializationError(bad.into()))
}

#[derive(diesel::QueryableByName)]
struct Tick {
    #[diesel(sql_type = BigInt)]
    instrument_id: i64,
    #[diesel(sql_type = BigInt)]
    order_key: i64,
    #[diesel(sql_type = Integer)]
    index_in_message: i32,
    #[diesel(sql_type = BigInt)]
    received_at: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    exchange_at: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    trade_id: Option<i64>,
    #[diesel(sql_type = Text)]
    numbers: String,
}

/// A part of the history, in order.
pub(super) fn history(
    connection: &mut SqliteConnection,
    span: HistorySpan,
    limit: u32,
) -> QueryResult<Vec<HistoryRow>> {
    let rows: Vec<Tick> = diesel::sql_query(format!(
        "SELECT instrument_id, order_key, index_in_message, received_at, exchange_at, trade_id,
            json_array({}) AS numbers
         FROM tick_history WHERE order_key BETWEEN ? AND ? AND received_at >= ?
         ORDER BY order_key, index_in_message LIMIT ?",
        VALUES.join(", "),
    ))
    .bind::<BigInt, _>(span.from.get())
    .bind::<BigInt, _>(span.to.get())
    .bind::<BigInt, _>(span.since.0)
    .bind::<BigInt, _>(i64::from(limit))
    .load(connection)?;
    rows.iter().map(tick).collect()
}

fn tick(row: &Tick) -> QueryResult<HistoryRow> {
    let ticked = TickedColumns {
        instrument: row.instrument_id,
        order: row.order_key,
        index: i16::try_from(row.index_in_message).map_err(|bad| Error::DeserializationError(bad.into()))?,
        received_at: UnixMicros(row.received_at),
        exchange_at: row.exchange_at.map(UnixMicros),
        trade_id: row.trade_id,
        values: array(&row.numbers)?,
    };
    ticked.try_into().map_err(Error::DeserializationError)
}

#[derive(diesel::QueryableByName)]
struct Census {
    #[diesel(sql_type = BigInt)]
    priced: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    newest_at: Option<i64>,
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
pub(super) fn history_ticks(connection: &mut SqliteConnection) -> QueryResult<u64> {
    let count: Count = diesel::sql_query("SELECT count(*) AS \"rows\" FROM tick_history").get_result(connection)?;
    Ok(u64::try_from(count.rows).unwrap_or(0))
}

/// For the status page.
pub(super) fn census(connection: &mut SqliteConnection, place: String) -> QueryResult<StoreCensus> {
    let census: Census = diesel::sql_query(
        "SELECT count(*) AS priced, max(stored_at) AS newest_at,
            (SELECT page_count * page_size FROM pragma_page_count, pragma_page_size) AS bytes,
            (SELECT count(*) FROM tick_gap) AS gaps
         FROM ticker_price_data WHERE stored_at IS NOT NULL",
    )
    .get_result(connection)?;
    Ok(StoreCensus {
        kind: "sqlite",
        place,
        priced: u64::try_from(census.priced).unwrap_or(0),
        newest_at: census.newest_at.map(UnixMicros),
        bytes: u64::try_from(census.bytes).unwrap_or(0),
        gaps: u64::try_from(census.gaps).unwrap_or(0),
    })
}
