//! PostgreSQL: an upsert of a batch in one prepared statement, and a binary copy of its history.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};

use super::numeric::Numeric;
use super::{LimitError, PartLimit, Round, Rounds, Shape, Timing};
use crate::clock;
use crate::shutdown::Shutdown;

const UPSERT: &str = "postgres_upsert";
const COPY: &str = "postgres_copy_history";

/// In the shape of our own tables, with the same room beside each row. What a table refers to does not come along.
const TABLES: &str = "
DROP TABLE IF EXISTS tidemill_limits_price, tidemill_limits_history;
CREATE TABLE tidemill_limits_price (LIKE ticker_price_data INCLUDING ALL EXCLUDING IDENTITY) WITH (fillfactor = 50);
CREATE TABLE tidemill_limits_history (LIKE tick_history INCLUDING ALL);";

const GONE: &str = "DROP TABLE tidemill_limits_price, tidemill_limits_history";

const STATEMENT: &str = "
INSERT INTO tidemill_limits_price AS t (
    id, ticker_id, feed, symbol, instrument, kind,
    last_price, last_size, bid_price, bid_size, ask_price, ask_size,
    last_price_order, last_size_order, bid_order, ask_order, trade_at, quote_at, received_at, stored_at
)
SELECT
    n.id, 1, 'limits', 'limits', n.id::text, 'SPOT',
    n.last, n.last_size, n.bid, n.bid_size, n.ask, n.ask_size,
    n.place, n.place, n.place, n.place, n.at, n.at, n.at, n.at
FROM unnest(
    $1::bigint[], $2::numeric[], $3::numeric[], $4::numeric[], $5::numeric[], $6::numeric[], $7::numeric[],
    $8::bigint[], $9::timestamptz[]
) AS n(id, last, last_size, bid, bid_size, ask, ask_size, place, at)
ON CONFLICT (id) DO UPDATE SET
    last_price = excluded.last_price, last_size = excluded.last_size,
    bid_price = excluded.bid_price, bid_size = excluded.bid_size,
    ask_price = excluded.ask_price, ask_size = excluded.ask_size,
    last_price_order = excluded.last_price_order, last_size_order = excluded.last_size_order,
    bid_order = excluded.bid_order, ask_order = excluded.ask_order,
    trade_at = excluded.trade_at, quote_at = excluded.quote_at,
    received_at = excluded.received_at, stored_at = excluded.stored_at
WHERE t.last_price_order < excluded.last_price_order";

const COPIED: &str = "
COPY tidemill_limits_history (
    instrument_id, order_key, index_in_message, received_at, exchange_at, trade_id,
    last_price, last_size, bid_price, bid_size, ask_price, ask_size
) FROM STDIN BINARY";

const COLUMNS: [Type; 12] = [
    Type::INT8,
    Type::INT8,
    Type::INT2,
    Type::TIMESTAMPTZ,
    Type::TIMESTAMPTZ,
    Type::INT8,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
    Type::NUMERIC,
];

/// What to measure, and on what.
pub struct PostgresRun<'a> {
    /// A database that has our tables.
    pub url: &'a str,
    /// How ticks are spread.
    pub shape: Shape,
    /// Whether every tick is kept.
    pub history: bool,
    /// CPU time that the server with all its processes has used so far, microseconds.
    pub server_cpu_us: &'a (dyn Fn() -> u64 + Sync),
}

/// Writes to tables of its own, over one connection.
///
/// # Errors
/// When PostgreSQL refuses or does not answer.
pub async fn postgres(run: PostgresRun<'_>, timing: Timing) -> Result<Vec<PartLimit>, LimitError> {
    let (client, connection) = tokio_postgres::connect(run.url, NoTls).await.map_err(LimitError::of(UPSERT))?;
    // What it has to say, the client's calls say, too.
    drop(Shutdown::new().spawn("limits of PostgreSQL", async move { connection.await.unwrap_or_default() }));
    client.batch_execute(TABLES).await.map_err(LimitError::of(UPSERT))?;
    let measured = measure(&client, &run, timing).await;
    client.batch_execute(GONE).await.map_err(LimitError::of(UPSERT))?;
    measured
}

