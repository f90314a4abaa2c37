//! Row by row, each in a savepoint of its own.

use diesel::sql_types::{BigInt, Integer, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, OptionalExtension, QueryResult, RunQueryDsl};

use super::history::TickColumns;
use super::merge::{RowColumns, Stored};
use super::trouble;
use crate::clock::UnixMicros;
use crate::store::{InstrumentId, PriceRow, RowOutcome};

/// A row, the ticks of the history that stand or fall with it, and what its legacy table would get.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) row: RowColumns,
    pub(super) ticks: Vec<TickColumns>,
    pub(super) legacy: Option<Legacy>,
}

/// Time and price of a row that has a price.
#[derive(Debug)]
pub(super) struct Legacy {
    at: String,
    price: String,
}

impl Legacy {
    pub(super) fn of(row: &PriceRow) -> Option<Self> {
        let at = text(row.trade_at.unwrap_or(row.received_at))?;
        Some(Self { at, price: row.fields.last_price?.to_string() })
    }
}

/// As Django writes a time into SQLite, in UTC.
fn text(at: UnixMicros) -> Option<String> {
    let at = jiff::Timestamp::from_microsecond(at.0).ok()?;
    Some(at.strftime("%Y-%m-%d %H:%M:%S.%6f").to_string())
}

impl Attempt {
    /// An error here is no row's fault, and the whole batch is rolled back.
    pub(super) fn make(&self, connection: &mut SqliteConnection) -> QueryResult<RowOutcome> {
        let stored = connection.transaction(|connection| {
            let stored = Stored::load(connection, std::slice::from_ref(&self.row))?;
            let Some(stored) = stored.get(&self.row.instrument) else { return Ok(RowOutcome::Vanished) };
            let slots = self.row.merge(connection, stored)?;
            for tick in &self.ticks {
                tick.add(connection)?;
            }
            Ok(RowOutcome::Stored(slots))
        });
        let refused = match stored {
            Err(error) => error,
            Ok(outcome) => return Ok(outcome),
        };
        let Some(refusal) = trouble::refusal(&refused) else { return Err(refused) };
        let Some(legacy) = &self.legacy else { return Ok(RowOutcome::Refused(refusal)) };
        let taken = connection.transaction(|connection| legacy.write(connection, self.row.instrument));
        match taken {
            Ok(true) => Ok(RowOutcome::Legacy(refusal)),
            Ok(false) => Ok(RowOutcome::Refused(refusal)),
            Err(error) if trouble::refusal(&error).is_some() => Ok(RowOutcome::Refused(refusal)),
            Err(error) => Err(error),
        }
    }
}

#[derive(diesel::QueryableByName)]
struct Table {
    #[diesel(sql_type = Text)]
    name: String,
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = Integer)]
    n: i32,
}

impl Legacy {
    /// Once, if the ticker has such a table. True when the price is there.
    fn write(&self, connection: &mut SqliteConnection, instrument: InstrumentId) -> QueryResult<bool> {
        let table: Option<Table> = diesel::sql_query(
            "SELECT b.ticker_symbol || CASE p.kind WHEN 'FUT' THEN '_future' ELSE '' END || '_websocket_data' AS name
             FROM ticker_price_data AS p JOIN ticker_base AS b ON b.id = p.ticker_id WHERE p.id = ?",
        )
        .bind::<BigInt, _>(instrument.0)
        .get_result(connection)
        .optional()?;
        let Some(Table { name }) = table else { return Ok(false) };
        if !name.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'_')) {
            return Ok(false);
        }
        let columns: Count = diesel::sql_query(
            "SELECT count(*) AS n FROM pragma_table_info(?) WHERE lower(name) IN ('timestamp', 'ltp')",
        )
        .bind::<Text, _>(&name)
        .get_result(connection)?;
        if columns.n != 2 {
            return Ok(false);
        }
        diesel::sql_query(format!(
            "INSERT INTO \"{name}\" (timestamp, ltp) SELECT ?1, ?2
             WHERE NOT EXISTS (SELECT 1 FROM \"{name}\" WHERE timestamp = ?1 AND ltp = ?2)"
        ))
        .bind::<Text, _>(&self.at)
        .bind::<Text, _>(&self.price)
        .execute(connection)?;
        Ok(true)
    }
}
