//! Prices in PostgreSQL, through diesel-async: no C library of PostgreSQL is needed.
//!
//! A batch is one statement and so one transaction and one round trip; see `merge`.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::gap::{unfit as unfit_gap, write_each as write_gaps_each};
use super::listing::{self, ascends};
use super::{
    HistoryRow, HistorySpan, InstrumentId, Listing, PriceStore, Registration, RowOutcome, Slots, StoreCensus,
    StoreError, StoreOptions, StoredGap, StoredPrice, StoredToken, TokenTable, UnknownTicker, WriteBatch, Written,
};
use crate::Address;
use crate::clock::UnixMicros;

mod arrays;
mod column;
mod each;
mod gap;
mod history;
mod link;
mod merge;
mod migrate;
mod pool;
mod read;
mod register;
mod tokens;
mod trouble;

use pool::{Blame, Pool, limited};

/// Prepares for `postgres://` or `postgresql://`. Nothing is contacted yet: the first call connects.
///
/// # Errors
/// [`StoreError::Unfit`] for a URL that cannot be read.
#[expect(clippy::unused_async, reason = "as `store::connect`, where other stores open files")]
pub async fn connect(url: &str, options: StoreOptions) -> Result<Arc<dyn PriceStore>, StoreError> {
    open(url.into(), options)
}

/// As [`connect`]. A login that is refused is read again from the address' file.
///
/// # Errors
/// [`StoreError::Unfit`] for a URL that cannot be read.
pub fn open(address: Address, options: StoreOptions) -> Result<Arc<dyn PriceStore>, StoreError> {
    let pool = Pool::new(address, options)?;
    Ok(Arc::new(PostgresStore { pool, days: history::Days::default() }))
}

#[derive(Debug)]
struct PostgresStore {
    pool: Pool,
    days: history::Days,
}

#[async_trait]
impl PriceStore for PostgresStore {
    async fn migrate(&self) -> Result<Vec<String>, StoreError> {
        let session = self.pool.session().await?;
        // No limit of time: another process may be at it, and building an index takes what it takes.
        migrate::run(session.connection).await.map_err(|source| StoreError::Unfit {
            place: self.pool.place().to_owned(),
            problem: format!("its schema cannot be changed: {source}"),
            fix: "give the user the right to create tables in the database, then run `tidemill migrate`".to_owned(),
        })
    }

    async fn register(&self, listings: &[Listing], unknown: UnknownTicker) -> Result<Vec<Registration>, StoreError> {
        if listings.is_empty() {
            return Ok(Vec::new());
        }
        let mut session = self.pool.session().await?;
        let outcome = limited(register::run(&mut session.connection, listings, unknown)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }

    async fn write(&self, batch: &WriteBatch) -> Result<Written, StoreError> {
        if batch.is_empty() {
            return Ok(Written::default());
        }
        let disorder = (!ascends(&batch.rows)).then_some(listing::NOT_ASCENDING);
        let unfit = disorder.or_else(|| each::unfit_time(batch)).or_else(|| unfit_gap(&batch.gaps));
        if let Some(unfit) = unfit {
            return Err(StoreError::Row { place: self.pool.place().to_owned(), source: unfit.into() });
        }
        self.add_history_days(batch).await?;
        let mut session = self.pool.session().await?;
        let outcome = limited(merge::run(&mut session.connection, batch)).await;
        let written = self.pool.settle(session, outcome, Blame::ARow).await;
        let written = self.forget_days_unless_written(written)?;

        let mut stored = vec![None; batch.rows.len()];
        for (id, bits) in written {
            if let Ok(place) = batch.rows.binary_search_by_key(&id, |row| row.instrument.0) {
                stored[place] = Some(Slots::from_bits(bits));
            }
        }
        let vanished = self.vanished(batch, &stored).await?;
        Ok(Written { stored: stored.into_iter().map(Option::unwrap_or_default).collect(), vanished })
    }

    async fn write_each(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, StoreError> {
        // A tick without a row can be blamed on no row: it is stored alone, or it is an error of the whole call.
        let loose = listing::loose_ticks(batch);
        if !loose.is_empty() {
            self.write(&WriteBatch { history: loose, ..WriteBatch::default() }).await?;
        }
        let mut outcomes = Vec::new();
        if !batch.rows.is_empty() {
            self.add_history_days(batch).await?;
            let mut session = self.pool.session().await?;
            let outcome = limited(each::run(&mut session.connection, batch)).await;
            let written = self.pool.settle(session, outcome, Blame::TheMoment).await;
            outcomes = self.forget_days_unless_written(written)?;
        }
        outcomes.extend(write_gaps_each(self, &batch.gaps).await?);
        Ok(outcomes)
    }

    async fn prices(&self) -> Result<Vec<StoredPrice>, StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(read::prices(&mut session.connection)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }

    async fn history(&self, span: HistorySpan, limit: u32) -> Result<Vec<HistoryRow>, StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(read::history(&mut session.connection, span, limit)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }

    async fn gaps(&self, limit: u32) -> Result<Vec<StoredGap>, StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(gap::newest(&mut session.connection, limit)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }

    async fn history_ticks(&self) -> Result<u64, StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(read::history_ticks(&mut session.connection)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }

    async fn census(&self) -> Result<StoreCensus, StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(read::census(&mut session.connection, self.pool.place())).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }
}

#[async_trait]
impl TokenTable for PostgresStore {
    async fn newest_token(&self, feed: &str) -> Result<Option<StoredToken>, StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(tokens::newest(&mut session.connection, feed)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }

    async fn add_token(
        &self,
        feed: &str,
        value: &SecretString,
        expires_at: Option<UnixMicros>,
    ) -> Result<(), StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(tokens::add(&mut session.connection, feed, value, expires_at)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await.map(drop)
    }

    async fn legacy_token(&self, table: &str) -> Result<Option<StoredToken>, StoreError> {
        let mut session = self.pool.session().await?;
        let outcome = limited(tokens::legacy(&mut session.connection, table)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await
    }
}

impl PostgresStore {
    /// Once a day per process.
    async fn add_history_days(&self, batch: &WriteBatch) -> Result<(), StoreError> {
        let missing = self.days.missing(&batch.history);
        if missing.is_empty() {
            return Ok(());
        }
        let mut session = self.pool.session().await?;
        let outcome = limited(history::create(&mut session.connection, &missing)).await;
        self.pool.settle(session, outcome, Blame::TheStore).await?;
        self.days.add(&missing);
        Ok(())
    }

    /// A refused tick may have lost its partition to somebody's clean-up.
    fn forget_days_unless_written<T>(&self, written: Result<T, StoreError>) -> Result<T, StoreError> {
        if written.is_err() {
            self.days.forget();
        }
        written
    }

    /// Rows that were not written because they are gone, not because they were older. Asked only if some were not.
    async fn vanished(&self, batch: &WriteBatch, stored: &[Option<Slots>]) -> Result<Vec<InstrumentId>, StoreError> {
        let unwritten: Vec<i64> = batch
            .rows
            .iter()
            .zip(stored)
            .filter_map(|(row, stored)| stored.is_none().then_some(row.instrument.0))
            .collect();
        if unwritten.is_empty() {
            return Ok(Vec::new());
        }
        let mut session = self.pool.session().await?;
        let outcome = limited(merge::existing(&mut session.connection, &unwritten)).await;
        let mut existing = self.pool.settle(session, outcome, Blame::TheStore).await?;
        existing.sort_unstable();
        let gone = |id: &i64| existing.binary_search(id).is_err();
        Ok(unwritten.into_iter().filter(gone).map(InstrumentId).collect())
    }
}
