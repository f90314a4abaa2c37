//! Ticks of the history, one insert each.

use std::sync::LazyLock;

use diesel::query_builder::{AstPass, QueryFragment, QueryId};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, RunQueryDsl};

use super::value::{Value, text};
use crate::store::{HistoryRow, columns};

/// A tick as the columns of the history take it.
#[derive(Debug)]
pub(super) struct TickColumns {
    instrument: Value,
    /// By `TICKS` and `VALUES`.
    values: Vec<Value>,
}

impl TickColumns {
    pub(super) fn new(tick: &HistoryRow) -> Self {
        let number = |number| Value::Number(Some(number));
        let mut values = vec![
            number(tick.instrument.0),
            number(tick.order.get()),
            number(i64::from(tick.index)),
            number(tick.received_at.0),
            Value::Number(tick.exchange_at.map(|at| at.0)),
            Value::Number(tick.trade_id),
        ];
        values.extend(columns::values(&tick.fields).map(text));
        Self { instrument: number(tick.instrument.0), values }
    }

    /// Adds it, unless it is there or its instrument's row is gone.
    pub(super) fn add(&self, connection: &mut SqliteConnection) -> QueryResult<()> {
        Insert(self).execute(connection).map(drop)
    }
}

struct Insert<'a>(&'a TickColumns);
/// Its name in the cache of prepared statements.
struct InsertId;

impl QueryId for Insert<'_> {
    type QueryId = InsertId;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl RunQueryDsl<SqliteConnection> for Insert<'_> {}

static INSERT: LazyLock<String> = LazyLock::new(|| {
    format!("INSERT INTO tick_history ({}) SELECT ", columns::of_ticks(columns::VALUES.len()).join(", "))
});

impl QueryFragment<Sqlite> for Insert<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(&INSERT);
        for (place, value) in self.0.values.iter().enumerate() {
            out.push_sql(if place == 0 { "" } else { ", " });
            value.push(&mut out)?;
        }
        out.push_sql(" WHERE EXISTS (SELECT 1 FROM ticker_price_data WHERE id = ");
        self.0.instrument.push(&mut out)?;
        out.push_sql(") ON CONFLICT DO NOTHING");
        Ok(())
    }
}
