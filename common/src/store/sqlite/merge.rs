//! The hot statements. In SQLite a statement costs no round trip, so rows are updated one by one; what is stored is read
//! for the whole batch first, which is cheaper than `RETURNING` and just as exact under the write lock.

use std::collections::HashMap;
use std::sync::LazyLock;

use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, RunQueryDsl};

use super::value::{Value, text};
use crate::clock::UnixMicros;
use crate::store::columns::{self, Dialect, TRADE_AND_QUOTE};
use crate::store::{InstrumentId, PriceRow, Slot, Slots};

const SQLITE: Dialect = Dialect { greatest: "max", now: "n.stored_at" };

/// A price row as its columns take it.
#[derive(Debug)]
pub(super) struct RowColumns {
    pub(super) instrument: InstrumentId,
    orders: [i64; Slot::ALL.len()],
    received_at: i64,
    has_day: bool,
    /// By `Shape::names`.
    values: Vec<Value>,
}

impl RowColumns {
    pub(super) fn new(row: &PriceRow, stored_at: UnixMicros) -> Self {
        let has_day = Slot::ALL.into_iter().any(|slot| slot.is_day() && row.order(slot).is_some());
        let orders = Slot::ALL.map(|slot| columns::order_column(row, slot));
        let shape = Shape::of(has_day);
        let mut values = Vec::with_capacity(shape.names.len());
        values.push(Value::Number(Some(row.instrument.0)));
        values.extend(columns::values(&row.fields).into_iter().take(shape.values).map(text));
        values.extend(orders.into_iter().take(shape.slots).map(|order| Value::Number(Some(order))));
        let times = [row.trade_at, row.quote_at, row.day_at].into_iter().take(if has_day { 3 } else { 2 });
        values.extend(times.map(|at| Value::Number(at.map(|at| at.0))));
        values.extend([row.received_at, stored_at].map(|at| Value::Number(Some(at.0))));
        Self { instrument: row.instrument, orders, received_at: row.received_at.0, has_day, values }
    }

    /// Writes what is newer than `stored`; the slots that were.
    pub(super) fn merge(&self, connection: &mut SqliteConnection, stored: &Stored) -> QueryResult<Slots> {
        let newer = |slot: &Slot| stored.orders[*slot as usize] < self.orders[*slot as usize];
        let slots = Slot::ALL.into_iter().filter(newer).fold(Slots::NONE, |all, slot| all | slot.into());
        let heard_later = stored.received_at.is_some_and(|before| before < self.received_at);
        if !slots.is_empty() || heard_later {
            if self.has_day {
                Update::<true>(&self.values).execute(connection)?;
            } else {
                Update::<false>(&self.values).execute(connection)?;
            }
        }
        Ok(slots)
    }
}

/// What a table's row holds already.
#[derive(Debug)]
pub(super) struct Stored {
    orders: [i64; Slot::ALL.len()],
    received_at: Option<i64>,
}

impl Stored {
    /// Those of these rows that exist. To be called under the write lock.
    pub(super) fn load(
        connection: &mut SqliteConnection,
        rows: &[RowColumns],
    ) -> QueryResult<HashMap<InstrumentId, Self, foldhash::fast::RandomState>> {
        let ids: Vec<_> = rows.iter().map(|row| row.instrument.0.to_string()).collect();
        let found: Vec<Found> = Load(format!("[{}]", ids.join(","))).load(connection)?;
        let stored = |(id, (a, b, c, d, e), (f, g, h, i, j), received_at): Found| {
            (InstrumentId(id), Self { orders: [a, b, c, d, e, f, g, h, i, j], received_at })
        };
        Ok(found.into_iter().map(stored).collect())
    }
}

type Found = (i64, (i64, i64, i64, i64, i64), (i64, i64, i64, i64, i64), Option<i64>);
type FiveOrders = (BigInt, BigInt, BigInt, BigInt, BigInt);

/// With the ids as a JSON array: one text of the statement for any number of rows.
struct Load(String);
struct LoadId;

impl QueryId for Load {
    type QueryId = LoadId;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl Query for Load {
    type SqlType = (BigInt, FiveOrders, FiveOrders, Nullable<BigInt>);
}

impl RunQueryDsl<SqliteConnection> for Load {}

static LOAD: LazyLock<String> = LazyLock::new(|| {
    let orders: Vec<_> = Slot::ALL.into_iter().map(Slot::order_column).collect();
    format!(
        "SELECT id, {}, received_at FROM ticker_price_data WHERE id IN (SELECT value FROM json_each(",
        orders.join(", ")
    )
});

impl QueryFragment<Sqlite> for Load {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql(&LOAD);
        out.push_bind_param::<Text, _>(&self.0)?;
        out.push_sql("))");
        Ok(())
    }
}

struct Update<'a, const DAY: bool>(&'a [Value]);
struct UpdateId<const DAY: bool>;

impl<const DAY: bool> QueryId for Update<'_, DAY> {
    type QueryId = UpdateId<DAY>;
    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<const DAY: bool> RunQueryDsl<SqliteConnection> for Update<'_, DAY> {}

impl<const DAY: bool> QueryFragment<Sqlite> for Update<'_, DAY> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let shape = Shape::of(DAY);
        for (sql, place) in &shape.before_values {
            out.push_sql(sql);
            self.0[*place].push(&mut out)?;
        }
        out.push_sql(&shape.after_values);
        Ok(())
    }
}

/// The text of the update, with or without day values.
struct Shape {
    slots: usize,
    values: usize,
    names: Vec<&'static str>,
    /// Text, and the value that is bound behind it. A value is bound where it is first named, as `?`, which SQLite
    /// numbers by place; later it is called by that number. Naming it through a subquery takes half as long again.
    before_values: Vec<(String, usize)>,
    after_values: String,
}

static SHAPES: LazyLock<[Shape; 2]> = LazyLock::new(|| [Shape::new(TRADE_AND_QUOTE), Shape::new(&Slot::ALL)]);

impl Shape {
    fn of(day: bool) -> &'static Self {
        &SHAPES[usize::from(day)]
    }

    fn new(slots: &[Slot]) -> Self {
        let names: Vec<_> = columns::input(slots).into_iter().chain(["stored_at"]).collect();
        let set = columns::assignments(slots, SQLITE).join(", ");
        let update = format!("UPDATE ticker_price_data AS t SET {set} WHERE t.id = n.id");
        let (mut before_values, mut bound) = (Vec::new(), Vec::new());
        let mut parts = update.split("n.");
        let mut sql = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| !c.is_ascii_lowercase() && c != '_').unwrap_or(part.len());
            let (name, rest) = part.split_at(end);
            let place = names.iter().position(|known| *known == name).expect("assignments name only what input gives");
            if let Some(number) = bound.iter().position(|known| *known == place) {
                sql = format!("{sql}?{}{rest}", number + 1);
            } else {
                before_values.push((std::mem::replace(&mut sql, rest.to_owned()), place));
                bound.push(place);
            }
        }
        let values = slots.iter().map(|&slot| columns::values_of(slot).len()).sum();
        Self { slots: slots.len(), values, names, before_values, after_values: sql }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_shape_is_bound_once() {
        for shape in &*SHAPES {
            let mut bound: Vec<_> = shape.before_values.iter().map(|(_, place)| *place).collect();
            bound.sort_unstable();
            assert_eq!(bound, (0..shape.names.len()).collect::<Vec<_>>());
        }
    }
}