async fn measure(client: &Client, run: &PostgresRun<'_>, timing: Timing) -> Result<Vec<PartLimit>, LimitError> {
    let mut parts = vec![upsert(client, run, timing).await?];
    if run.history {
        parts.push(copy(client, run, timing).await?);
    }
    Ok(parts)
}

async fn upsert(client: &Client, run: &PostgresRun<'_>, timing: Timing) -> Result<PartLimit, LimitError> {
    let statement = client.prepare(STATEMENT).await.map_err(LimitError::of(UPSERT))?;
    let write = async |number: u64| {
        let Batch { ids, numbers, places, times } = Batch::of(run.shape, number);
        let [last, last_size, bid, bid_size, ask, ask_size] = &numbers;
        let values: [&(dyn ToSql + Sync); 9] = [&ids, last, last_size, bid, bid_size, ask, ask_size, &places, &times];
        client.execute(&statement, &values).await.map(drop).map_err(LimitError::of(UPSERT))
    };
    let all = run.shape.symbols.div_ceil(run.shape.rows()) as u64;
    for number in 0..all {
        write(number).await?;
    }
    let (mut rounds, mut number) = (Rounds::default(), all);
    for _ in 0..timing.rounds {
        let (round, mut ticks) = (Round::begin((run.server_cpu_us)()), 0);
        while !round.is_over(timing) {
            write(number).await?;
            number += 1;
            ticks += run.shape.batch as u64;
        }
        rounds.add(&round, ticks, (run.server_cpu_us)());
    }
    Ok(rounds.limit(UPSERT))
}

async fn copy(client: &Client, run: &PostgresRun<'_>, timing: Timing) -> Result<PartLimit, LimitError> {
    let (mut rounds, mut number) = (Rounds::default(), 0_i64);
    for _ in 0..timing.rounds {
        let (round, mut ticks) = (Round::begin((run.server_cpu_us)()), 0);
        while !round.is_over(timing) {
            let sink = client.copy_in(COPIED).await.map_err(LimitError::of(COPY))?;
            let writer = BinaryCopyInWriter::new(sink, &COLUMNS);
            tokio::pin!(writer);
            let (now, nothing) = (now(), None::<Numeric>);
            for tick in 0..run.shape.batch as u64 {
                number += 1;
                let (price, id) = (Numeric(price(tick)), i64::try_from(tick).unwrap_or(0));
                let none: &(dyn ToSql + Sync) = &nothing;
                let row: [&(dyn ToSql + Sync); 12] = if tick.is_multiple_of(2) {
                    [&id, &number, &0_i16, &now, &now, &number, &price, &price, none, none, none, none]
                } else {
                    [
                        &id,
                        &number,
                        &0_i16,
                        &now,
                        &None::<SystemTime>,
                        &None::<i64>,
                        none,
                        none,
                        &price,
                        &price,
                        &price,
                        &price,
                    ]
                };
                writer.as_mut().write(&row).await.map_err(LimitError::of(COPY))?;
            }
            writer.finish().await.map_err(LimitError::of(COPY))?;
            ticks += run.shape.batch as u64;
        }
        rounds.add(&round, ticks, (run.server_cpu_us)());
    }
    Ok(rounds.limit(COPY))
}

/// The newest of each symbol of a batch, column by column.
struct Batch {
    ids: Vec<i64>,
    numbers: [Vec<Numeric>; 6],
    places: Vec<i64>,
    times: Vec<SystemTime>,
}

impl Batch {
    fn of(shape: Shape, number: u64) -> Self {
        let ids = shape.ids(number);
        let rows = ids.len() as u64;
        let column = |of: u64| (0..rows).map(|row| Numeric(price(number * rows + row + of))).collect();
        let place = i64::try_from(number + 1).unwrap_or(i64::MAX);
        let now = now();
        Self {
            numbers: [0, 1, 2, 3, 4, 5].map(column),
            places: vec![place; ids.len()],
            times: vec![now; ids.len()],
            ids,
        }
    }
}

/// A price near 61,685, in hundred-millionths.
fn price(number: u64) -> u64 {
    6_168_500_000_000 + number % 100 * 1_000_000
}

fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(clock::now().0).unwrap_or(0))
}
