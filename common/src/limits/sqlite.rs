//! SQLite in WAL mode, durable at every commit: a queue of batches, and an upsert of a batch row by row.

use std::hint::black_box;
use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Binary};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryResult, RunQueryDsl};

use super::{LimitError, PartLimit, Payload, Round, Rounds, Shape, Timing};
use crate::sqlite::{SqliteThread, query, statement};
use crate::store::{self, StoreOptions};

const PUSH: &str = "sqlite_push";
const TAKE: &str = "sqlite_take_ack";
const UPSERT: &str = "sqlite_upsert";

const QUEUE: &str = "CREATE TABLE limits_queue (id INTEGER PRIMARY KEY, leased INTEGER NOT NULL, body BLOB NOT NULL)";

const TICKER: &str = "INSERT INTO ticker_base (id, ticker_symbol, name, exchange, created_at) VALUES (1, 'limits', 'limits', 'limits', 0)";

const ROW: &str = "INSERT INTO ticker_price_data AS t (id, ticker_id, feed, symbol, instrument, kind, \
    last_price, last_size, bid_price, bid_size, ask_price, ask_size, \
    last_price_order, last_size_order, bid_order, ask_order, trade_at, quote_at, received_at, stored_at) \
    VALUES (?, 1, 'limits', 'limits', ?, 'SPOT', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) \
    ON CONFLICT (id) DO UPDATE SET \
    last_price = excluded.last_price, last_size = excluded.last_size, \
    bid_price = excluded.bid_price, bid_size = excluded.bid_size, \
    ask_price = excluded.ask_price, ask_size = excluded.ask_size, \
    last_price_order = excluded.last_price_order, last_size_order = excluded.last_size_order, \
    bid_order = excluded.bid_order, ask_order = excluded.ask_order, \
    trade_at = excluded.trade_at, quote_at = excluded.quote_at, \
    received_at = excluded.received_at, stored_at = excluded.stored_at \
    WHERE t.last_price_order < excluded.last_price_order";

/// Works on a new file in `folder`, which has our tables.
///
/// # Errors
/// When SQLite refuses.
pub async fn sqlite(
    folder: &Path,
    payload: &Payload,
    shape: Shape,
    timing: Timing,
) -> Result<[PartLimit; 3], LimitError> {
    let file = folder.join("limits.db");
    let url = format!("sqlite:{}", file.display());
    let options = StoreOptions { connections: 1 };
    let migrated = store::connect(&secrecy::SecretString::from(url), options).await.map_err(LimitError::of(UPSERT))?;
    migrated.migrate().await.map_err(LimitError::of(UPSERT))?;
    drop(migrated);
    let thread = SqliteThread::open(&file).await.map_err(LimitError::of(UPSERT))?;
    let body = payload.elements.concat();
    let ticks = payload.elements.len() as u64;
    let measured = thread.call(move |connection| measure(connection, &body, ticks, shape, timing)).await;
    thread.close().await;
    for suffix in ["", "-wal", "-shm"] {
        // The last two are gone already when the file was closed in good order.
        drop(std::fs::remove_file(folder.join(format!("limits.db{suffix}"))));
    }
    measured.map_err(LimitError::of(UPSERT))?.map_err(LimitError::of(UPSERT))
}

fn measure(
    connection: &mut SqliteConnection,
    body: &[u8],
    ticks: u64,
    shape: Shape,
    timing: Timing,
) -> QueryResult<[PartLimit; 3]> {
    connection.batch_execute(QUEUE)?;
    connection.batch_execute(TICKER)?;
    let (mut pushing, mut taking, mut upserting) = (Rounds::default(), Rounds::default(), Rounds::default());
    let all = shape.symbols.div_ceil(shape.rows()) as u64;
    (0..all).try_for_each(|number| upsert(connection, shape, number))?;
    let mut number = all;
    for _ in 0..timing.rounds {
        let (round, mut pushed) = (Round::begin(0), 0);
        while !round.is_over(timing) {
            statement("INSERT INTO limits_queue (leased, body) VALUES (0, ?)").bind(body).execute(connection)?;
            pushed += ticks;
        }
        pushing.add(&round, pushed, 0);
        let (round, mut taken) = (Round::begin(0), 0);
        while !round.is_over(timing) && take(connection)? {
            taken += ticks;
        }
        taking.add(&round, taken, 0);
        let (round, mut written) = (Round::begin(0), 0);
        while !round.is_over(timing) {
            upsert(connection, shape, number)?;
            number += 1;
            written += shape.batch as u64;
        }
        upserting.add(&round, written, 0);
    }
    Ok([pushing.limit(PUSH), taking.limit(TAKE), upserting.limit(UPSERT)])
}

/// Leases a batch in one transaction and removes it in another; `false` where there is none.
fn take(connection: &mut SqliteConnection) -> QueryResult<bool> {
    let leased: Option<i64> = connection.immediate_transaction(|connection| {
        let oldest =
            query::<(BigInt, Binary)>("SELECT id, body FROM limits_queue WHERE leased = 0 ORDER BY id LIMIT 1");
        let found: Vec<(i64, Vec<u8>)> = oldest.load(connection)?;
        let id = found.first().map(|(id, body)| black_box((*id, body)).0);
        if let Some(id) = id {
            statement("UPDATE limits_queue SET leased = 1 WHERE id = ?").bind(id).execute(connection)?;
        }
        QueryResult::Ok(id)
    })?;
    let Some(id) = leased else { return Ok(false) };
    statement("DELETE FROM limits_queue WHERE id = ?").bind(id).execute(connection)?;
    Ok(true)
}

fn upsert(connection: &mut SqliteConnection, shape: Shape, number: u64) -> QueryResult<()> {
    connection.immediate_transaction(|connection| {
        for id in shape.ids(number) {
            let (name, price) = (id.to_string(), format!("61685.{:02}000000", number % 100));
            let (size, place) = ("1.23450000", number + 1);
            let mut row = statement(ROW).bind(id).bind(&*name);
            for value in [&*price, size, &*price, size, &*price, size] {
                row = row.bind(value);
            }
            for _ in 0..8 {
                row = row.bind(place);
            }
            row.execute(connection)?;
        }
        QueryResult::Ok(())
    })
}
