//! One call, one transaction.
//!
//! The statements are our own and not diesel's transaction manager: SQLite rolls back by itself after some errors (a
//! full disk, for one), which leaves that manager broken for good.

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

use super::trouble::Trouble;
use crate::sqlite::{begin_writing, patiently};

/// What a transaction may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    /// One consistent view; stands in nobody's way.
    Read,
    /// Waits for its turn among all processes' writers. Durable when it is committed.
    Write,
    /// As `Write`, but durable only with the next one that is, or when the log is flushed. For what a power failure may
    /// undo without any loss: then the processes that did it are gone as well, a batch that was taken or settled comes
    /// again, and an enqueue was not answered yet.
    Undoable,
}

/// Runs `work`; commits if it succeeds, otherwise nothing was changed.
pub(super) fn transaction<T>(
    db: &mut SqliteConnection,
    access: Access,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    // <https://sqlite.org/pragma.html#pragma_synchronous>: in WAL mode NORMAL does not flush the log at a commit.
    if access == Access::Undoable {
        db.batch_execute("PRAGMA synchronous = NORMAL")?;
    }
    let outcome = within(db, access, work);
    if access == Access::Undoable {
        db.batch_execute("PRAGMA synchronous = FULL")?;
    }
    outcome
}

fn within<T>(
    db: &mut SqliteConnection,
    access: Access,
    work: impl FnOnce(&mut SqliteConnection) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    match access {
        Access::Read => patiently(db, "BEGIN")?,
        Access::Write | Access::Undoable => begin_writing(db)?,
    }
    let outcome = work(db).and_then(|value| Ok(db.batch_execute("COMMIT").map(|()| value)?));
    if outcome.is_err() {
        // Where SQLite has rolled back by itself it says that there is no transaction, which is what is wanted.
        drop(db.batch_execute("ROLLBACK"));
    }
    outcome
}
