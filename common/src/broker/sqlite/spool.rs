//! A file of enqueues that wait for their broker.
//!
//! An enqueue is kept whole: producer, number, counts and tasks. Handing it over is nothing but repeating it, and the
//! broker answers a repetition with [`Enqueued::Already`](crate::broker::Enqueued::Already). So a batch whose first try
//! had no answer, and a process that dies between handing over and removing, add nothing twice, and no further
//! bookkeeping is needed for it. That is also why these tables are not the queue's: a lease cuts batches as it likes, and
//! a broker that may already have a batch knows it by its old cut only.
//!
//! SQLite notices damage to its own structure, not to what lies in it: each record has a checksum, and ids without a hole.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::sqlite::SqliteConnection;

use super::transaction::{Access, transaction};
use super::trouble::Trouble;
use crate::broker::Enqueue;
use crate::clock::UnixMicros;
use crate::sqlite::SqliteThread;

mod error;
mod files;
mod record;
mod tables;

pub use error::SpoolError;
pub use record::Spooled;

/// Enqueues read at once, at most.
const HEAD_MAX: usize = 64;

/// An open spool file. One process has it at a time; whoever opens it sees to that.
#[derive(Debug)]
pub struct SpoolFile {
    thread: SqliteThread,
    place: Arc<str>,
    bytes_max: u64,
}

/// What a spool file holds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SpoolContent {
    /// Enqueues.
    pub enqueues: u64,
    /// Their tasks.
    pub tasks: u64,
    /// Whether records are missing.
    pub is_whole: bool,
}

/// The oldest enqueues of a file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Head {
    /// In order.
    pub enqueues: Vec<Spooled>,
    /// Records left out because they are not as they were written.
    pub damaged: u64,
    /// The last record that was read, whole or damaged; `None` when there is no further one.
    pub last: Option<i64>,
}

impl SpoolFile {
    /// Opens (or creates) the file at `path`, which may grow to about `bytes_max` bytes.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`] when it is no spool, or not as it was written: [`set_aside`](Self::set_aside) it.
    pub async fn open(path: &Path, bytes_max: u64) -> Result<(Self, SpoolContent), SpoolError> {
        let place: Arc<str> = path.display().to_string().into();
        let thread = SqliteThread::open(path).await.map_err(|error| SpoolError::at_opening(&error, &place))?;
        let file = Self { thread, place, bytes_max };
        match file.call(Access::Write, move |db| tables::prepare(db, bytes_max)).await {
            Ok(content) => Ok((file, content)),
            Err(error) => {
                file.thread.close().await;
                Err(error)
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.thread.path()
    }

    /// Appends an enqueue. It is on the disk when this returns. Returns its record's id; ids grow.
    ///
    /// # Errors
    /// Nothing was added then. After [`SpoolError::Broken`], nothing must be added any more: what the system still has in
    /// memory may differ from the disk for good. Reading goes on.
    pub async fn put(&self, enqueue: &Enqueue<'_>) -> Result<i64, SpoolError> {
        if !self.thread.is_in_place() {
            let problem = "it was deleted or replaced while it was in use".to_owned();
            return Err(SpoolError::Broken { place: self.place.to_string(), problem });
        }
        let record = record::Packed::new(enqueue).ok_or_else(|| self.unusable("a task is longer than 4 GiB"))?;
        let bytes_max = self.bytes_max;
        let asked = record.bytes();
        match self.call(Access::Write, move |db| tables::insert(db, &record)).await {
            Err(SpoolError::DiskFull { place }) => {
                let used = self.call(Access::Read, tables::bytes_used).await?;
                Err(if bytes_max < tables::with_overhead(used.saturating_add(asked)) {
                    SpoolError::Full { place, bytes_max }
                } else {
                    SpoolError::DiskFull { place }
                })
            }
            outcome => outcome,
        }
    }

    /// The oldest enqueues after the record `after`: at most 64, and no further one once they hold `bytes_max`.
    pub async fn head(&self, after: i64, bytes_max: usize) -> Result<Head, SpoolError> {
        self.call(Access::Read, move |db| tables::head(db, after, HEAD_MAX, bytes_max)).await
    }

    /// Forgets the records up to `last`.
    pub async fn remove(&self, last: i64) -> Result<(), SpoolError> {
        self.call(Access::Write, move |db| tables::remove(db, last)).await
    }

    /// Closes the file and deletes it.
    pub async fn discard(self) -> std::io::Result<()> {
        let path = self.path().to_owned();
        self.thread.close().await;
        files::delete(&path)
    }

    /// Closes the file and leaves it.
    pub async fn close(self) {
        self.thread.close().await;
    }

    /// Moves a file that nobody has open out of the way, to `NAME.corrupt-<unix seconds>`. Returns its new path.
    pub fn set_aside(path: &Path, now: UnixMicros) -> std::io::Result<PathBuf> {
        files::set_aside(path, now)
    }

    async fn call<T, W>(&self, access: Access, work: W) -> Result<T, SpoolError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> Result<T, Trouble> + Send + 'static,
    {
        match self.thread.call(move |db| transaction(db, access, work)).await {
            Ok(outcome) => outcome.map_err(|trouble| SpoolError::from_trouble(trouble, &self.place)),
            Err(gone) => Err(self.unusable(&gone.to_string())),
        }
    }

    fn unusable(&self, problem: &str) -> SpoolError {
        SpoolError::Unusable { place: self.place.to_string(), problem: problem.to_owned() }
    }
}

#[cfg(test)]
mod tests;
