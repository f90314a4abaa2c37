//! The hot statements, one row each: in SQLite a statement costs no round trip. Types of their own, because
//! `diesel::sql_query` is prepared anew on every call.

use std::sync::LazyLock;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use crate::clock::UnixMicros;
use crate::market::Fields;
use crate::store::columns::{self, Dialect, TRADE_AND_QUOTE, VALUES};
use crate::store::{HistoryRow, InstrumentId, PriceRow, Slot, Slots};

const SQLITE: Dialect = Dialect { greatest: "max", now: "n.stored_at" };

/// Decimals as text: SQLite has no exact number that is wide enough.
type Texts = [Option<String>; VALUES.len()];

/// A price row as its columns take it.
#[derive(Debug)]
pub(super) struct RowColumns {
    pub(super) instrument: InstrumentId,
    values: Texts,
    orders: [i64; Slot::ALL.len()],
    times: [Option<i64>; 3],
    received_at: i64,
    stored_at: i64,
    has_day: bool,
}

/// A tick as the columns of the history take it.
#[derive(Debug)]
pub(super) struct TickColumns {
    instrument: i64,
    order: i64,
    index: i16,
    received_at: i64,
    exchange_at: Option<i64>,
    trade_id: Option<i64>,
    values: Texts,
}

impl RowColumns {
    pub(super) fn new(row: &PriceRow, stored_at: UnixMicros) -> Self {
        Self {
            instrument: row.instrument,
            values: texts(&row.fields),
            orders: Slot::ALL.map(|slot| columns::order_column(row, slot)),
            times: [row.trade_at, row.quote_at, row.day_at].map(|at| at.map(|at| at.0)),
            received_at: row.received_at.0,
            stored_at: stored_at.0,
            has_day: Slot::ALL.into_iter().any(|slot| slot.is_day() && row.order(slot).is_some()),
        }
    }

    /// The slots that were newer; `None` when the row is gone.
    pub(super) fn merge(&self, connection: &mut SqliteConnection) -> QueryResult<Option<Slots>> {
        let written: Option<i32> = if self.has_day {
            Merge::<true>(self).get_result(connection).optional()?
        } else {
            Merge::<false>(self).get_result(connection).optional()?
        };
        if let Some(bits) = written {
            return Ok(Some(Slots::from_bits(bits)));
        }
        let there: Option<i32> = Exists(self.instrument.0).get_result(connection).optional()?;
        Ok(there.map(|_| Slots::NONE))
    }
}

impl TickColumns {
    pub(super) fn new(tick: &HistoryRow) -> Self {
        Self {
            instrument: tick.instrument.0,
            order: tick.order.get(),
            index: tick.index,
            received_at: tick.received_at.0,
            exchange_at: tick.exchange_at.map(|at| at.0),
            trade_id: tick.trade_id,
            values: texts(&tick.fields),
        }
    }

    /// Adds it, unless it is there or its instrument's row is gone.
    pub(super) fn add(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        Add(self).execute(connection).map(drop)
    }
}

fn texts(fields: &Fields) -> Texts {
    columns::values(fields).map(|value| value.map(|value| value.to_string()))
}

struct Merge<'a, const DAY: bool>(&'a RowColumns);
struct MergeId<const DAY: bool>;

impl<const DAY: bool> QueryId for Merge<'_, DAY> {
    type QueryId = MergeId<DAY>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const DAY: bool> Query for Merge<'_, DAY> {
    type SqlType = Integer;
}

impl<const DAY: bool> RunQueryDsl<SqliteConnection> for Merge<'_, DAY> {}

static WITH_DAY: LazyLock<[String; 2]> = LazyLock::new(|| around_values(&Slot::ALL));
static WITHOUT_DAY: LazyLock<[String; 2]> = LazyLock::new(|| around_values(TRADE_AND_QUOTE));

/// What stands before the first placeholder and after the last: the new row is a table of one row, so that each value
/// has a name and is bound once.
fn around_values(slots: &[Slot]) -> [String; 2] {
    let names: Vec<_> = columns::input(slots).into_iter().chain(["stored_at"]).collect();
    let update = format!(
        ")) UPDATE ticker_price_data AS t SET {} FROM n WHERE t.id = n.id AND ({}) RETURNING changed_slots",
        columns::assignments(slots, SQLITE),
        columns::anything_newer(slots)
    );
    [format!("WITH n({}) AS (VALUES (", names.join(", ")), update]
}

impl<const DAY: bool> QueryFragment<Sqlite> for Merge<'_, DAY> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let [before, after] = if DAY { &*WITH_DAY } else { &*WITHOUT_DAY };
        let slots = if DAY { &Slot::ALL[..] } else { TRADE_AND_QUOTE };
        let values: usize = slots.iter().map(|&slot| columns::values_of(slot).len()).sum();
        let times = if DAY { &self.0.times[..] } else { &self.0.times[..2] };
        out.push_sql(before);
        out.push_bind_param::<BigInt, _>(&self.0.instrument.0)?;
        push_texts(&mut out, &self.0.values[..values])?;
        for order in &self.0.orders[..slots.len()] {
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(order)?;
        }
        for time in times {
            out.push_sql(", ");
            out.push_bind_param::<Nullable<BigInt>, _>(time)?;
        }
        for time in [&self.0.received_at, &self.0.stored_at] {
            out.push_sql(", ");
            out.push_bind_param::<BigInt, _>(time)?;
        }
        out.push_sql(after);
        Ok(())
    }
}

fn push_texts<'b>(out: &mut AstPass<'_, 'b, Sqlite>, values: &'b [Option<String>]) -> QueryResult<()> {
    for value in values {
        out.push_sql(", ");
        out.push_bind_param::<Nullable<Text>, _>(value)?;
    }
    Ok(())
}

struct Exists(i64);
struct ExistsId;

impl QueryId for Exists {
    type QueryId = ExistsId;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Exists {
    type SqlType = Integer;
}

impl RunQueryDsl<SqliteConnection> for Exists {}

impl QueryFragment<Sqlite> for Exists {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("SELECT 1 FROM ticker_price_data WHERE id = ");
        out.push_bind_param::<BigInt, _>(&self.0)
    }
}

struct Add<'a>(&'a TickColumns);
struct AddId;

impl QueryId for Add<'_> {
    type QueryId = AddId;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Add<'_> {}

static INSERT: LazyLock<String> = LazyLock::new(|| {
    let first = ["instrument_id", "order_key", "index_in_message", "received_at", "exchange_at", "trade_id"];
    let names: Vec<_> = first.into_iter().chain(VALUES).collect();
    format!("INSERT INTO tick_history ({}) SELECT ", names.join(", "))
});

impl QueryFragment<Sqlite> for Add<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let tick = self.0;
        out.push_sql(&INSERT);
        out.push_bind_param::<BigInt, _>(&tick.instrument)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&tick.order)?;
        out.push_sql(", ");
        out.push_bind_param::<SmallInt, _>(&tick.index)?;
        out.push_sql(", ");
        out.push_bind_param::<BigInt, _>(&tick.received_at)?;
        for number in [&tick.exchange_at, &tick.trade_id] {
            out.push_sql(", ");
            out.push_bind_param::<Nullable<BigInt>, _>(number)?;
        }
        push_texts(&mut out, &tick.values)?;
        out.push_sql(" WHERE EXISTS (SELECT 1 FROM ticker_price_data WHERE id = ");
        out.push_bind_param::<BigInt, _>(&tick.instrument)?;
        out.push_sql(") ON CONFLICT DO NOTHING");
        Ok(())
    }
}
