//! Values on their way into a statement.

use diesel::QueryResult;
use diesel::query_builder::AstPass;
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use rust_decimal::Decimal;

/// SQLite's types, as far as the tables use them.
#[derive(Debug)]
pub(super) enum Value {
    Number(Option<i64>),
    Text(Option<String>),
}

/// Decimals are text: SQLite has no exact number that is wide enough.
pub(super) fn text(value: Option<Decimal>) -> Value {
    Value::Text(value.map(|value| value.to_string()))
}

impl Value {
    pub(super) fn push<'b>(&'b self, out: &mut AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        match self {
            Self::Number(number) => out.push_bind_param::<Nullable<BigInt>, _>(number),
            Self::Text(text) => out.push_bind_param::<Nullable<Text>, _>(text),
        }
    }
}
