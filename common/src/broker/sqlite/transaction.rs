//! One call, one transaction.
//!
//! The statements are our own and not diesel's transaction manager: SQLite rolls back by itself after some errors (a
//! full disk, for one), which leaves that manager broken for good.

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

use super::trouble::Trouble;
use crate::sqlite::patiently;

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// One consistent view; stands in nobody's way.
    Read,
    /// Waits for its turn among all processes' writers.
    Write,
}

/// Runs `work`; commits if it succeeds, otherwise nothing was changed.
pub(super) fn transaction<T>(
    db: &mut SqliteConnection,
    access: Access,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let begin = match access {
        Access::Read => "BEGIN",
        Access::Write => "BEGIN IMMEDIATE",
    };
    patiently(db, begin)?;
    let outcome = work(db).and_then(|value| Ok(db.batch_execute("COMMIT").map(|()| value)?));
    if outcome.is_err() {
        // Where SQLite has rolled back by itself it says that there is no transaction, which is what is wanted.
        drop(db.batch_execute("ROLLBACK"));
    }
    outcome
}
