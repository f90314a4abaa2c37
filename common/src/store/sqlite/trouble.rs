//! Whose fault an error is. SQLite's texts are a fixed table of its library, never translated; the library that we use
//! shows the code of constraint violations only.

use diesel::result::{DatabaseErrorKind, Error};

use crate::BoxError;
use crate::store::{Refusal, StoreError};

/// The file is damaged.
const DAMAGED: &str = "XX001";

pub(super) const RECOVER: &str = "stop every process, keep a copy of the file, and rescue what can be read with \
                       `sqlite3 FILE .recover | sqlite3 NEW_FILE`";

/// Texts of SQLite's result codes that are no row's fault, with the SQLSTATE that says the same.
const SYSTEMIC: [(&str, &str); 10] = [
    ("database or disk is full", "53100"),
    ("disk I/O error", "58030"),
    ("unable to open database file", "58030"),
    ("attempt to write a readonly database", "25006"),
    ("database disk image is malformed", DAMAGED),
    ("file is not a database", DAMAGED),
    ("out of memory", "53200"),
    ("no such table", "42P01"),
    ("no such column", "42703"),
    ("has no column named", "42703"),
];

/// Another connection held its lock longer than `SqliteThread::BUSY_TIMEOUT`.
const LOCKED: [&str; 2] = ["database is locked", "database table is locked"];

#[derive(Debug, thiserror::Error)]
#[error("its tables are missing or of another version: run `tidemill migrate`")]
struct NotMigrated(#[source] BoxError);

/// The SQLSTATE of a refused row; `None` when no row is to blame.
pub(super) fn refusal(error: &Error) -> Option<Refusal> {
    matches!(class(error), Class::Row).then(|| {
        let code = if let Error::DatabaseError(kind, _) = error { sqlstate(*kind) } else { UNNAMED };
        Refusal { code: code.into(), message: error.to_string() }
    })
}

/// As the seam names it.
pub(super) fn error(place: &str, error: Error) -> StoreError {
    let place = place.to_owned();
    match class(&error) {
        Class::Row => StoreError::Row { place, source: error.into() },
        Class::Contention => StoreError::Contention { place, source: error.into() },
        Class::Systemic(Some(DAMAGED)) => {
            StoreError::Unfit { place, problem: error.to_string(), fix: RECOVER.to_owned() }
        }
        Class::Systemic(code) => {
            let not_migrated = code.is_some_and(|code| code.starts_with("42"));
            let source = if not_migrated { NotMigrated(error.into()).into() } else { error.into() };
            StoreError::Systemic { place, code: code.map(Into::into), source }
        }
    }
}

enum Class {
    Row,
    Contention,
    Systemic(Option<&'static str>),
}

fn class(error: &Error) -> Class {
    let Error::DatabaseError(_, information) = error else {
        return Class::Systemic(None);
    };
    let says = |text: &str| information.message().contains(text);
    if LOCKED.into_iter().any(says) {
        return Class::Contention;
    }
    let systemic = SYSTEMIC.into_iter().find(|(text, _)| says(text));
    systemic.map_or(Class::Row, |(_, code)| Class::Systemic(Some(code)))
}

/// Data exception, no particular one.
const UNNAMED: &str = "22000";

#[expect(clippy::wildcard_enum_match_arm, reason = "a library's open set: what it adds is unnamed to us")]
fn sqlstate(kind: DatabaseErrorKind) -> &'static str {
    match kind {
        DatabaseErrorKind::CheckViolation => "23514",
        DatabaseErrorKind::NotNullViolation => "23502",
        DatabaseErrorKind::ForeignKeyViolation => "23503",
        DatabaseErrorKind::UniqueViolation => "23505",
        _ => UNNAMED,
    }
}
