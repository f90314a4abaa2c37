//! Reading back, for the status page, the gateway's start and tests.

use diesel::QueryResult;
use diesel::data_types::PgTimestamp;
use diesel::result::Error;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::arrays::unix_micros;
use crate::market::{BadNumber, OrderKey, Price};
use crate::store::columns::{self, VALUES};
use crate::store::{InstrumentId, PriceRow, Slot, StoreCensus, StoredPrice};

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
    // As text: read as a number, 0.00 comes back as 0.
    #[diesel(sql_type = Array<Nullable<Text>>)]
    numbers: Vec<Option<String>>,
    #[diesel(sql_type = Array<BigInt>)]
    orders: Vec<i64>,
    #[diesel(sql_type = Array<Nullable<Timestamptz>>)]
    times: Vec<Option<PgTimestamp>>,
}

/// Every row that ever got a price.
pub(super) async fn prices(connection: &mut AsyncPgConnection) -> QueryResult<Vec<StoredPrice>> {
    let orders: Vec<_> = Slot::ALL.into_iter().map(Slot::order_column).collect();
    let rows: Vec<Row> = diesel::sql_query(format!(
        "SELECT p.id, p.instrument, p.feed, b.ticker_symbol, ARRAY[{}]::text[] AS numbers, ARRAY[{}] AS orders,
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
    let unreadable = |bad: BadNumber| Error::DeserializationError(bad.into());
    let numbers = row.numbers.into_iter().map(|text| text.map(|text| text.parse().map(Price::get)).transpose());
    let numbers = numbers.collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    let numbers = numbers.try_into().map_err(|_other| of_another_shape("values"))?;
    let fields = columns::fields(numbers).map_err(unreadable)?;
    let orders: [i64; Slot::ALL.len()] = row.orders.try_into().map_err(|_other| of_another_shape("orders"))?;
    let times = row.times.into_iter().map(|at| at.map(unix_micros)).collect::<Vec<_>>();
    let &[trade_at, quote_at, day_at, received_at, stored_at] = times.as_slice() else {
        return Err(of_another_shape("times"));
    };
    Ok(StoredPrice {
        instrument: row.instrument,
        feed: row.feed,
        ticker_symbol: row.ticker_symbol,
        row: PriceRow {
            instrument: InstrumentId(row.id),
            fields,
            orders: orders.map(OrderKey::from_i64),
            trade_at,
            quote_at,
            day_at,
            received_at: received_at.unwrap_or_default(),
        },
        stored_at: stored_at.unwrap_or_default(),
    })
}

fn of_another_shape(part: &str) -> Error {
    Error::DeserializationError(format!("the {part} of a price are of another shape").into())
}

#[derive(diesel::QueryableByName)]
struct Census {
    #[diesel(sql_type = BigInt)]
    priced: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    newest_at: Option<PgTimestamp>,
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// For the status page.
pub(super) async fn census(connection: &mut AsyncPgConnection, place: &str) -> QueryResult<StoreCensus> {
    let census: Census = diesel::sql_query(
        "SELECT count(*) AS priced, max(stored_at) AS newest_at, pg_database_size(current_database()) AS bytes
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
    })
}
