//! SQL text with its values, prepared once per connection.
//!
//! diesel prepares `sql_query` anew at each call, and its typed inserts and updates too; this type tells diesel that
//! the text alone identifies the statement, so the prepared form is kept.

use std::marker::PhantomData;

use diesel::QueryResult;
use diesel::RunQueryDsl;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::{Sqlite, SqliteConnection};

/// A statement that returns rows of the SQL types `Row`.
pub(crate) struct Statement<'a, Row> {
    text: &'static str,
    values: Vec<Value<'a>>,
    row: PhantomData<Row>,
}

/// A statement that returns nothing. Each `?` of `text` stands for the next bound value.
pub(crate) fn statement<'a>(text: &'static str) -> Statement<'a, ()> {
    query(text)
}

/// A statement that returns rows. Each `?` of `text` stands for the next bound value.
pub(crate) fn query<'a, Row>(text: &'static str) -> Statement<'a, Row> {
    Statement { text, values: Vec::with_capacity(text.matches('?').count()), row: PhantomData }
}

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = Text)]
    quick_check: String,
}

/// The first thing that is broken in the file.
pub(super) fn check(connection: &mut SqliteConnection) -> QueryResult<Option<String>> {
    let found: Vec<Found> = diesel::sql_query("PRAGMA quick_check(1)").load(connection)?;
    Ok(found.into_iter().map(|found| found.quick_check).find(|found| found != "ok"))
}

impl<'a, Row> Statement<'a, Row> {
    /// Binds the next value.
    pub(crate) fn bind(mut self, value: impl Into<Value<'a>>) -> Self {
        self.values.push(value.into());
        self
    }
}

/// What a `?` stands for.
#[derive(Debug)]
pub(crate) enum Value<'a> {
    Integer(i64),
    Text(&'a str),
    TextOrNull(Option<&'a str>),
    Bytes(&'a [u8]),
}

impl From<i64> for Value<'_> {
    fn from(number: i64) -> Self {
        Self::Integer(number)
    }
}

impl From<u32> for Value<'_> {
    fn from(number: u32) -> Self {
        Self::Integer(i64::from(number))
    }
}

impl From<u64> for Value<'_> {
    /// Counts beyond 63 bits do not occur; should one, it stays the largest number instead of turning negative.
    fn from(number: u64) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value<'_> {
    fn from(number: usize) -> Self {
        Self::Integer(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(text: &'a str) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<Option<&'a str>> for Value<'a> {
    fn from(text: Option<&'a str>) -> Self {
        Self::TextOrNull(text)
    }
}

impl<'a> From<&'a [u8]> for Value<'a> {
    fn from(bytes: &'a [u8]) -> Self {
        Self::Bytes(bytes)
    }
}

impl<Row> QueryFragment<Sqlite> for Statement<'_, Row> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let mut parts = self.text.split('?');
        out.push_sql(parts.next().unwrap_or_default());
        for (part, value) in parts.zip(&self.values) {
            match value {
                Value::Integer(number) => out.push_bind_param::<BigInt, _>(number)?,
                Value::Text(text) => out.push_bind_param::<Text, _>(*text)?,
                Value::TextOrNull(text) => out.push_bind_param::<Nullable<Text>, _>(text)?,
                Value::Bytes(bytes) => out.push_bind_param::<Binary, _>(*bytes)?,
            }
            out.push_sql(part);
        }
        Ok(())
    }
}

impl<Row> QueryId for Statement<'_, Row> {
    type QueryId = ();
    // The text is the key of the cache.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Row> Query for Statement<'_, Row> {
    type SqlType = Row;
}

impl<Row> RunQueryDsl<SqliteConnection> for Statement<'_, Row> {}

#[cfg(test)]
mod tests {
    use diesel::Connection;
    use diesel::connection::{InstrumentationEvent, SimpleConnection};
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn a_statement_is_prepared_once_whatever_its_values_are() {
        let mut connection = SqliteConnection::establish(":memory:").unwrap();
        connection.batch_execute("CREATE TABLE t (n INTEGER, b BLOB, s TEXT)").unwrap();
        let prepared = Arc::new(AtomicUsize::new(0));
        let seen = Arc::clone(&prepared);
        connection.set_instrumentation(move |event: InstrumentationEvent<'_>| {
            if matches!(event, InstrumentationEvent::CacheQuery { .. }) {
                seen.fetch_add(1, Ordering::Relaxed);
            }
        });
        for n in 0..5_i64 {
            let insert = statement("INSERT INTO t VALUES (?, ?, ?)").bind(n).bind(&b"\0x"[..]);
            assert_eq!(insert.bind(None).execute(&mut connection).unwrap(), 1);
        }
        assert_eq!(prepared.load(Ordering::Relaxed), 1);
        let sum = query::<(BigInt, Nullable<Text>)>("SELECT sum(n), max(s) FROM t WHERE b = ?").bind(&b"\0x"[..]);
        assert_eq!(sum.get_result::<(i64, Option<String>)>(&mut connection).unwrap(), (10, None));
    }
}
