//! The answer to an enqueue waits for the disk; whoever takes its tasks does not.
//!
//! The commit itself is not flushed, so workers see the tasks at once and the file is free for the next writer. Then the
//! write-ahead log is flushed, and only then is the enqueue answered: what was answered outlives a power cut, as if the
//! commit had waited. A power cut before it takes the enqueue and all that was done with it, because what stands behind
//! it in the log is gone too; rows that a worker has stored by then are those of a producer that ended unanswered.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use diesel::sqlite::SqliteConnection;

use super::transaction::{Access, transaction};
use super::trouble::Trouble;
use crate::sqlite::SqliteThread;

/// The write-ahead log of an opened file.
#[derive(Debug, Clone)]
pub(super) struct Log {
    thread: SqliteThread,
    /// A system that could not write says so once, and forgets what it has not written.
    is_broken: Arc<AtomicBool>,
}

impl Log {
    pub(super) fn of(thread: &SqliteThread) -> Self {
        Self { thread: thread.clone(), is_broken: Arc::default() }
    }

    /// Runs `work` in a transaction, then `meanwhile`, while what was written goes to the disk. Returns once it is there.
    pub(super) fn write_through<T>(
        &self,
        db: &mut SqliteConnection,
        work: impl FnOnce(&mut SqliteConnection) -> Result<T, Trouble>,
        meanwhile: impl FnOnce(&T),
    ) -> Result<T, Trouble> {
        if self.is_broken.load(Ordering::SeqCst) {
            return Err(broken("it could not be written earlier"));
        }
        // Where there is none (another journal mode, no file descriptor left) the commit waits for the disk.
        let log = self.thread.log().ok();
        let access = if log.is_some() { Access::Undoable } else { Access::Write };
        let answer = transaction(db, access, work)?;
        meanwhile(&answer);
        if let Some(Err(error)) = log.map(|log| log.sync_data()) {
            self.is_broken.store(true, Ordering::SeqCst);
            return Err(broken(&error.to_string()));
        }
        Ok(answer)
    }
}

fn broken(problem: &str) -> Trouble {
    Trouble::Unfit {
        problem: format!("its write-ahead log does not reach the disk: {problem}"),
        fix: "look after the disk, then restart every process that uses the file".to_owned(),
    }
}
