//! Prices in a SQLite file: nothing to install, durable at every commit, shared by the processes of one machine.

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use diesel::sqlite::SqliteConnection;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use secrecy::SecretString;

use super::gap::{unfit as unfit_gap, write_each as write_gaps_each};
use super::listing::{self, ascends};
use super::{
    HistoryRow, HistorySpan, Listing, PriceStore, Registration, RowOutcome, Slots, StoreCensus, StoreError, StoredGap,
    StoredPrice, StoredToken, TokenTable, UnknownTicker, WriteBatch, Written,
};
use crate::clock::{self, UnixMicros};
use crate::sqlite::SqliteThread;

mod each;
mod gap;
mod history;
mod merge;
mod read;
mod register;
mod tokens;
mod trouble;
mod value;

use each::{Attempt, Legacy};
use history::TickColumns;
use merge::{RowColumns, Stored};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/sqlite");

/// Opens (or creates) the file at `path`.
///
/// # Errors
/// [`StoreError::Unfit`] for a folder, a file that is no database, or one that may not be opened.
pub async fn connect(path: &Path) -> Result<Arc<dyn PriceStore>, StoreError> {
    let place = format!("sqlite:{}", path.display());
    match SqliteThread::open(path).await {
        Ok(thread) => match thread.damage().await {
            None => Ok(Arc::new(SqliteStore { thread, place })),
            Some(problem) => Err(StoreError::Unfit {
                place,
                problem: format!("it is damaged: {problem}"),
                fix: trouble::RECOVER.to_owned(),
            }),
        },
        Err(error) => Err(StoreError::Unfit {
            place,
            problem: error.to_string(),
            fix: "name a file that is a SQLite database, or a new one in a folder that this user may write to"
                .to_owned(),
        }),
    }
}

#[derive(Debug)]
struct SqliteStore {
    thread: SqliteThread,
    place: String,
}

