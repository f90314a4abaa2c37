//! The seam to the tables: one trait, one conformance suite (`testing::store_suite`), two implementations.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;

use crate::clock::UnixMicros;
use crate::market::OrderKey;
use crate::{Address, BoxError};

mod columns;
mod gap;
mod listing;
pub mod postgres;
mod row;
pub mod sqlite;
mod stored;
mod tokens;

use listing::{NamedListing, rows_of_ticks};
pub use row::{Cell, GapRow, HistoryRow, InstrumentId, Listing, PriceRow, Registration, Slot, Slots};
pub use tokens::{StoredToken, TOKENS_KEPT, TokenTable};

/// What one commit brings: at most one price row per instrument, sorted by instrument, the ticks of the history, and
/// the gaps that listeners found.
#[derive(Debug, Clone, Default)]
pub struct WriteBatch {
    /// One per instrument, ascending: two writers never wait for each other in a circle.
    pub rows: Vec<PriceRow>,
    /// Every tick, in the same transaction; empty unless history is on.
    pub history: Vec<HistoryRow>,
    /// Holes in the streams, in the same transaction.
    pub gaps: Vec<GapRow>,
}

impl WriteBatch {
    /// Whether there is nothing to write.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty() && self.history.is_empty() && self.gaps.is_empty()
    }
}

/// What became of a batch that was committed whole.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Per row of the batch: the slots that were newer than the table's and are stored now.
    pub stored: Vec<Slots>,
    /// Instruments whose row is gone from the table (somebody deleted it): nothing was written for them.
    pub vanished: Vec<InstrumentId>,
}

/// What became of one row of a batch that was written row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RowOutcome {
    /// In the price table; these slots were newer.
    Stored(Slots),
    /// The price table refused it; its time and price went to the legacy table.
    Legacy(Refusal),
    /// Refused, and no legacy table took it.
    Refused(Refusal),
    /// The instrument's row is gone from the table.
    Vanished,
}

/// Why a database refused a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// SQLSTATE, five characters. SQLite's refusals are given their SQLSTATE equivalents.
    pub code: Box<str>,
    /// What was said.
    pub message: String,
}

/// What to do with a ticker that `ticker_base` does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum UnknownTicker {
    /// Create it.
    #[default]
    Create,
    /// Skip its ticks, counted as `unknown_ticker`.
    Skip,
    /// Give its tasks up as dead letters.
    Dead,
}

/// What the status page shows of a store.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StoreCensus {
    /// `postgres` or `sqlite`.
    pub kind: &'static str,
    /// Where, without any secret.
    pub place: String,
    /// Instruments with a price.
    pub priced: u64,
    /// When the newest price was stored.
    pub newest_at: Option<UnixMicros>,
    /// Size of the database in bytes.
    pub bytes: u64,
    /// Rows of `tick_gap`.
    pub gaps: u64,
}

/// A latest price, as `status` and tests read it back.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredPrice {
    /// Canonical form of the instrument.
    pub instrument: String,
    /// The feed it came from.
    pub feed: String,
    /// The key in `ticker_base`.
    pub ticker_symbol: String,
    /// The values with their order keys.
    pub row: PriceRow,
    /// When it was stored.
    pub stored_at: UnixMicros,
}

/// A gap, as it is read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredGap {
    /// The hole.
    pub row: GapRow,
    /// When it was stored.
    pub stored_at: UnixMicros,
}

/// A part of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HistorySpan {
    /// The first order key.
    pub from: OrderKey,
    /// The last order key.
    pub to: OrderKey,
    /// Received at this moment or later: narrows down the days that are looked at.
    pub since: UnixMicros,
}

/// The tables that hold prices.
#[async_trait]
pub trait PriceStore: TokenTable + Send + Sync + Debug {
    /// Applies the migrations that are missing. Returns their names.
    async fn migrate(&self) -> Result<Vec<String>, StoreError>;

    /// Finds (or creates) the rows of these instruments.
    async fn register(&self, listings: &[Listing], unknown: UnknownTicker) -> Result<Vec<Registration>, StoreError>;

    /// Commits a batch whole: price rows merged slot by slot under their order keys, history and gaps added once.
    async fn write(&self, batch: &WriteBatch) -> Result<Written, StoreError>;

    /// Commits a batch row by row after [`write`](Self::write) was refused, in one round trip: good rows are stored,
    /// each bad one goes to its legacy table or is refused with its SQLSTATE. Systemic trouble is still an error.
    ///
    /// Unlike `write` it takes several rows of one instrument, unsorted (say, one per tick), and applies them in the
    /// order given; there is one outcome per row, then one per gap (`Stored` without slots, or `Refused`).
    async fn write_each(&self, batch: &WriteBatch) -> Result<Vec<RowOutcome>, StoreError>;

    /// Prices, ordered by canonical instrument.
    async fn prices(&self) -> Result<Vec<StoredPrice>, StoreError>;

    /// Ticks of the history by order key and index, at most `limit`.
    async fn history(&self, span: HistorySpan, limit: u32) -> Result<Vec<HistoryRow>, StoreError>;

    /// The newest gaps, newest first, at most `limit`.
    async fn gaps(&self, limit: u32) -> Result<Vec<StoredGap>, StoreError>;

    /// Rows of `tick_history`. Counts them, which takes seconds where there are many millions.
    async fn history_ticks(&self) -> Result<u64, StoreError>;

    /// For the status page; also the health check.
    async fn census(&self) -> Result<StoreCensus, StoreError>;
}

/// Why a store did not do it. The class decides what happens to the ticks.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Away, full, read-only, or without its tables: pause and try again; no tick is to blame.
    #[error("the price store at {place} is not available")]
    Systemic {
        /// Where, without any secret.
        place: String,
        /// SQLSTATE where there is one.
        code: Option<Box<str>>,
        /// What was said.
        #[source]
        source: BoxError,
    },
    /// In another writer's way (deadlock, serialisation, lock timeout): try again at once, with jitter.
    #[error("the price store at {place} was busy with another writer")]
    Contention {
        /// Where, without any secret.
        place: String,
        /// What was said.
        #[source]
        source: BoxError,
    },
    /// Some row of the batch cannot be stored: find it with [`PriceStore::write_each`].
    #[error("the price store at {place} refused a row")]
    Row {
        /// Where, without any secret.
        place: String,
        /// What was said.
        #[source]
        source: BoxError,
    },
    /// The URL or the schema cannot be used until somebody acts.
    #[error("the price store at {place} cannot be used: {problem}")]
    Unfit {
        /// Where, without any secret.
        place: String,
        /// What is wrong.
        problem: String,
        /// What to do about it.
        fix: String,
    },
}

impl StoreError {
    /// Whether the same call may succeed later with nothing changed here.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Systemic { .. } | Self::Contention { .. } => true,
            Self::Row { .. } | Self::Unfit { .. } => false,
        }
    }
}

/// How a store is opened.
#[derive(Debug, Clone, Copy)]
pub struct StoreOptions {
    /// Connections to keep at most. SQLite has one writer and uses one.
    pub connections: u32,
}

/// Opens the store that `address` names: `postgres://`, `postgresql://`, or `sqlite:PATH`.
pub async fn connect(address: impl Into<Address>, options: StoreOptions) -> Result<Arc<dyn PriceStore>, StoreError> {
    use secrecy::ExposeSecret;
    let address = address.into();
    if let Some(path) = address.url().expose_secret().strip_prefix("sqlite:") {
        return sqlite::connect(path.as_ref()).await;
    }
    postgres::open(address, options)
}
