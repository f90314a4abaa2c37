//! Whose fault an error is. `diesel_async` 0.9 shows the SQLSTATE of eight kinds of errors only and hides the rest
//! behind the message, which is translated: so what it does not name is never judged by its text.

use diesel::result::{DatabaseErrorKind, Error};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use crate::BoxError;

/// Classes of errors, as `StoreError` has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Class {
    Row,
    Contention,
    Systemic(Option<Box<str>>),
    Unnamed,
}

/// Whether the tables and functions are there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Schema {
    Complete,
    Incomplete,
}

#[derive(Debug, thiserror::Error)]
#[error("its tables are missing or of another version: run `tidemill migrate`")]
pub(super) struct NotMigrated(#[source] pub(super) BoxError);

/// What `tidemill_raise_unless_a_rows_fault` puts before the SQLSTATE in the hint.
const HINT: &str = "SQLSTATE ";

#[expect(clippy::wildcard_enum_match_arm, reason = "a library's open set: what it adds is unnamed to us")]
pub(super) fn class(error: &Error) -> Class {
    match error {
        Error::DatabaseError(kind, information) => {
            let hinted = information.hint().and_then(|hint| hint.strip_prefix(HINT));
            hinted.map_or_else(|| of_kind(*kind), of_code)
        }
        // A value that cannot be turned into its column's type.
        Error::SerializationError(_) => Class::Row,
        Error::BrokenTransactionManager | Error::DeserializationError(_) => Class::Systemic(None),
        _ => Class::Unnamed,
    }
}

fn of_kind(kind: DatabaseErrorKind) -> Class {
    match kind {
        DatabaseErrorKind::UniqueViolation
        | DatabaseErrorKind::ForeignKeyViolation
        | DatabaseErrorKind::NotNullViolation
        | DatabaseErrorKind::CheckViolation
        | DatabaseErrorKind::RestrictViolation
        | DatabaseErrorKind::ExclusionViolation => Class::Row,
        DatabaseErrorKind::SerializationFailure => Class::Contention,
        DatabaseErrorKind::ReadOnlyTransaction => Class::Systemic(Some("25006".into())),
        DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand => Class::Systemic(None),
        _ => Class::Unnamed,
    }
}

/// Contention: 40 (rollback), 55P03 (lock timeout), 57014 (cancelled). The function hints at no code of a row.
fn of_code(code: &str) -> Class {
    if code.starts_with("40") || matches!(code, "55P03" | "57014") {
        Class::Contention
    } else {
        Class::Systemic(Some(code.into()))
    }
}

#[derive(diesel::QueryableByName)]
struct Found {
    #[diesel(sql_type = diesel::sql_types::Bool)]
    complete: bool,
}

/// Asks for the newest things that this version needs.
pub(super) async fn schema(connection: &mut AsyncPgConnection) -> diesel::QueryResult<Schema> {
    let found: Found = diesel::sql_query(
        "SELECT to_regclass('ticker_price_data') IS NOT NULL
            AND to_regclass('tick_history') IS NOT NULL
            AND to_regclass('tick_gap') IS NOT NULL
            AND to_regproc('tidemill_register') IS NOT NULL
            AND to_regproc('tidemill_write_each') IS NOT NULL AS complete",
    )
    .get_result(connection)
    .await?;
    Ok(if found.complete { Schema::Complete } else { Schema::Incomplete })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hinted_code_decides() {
        assert_eq!(of_code("40P01"), Class::Contention);
        assert_eq!(of_code("57014"), Class::Contention);
        assert_eq!(of_code("53100"), Class::Systemic(Some("53100".into())));
    }
}