#[async_trait]
impl PriceStore for SqliteStore {
    async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        // In one transaction that locks at its start: a second process waits, and then finds nothing missing.
        let work = |connection: &mut SqliteConnection| {
            connection.immediate_transaction(|connection| {
                let applied = connection.run_pending_migrations(MIGRATIONS).map_err(Unmigrated::Migration)?;
                Ok(applied.into_iter().map(|version| version.to_string()).collect())
            })
        };
        match self.thread.call(work).await {
            Ok(Ok(applied)) => Ok(applied),
            Ok(Err(Unmigrated::Database(error))) => Err(trouble::error(&self.place, error)),
            Ok(Err(Unmigrated::Migration(source))) => Err(StoreError::Unfit {
                place: self.place.clone(),
                problem: format!("its schema cannot be changed: {source}"),
                fix: "check that no other program made tables of these names in the file".to_owned(),
            }),
            Err(gone) => Err(self.systemic(gone)),
        }
    }

    async fn register(&self, listings: &[Listing], unknown: UnknownTicker) -> Result<Vec<Registration>, StoreError> {
        let (listings, now) = (listings.to_vec(), clock::now());
        self.transaction(move |connection| register::run(connection, &listings, unknown, now)).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Written, StoreError> {
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let disorder = (!ascends(&batch.rows)).then_some(listing::NOT_ASCENDING);
        if let Some(unfit) = disorder.or_else(|| unfit_gap(&batch.gaps)) {
            return Err(StoreError::Row { place: self.place.clone(), source: unfit.into() });
        }
        let now = clock::now();
        let rows: Vec<_> = batch.rows.iter().map(|row| RowColumns::new(row, now)).collect();
        let ticks: Vec<_> = batch.history.iter().map(TickColumns::new).collect();
        let gaps = batch.gaps.clone();
        self.transaction(move |connection| {
            let mut written = Written::default();
            let stored = Stored::load(connection, &rows)?;
            for row in &rows {
                let Some(stored) = stored.get(&row.instrument) else {
                    written.vanished.push(row.instrument);
                    written.stored.push(Slots::NONE);
                    continue;
                };
                written.stored.push(row.merge(connection, stored)?);
            }
            for tick in &ticks {
                tick.add(connection)?;
            }
            for row in &gaps {
                gap::add(connection, row, now)?;
            }
            Ok(written)
        })
        .await
    }

    async fn write_each(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, StoreError> {
        // A tick without a row can be blamed on no row: it is stored alone, or it is an error of the whole call.
        let loose = listing::loose_ticks(batch);
        if !loose.is_empty() {
            self.write(&WriteBatch { history: loose, ..WriteBatch::default() }).await?;
        }
        let now = clock::now();
        let attempt = |row| Attempt { row: RowColumns::new(row, now), ticks: Vec::new(), legacy: Legacy::of(row) };
        let mut attempts: Vec<_> = batch.rows.iter().map(attempt).collect();
        for (tick, row) in batch.history.iter().zip(listing::rows_of_ticks(batch)) {
            if let Some(row) = row {
                attempts[row].ticks.push(TickColumns::new(tick));
            }
        }
        let make = move |connection: &mut SqliteConnection| {
            attempts.iter().map(|attempt| attempt.make(connection)).collect::<diesel::QueryResult<Vec<_>>>()
        };
        let mut outcomes = self.transaction(make).await?;
        outcomes.extend(write_gaps_each(self, &batch.gaps).await?);
        Ok(outcomes)
    }

    async fn prices(&self) -> Result<Vec<StoredPrice>, StoreError> {
        self.call(read::prices).await
    }

    async fn history(&self, span: HistorySpan, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
        self.call(move |connection| read::history(connection, span, limit)).await
    }

    async fn gaps(&self, limit: u32) -> Result<Vec<StoredGap>, StoreError> {
        self.call(move |connection| gap::newest(connection, limit)).await
    }

    async fn history_ticks(&self) -> Result<u64, StoreError> {
        self.call(read::history_ticks).await
    }

    async fn census(&self) -> Result<StoreCensus, StoreError> {
        let place = self.place.clone();
        self.call(move |connection| read::census(connection, place)).await
    }
}

#[async_trait]
impl TokenTable for SqliteStore {
    async fn newest_token(&self, feed: &str) -> Result<Option<StoredToken>, StoreError> {
        let feed = feed.to_owned();
        self.call(move |connection| tokens::newest(connection, &feed)).await
    }

    async fn add_token(
        &self,
        feed: &str,
        value: &SecretString,
        expires_at: Option<UnixMicros>,
    ) -> Result<(), StoreError> {
        let (feed, value, now) = (feed.to_owned(), value.clone(), clock::now());
        self.transaction(move |connection| tokens::add(connection, &feed, &value, expires_at, now)).await
    }

    async fn legacy_token(&self, table: &str) -> Result<Option<StoredToken>, StoreError> {
        let table = table.to_owned();
        self.call(move |connection| tokens::legacy(connection, &table)).await
    }
}

impl SqliteStore {
    /// One transaction that takes the write lock at its start, so that it never fails in its middle for lack of it.
    async fn transaction<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> diesel::QueryResult<T> + Send + 'static,
    {
        self.call(|connection| connection.immediate_transaction(work)).await
    }

    async fn call<T, W>(&self, work: W) -> Result<T, StoreError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> diesel::QueryResult<T> + Send + 'static,
    {
        if !self.thread.is_in_place() {
            return Err(StoreError::Unfit {
                place: self.place.clone(),
                problem: "the file was deleted or replaced while it was in use".to_owned(),
                fix: "put it back, or restart every process that uses it to begin a new one".to_owned(),
            });
        }
        let answer = self.thread.call(work).await.map_err(|gone| self.systemic(gone))?;
        answer.map_err(|error| trouble::error(&self.place, error))
    }

    fn systemic(&self, source: impl Into<crate::BoxError>) -> StoreError {
        StoreError::Systemic { place: self.place.clone(), code: None, source: source.into() }
    }
}

enum Unmigrated {
    Database(diesel::result::Error),
    Migration(crate::BoxError),
}

impl From<diesel::result::Error> for Unmigrated {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error)
    }
}
