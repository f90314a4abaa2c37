//! From sightings to committed rows: normalise, coalesce, write, and on a refusal tick by tick.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::clock;
use common::failpoint::{Point, reach};
use common::feed::SymbolError;
use common::market::Catalog;
use common::masters::Catalogs;
use common::outage::chain;
use common::retry::Backoff;
use common::shutdown::Shutdown;
use common::store::{
    GapRow, InstrumentId, Listing, PriceStore, Refusal, Registration, RowOutcome, StoreError, UnknownTicker,
    WriteBatch, Written,
};
use tracing::warn;

use crate::batch_size::BatchSize;
use crate::coalesce::{Coalesced, Tick, one_by_one};
use crate::decode::{Decoded, Sighting};
use crate::docket::{Docket, Ending, Failure, REFUSED};
use crate::normalise::{Meaning, Symbols, unknown};
use crate::options::WorkerOptions;
use crate::stats::Stats;
use crate::together::Together;
use crate::trouble::Trouble;

/// How often a row that vanished under a write is registered anew for the same batch.
const VANISHED_ROUNDS_MAX: u32 = 3;

/// A call that failed after so long was not refused: the store was silent or too slow.
const SLOW_FAILURE: Duration = Duration::from_secs(1);

/// The worker is asked to stop while the store is away: what is not written is released.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopping;

/// Why something was not written.
#[derive(Debug)]
pub(crate) enum Denied {
    Stopping,
    /// Repeating it cannot help.
    Row(StoreError),
}

/// Writes batches to the store. Shared by all loops of a process.
#[derive(Debug)]
pub(crate) struct Writer {
    pub(crate) store: Arc<dyn PriceStore>,
    pub(crate) symbols: Symbols,
    pub(crate) catalogs: Catalogs,
    pub(crate) trouble: Trouble,
    pub(crate) stats: Arc<Stats>,
    pub(crate) shutdown: Shutdown,
    pub(crate) history: bool,
    pub(crate) unknown_ticker: UnknownTicker,
    /// Commits of one process take turns. Reading, decoding and settling go on meanwhile.
    together: Together,
    /// Held by the call that tries whether the store is back.
    trying: tokio::sync::Mutex<()>,
    size: Mutex<BatchSize>,
}

impl Writer {
    pub(crate) fn new(
        options: &WorkerOptions,
        store: Arc<dyn PriceStore>,
        stats: Arc<Stats>,
        shutdown: Shutdown,
    ) -> Self {
        Self {
            store,
            symbols: Symbols::default(),
            catalogs: options.catalogs.clone(),
            trouble: Trouble::with("the price store"),
            stats,
            shutdown,
            history: options.history,
            unknown_ticker: options.unknown_ticker,
            together: Together::default(),
            trying: tokio::sync::Mutex::new(()),
            size: Mutex::new(BatchSize::new(options.batch_tasks, options.lease)),
        }
    }

    /// How many tasks the store can take at once. Never held across an await.
    pub(crate) fn size(&self) -> MutexGuard<'_, BatchSize> {
        self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Commits what a batch says. Every sighting and every gap has its ending on the docket afterwards.
    pub(crate) async fn write(&self, mut decoded: Decoded<'_>, docket: &mut Docket) -> Result<(), Stopping> {
        let mut gaps = std::mem::take(&mut decoded.gaps);
        let mut sightings = decoded.sightings();
        for _ in 0..VANISHED_ROUNDS_MAX {
            let ticks = self.normalise(&sightings, docket).await?;
            let vanished = self.commit(&ticks, std::mem::take(&mut gaps), docket).await?;
            if vanished.is_empty() {
                return Ok(());
            }
            self.symbols.forget(&vanished);
            let again: Vec<(usize, i16)> = ticks
                .iter()
                .filter(|tick| vanished.contains(&tick.instrument))
                .map(|tick| (tick.task, tick.index))
                .collect();
            sightings.retain(|sighting| again.contains(&(sighting.origin.task, sighting.origin.index)));
        }
        for sighting in &sightings {
            docket.fail(
                sighting.origin.task,
                Failure {
                    reason: "vanished",
                    code: None,
                    error: "its row is deleted from the table as often as it is created".to_owned(),
                    symbol: Some((*sighting.observation.symbol).into()),
                    may_retry: true,
                },
            );
        }
        Ok(())
    }

    /// Replaces symbols by rows of the store; those without one end here.
    async fn normalise<'s>(
        &self,
        sightings: &'s [Sighting<'_>],
        docket: &mut Docket,
    ) -> Result<Vec<Tick<'s>>, Stopping> {
        let (meanings, refused) = self.meanings(sightings).await?;
        let mut ticks = Vec::with_capacity(sightings.len());
        for (sighting, meaning) in sightings.iter().zip(meanings) {
            match meaning {
                Some(Meaning::Listed(Registration::Row(instrument))) => ticks.push(tick(sighting, instrument)),
                Some(Meaning::Listed(Registration::UnknownTicker)) => self.end_unknown(sighting, docket),
                Some(Meaning::Unreadable) => docket.end(sighting.origin.task, Ending::Skipped("unknown_symbol")),
                None => docket.fail(sighting.origin.task, not_registered(sighting, &refused)),
            }
        }
        Ok(ticks)
    }

    /// What the symbols stand for, and the listings that the store refuses, with its reason.
    async fn meanings(
        &self,
        sightings: &[Sighting<'_>],
    ) -> Result<(Vec<Option<Meaning>>, Vec<(Listing, String)>), Stopping> {
        loop {
            let catalog = self.catalogs.current();
            self.symbols.follow(&catalog);
            let meanings = self.symbols.look_up(sightings);
            if meanings.iter().all(Option::is_some) {
                return Ok((meanings, Vec::new()));
            }
            let (listings, unreadable) = unknown(&catalog, sightings, &meanings);
            self.learn_unreadable(&catalog, unreadable);
            let refused = self.register(&catalog, &listings).await?;
            let meanings = self.symbols.look_up(sightings);
            // Another catalog may count by now, and then nothing was remembered.
            if self.symbols.follows(&catalog) {
                return Ok((meanings, refused));
            }
        }
    }

    fn end_unknown(&self, sighting: &Sighting<'_>, docket: &mut Docket) {
        if self.unknown_ticker == UnknownTicker::Dead {
            docket.fail(
                sighting.origin.task,
                Failure {
                    reason: "unknown_ticker",
                    code: None,
                    error: "ticker_base does not know this ticker, and store.unknown_ticker is `dead`".to_owned(),
                    symbol: Some((*sighting.observation.symbol).into()),
                    may_retry: false,
                },
            );
        } else {
            docket.end(sighting.origin.task, Ending::Skipped("unknown_ticker"));
        }
    }

    fn learn_unreadable(&self, catalog: &Arc<Catalog>, unreadable: Vec<SymbolError>) {
        for error in unreadable {
            warn!(feed = error.feed, symbol = ?error.symbol, "skipping a symbol that cannot be read: {}", error.problem);
            self.symbols.learn(catalog, error.feed, error.symbol, Meaning::Unreadable);
        }
    }

    /// Registers listings; returns those that the store refuses, with its reason.
    async fn register(
        &self,
        catalog: &Arc<Catalog>,
        listings: &[(&'static str, Listing)],
    ) -> Result<Vec<(Listing, String)>, Stopping> {
        if listings.is_empty() {
            return Ok(Vec::new());
        }
        let all: Vec<Listing> = listings.iter().map(|(_, listing)| listing.clone()).collect();
        match self.patiently(|| self.store.register(&all, self.unknown_ticker)).await {
            Ok(registrations) => {
                for ((feed, listing), registration) in listings.iter().zip(registrations) {
                    self.symbols.learn(catalog, feed, listing.symbol.clone(), Meaning::Listed(registration));
                }
                Ok(Vec::new())
            }
            Err(Denied::Stopping) => Err(Stopping),
            Err(Denied::Row(error)) if listings.len() == 1 => Ok(vec![(listings[0].1.clone(), chain(&error))]),
            Err(Denied::Row(_)) => {
                let mut refused = Vec::new();
                for one in listings {
                    refused.extend(Box::pin(self.register(catalog, std::slice::from_ref(one))).await?);
                }
                Ok(refused)
            }
        }
    }

    /// Commits ticks and gaps and writes their endings; returns instruments whose row is gone.
    async fn commit(
        &self,
        ticks: &[Tick<'_>],
        gaps: Vec<(usize, GapRow)>,
        docket: &mut Docket,
    ) -> Result<Vec<InstrumentId>, Stopping> {
        if ticks.is_empty() && gaps.is_empty() {
            return Ok(Vec::new());
        }
        let (tasks_of_gaps, gaps): (Vec<usize>, Vec<GapRow>) = gaps.into_iter().unzip();
        let folded = Coalesced::fold(ticks, self.history, gaps);
        let outcome = self.together.write(&folded.batch, |batch| self.commit_whole(batch)).await;
        let (written, took) = match outcome {
            Ok(done) => done,
            Err(Denied::Stopping) => return Err(Stopping),
            Err(Denied::Row(_)) => {
                let gaps = folded.batch.gaps.clone();
                return self.commit_one_by_one(ticks, (&tasks_of_gaps, gaps), docket).await;
            }
        };
        self.stats.committed(took);
        self.stats.progressed(clock::monotonic());
        docket.committed(took);
        for (number, tick) in ticks.iter().enumerate() {
            if !written.vanished.contains(&tick.instrument) {
                let stored = folded.is_stored(number, tick.order, &written.stored);
                docket.end(tick.task, if stored { Ending::Stored } else { Ending::Superseded });
            }
        }
        Ok(written.vanished)
    }

    /// One commit, and how long its last try took.
    async fn commit_whole(&self, batch: Arc<WriteBatch>) -> Result<(Written, Duration), Denied> {
        let mut begun = clock::monotonic();
        let write = || {
            begun = clock::monotonic();
            self.store.write(&batch)
        };
        let written = self.patiently(write).await?;
        Ok((written, begun.elapsed()))
    }

    /// The slow path: some tick cannot be stored. Each is tried alone, so that it hurts no neighbour.
    async fn commit_one_by_one(
        &self,
        ticks: &[Tick<'_>],
        (tasks_of_gaps, gaps): (&[usize], Vec<GapRow>),
        docket: &mut Docket,
    ) -> Result<Vec<InstrumentId>, Stopping> {
        let batch = WriteBatch { gaps, ..one_by_one(ticks, self.history) };
        reach(Point::EachBefore);
        let written = self.patiently(|| self.store.write_each(&batch)).await;
        reach(Point::EachAfter);
        let outcomes = match written {
            Ok(outcomes) => outcomes,
            Err(Denied::Stopping) => return Err(Stopping),
            Err(Denied::Row(error)) => {
                let refusal = Refusal { code: "XX000".into(), message: chain(&error) };
                vec![RowOutcome::Refused(refusal); ticks.len() + tasks_of_gaps.len()]
            }
        };
        for (task, outcome) in tasks_of_gaps.iter().zip(outcomes.iter().skip(ticks.len())) {
            if let RowOutcome::Refused(refusal) = outcome {
                docket.fail(*task, row_refused(refusal.clone(), None));
            }
        }
        let mut vanished = Vec::new();
        for (tick, outcome) in ticks.iter().zip(outcomes) {
            match outcome {
                RowOutcome::Stored(slots) if slots.is_empty() => docket.end(tick.task, Ending::Superseded),
                RowOutcome::Stored(_) => docket.end(tick.task, Ending::Stored),
                RowOutcome::Legacy(_) => docket.end(tick.task, Ending::Legacy),
                RowOutcome::Refused(refusal) => docket.fail(tick.task, row_refused(refusal, Some(tick.symbol))),
                RowOutcome::Vanished => vanished.push(tick.instrument),
            }
        }
        Ok(vanished)
    }

    /// Repeats a call while the store is away or busy; gives back only what repeating cannot help.
    async fn patiently<T, F>(&self, mut call: impl FnMut() -> F) -> Result<T, Denied>
    where
        F: Future<Output = Result<T, StoreError>> + Send,
    {
        let mut contention = Backoff::CONTENTION.delays();
        let mut dependency = Backoff::DEPENDENCY.delays();
        let mut trying = None;
        loop {
            let begun = clock::monotonic();
            let asked = self.trouble.asked(begun);
            let outcome = call().await;
            drop(asked);
            let error = match outcome {
                Ok(answer) => {
                    self.trouble.answered(clock::monotonic());
                    return Ok(answer);
                }
                Err(error) => error,
            };
            self.stats.retried();
            let quick = match error {
                StoreError::Row { .. } => {
                    self.trouble.answered(clock::monotonic());
                    return Err(Denied::Row(error));
                }
                StoreError::Contention { .. } => {
                    self.size().failed();
                    contention.next()
                }
                StoreError::Systemic { .. } | StoreError::Unfit { .. } => {
                    if SLOW_FAILURE < begun.elapsed() {
                        self.size().failed();
                    }
                    None
                }
            };
            let delay = quick.unwrap_or_else(|| {
                self.trouble.failed(&error, clock::monotonic());
                dependency.next().unwrap_or(Backoff::DEPENDENCY.longest)
            });
            if quick.is_none() && trying.is_none() {
                // However many loops wait: one tries, and the others go on when it got through.
                trying = Some(self.shutdown.run_until(self.trying.lock()).await.ok_or(Denied::Stopping)?);
            }
            if self.shutdown.has_begun() || self.shutdown.run_until(tokio::time::sleep(delay)).await.is_none() {
                return Err(Denied::Stopping);
            }
        }
    }
}

pub(crate) fn tick<'s>(sighting: &Sighting<'s>, instrument: InstrumentId) -> Tick<'s> {
    Tick {
        symbol: &sighting.observation.symbol,
        task: sighting.origin.task,
        index: sighting.origin.index,
        instrument,
        order: sighting.origin.order,
        received_at: sighting.origin.received_at,
        exchange_at: sighting.observation.exchange_at,
        trade_id: sighting.observation.trade_id,
        fields: &sighting.observation.fields,
    }
}

fn row_refused(refusal: Refusal, symbol: Option<&str>) -> Failure {
    let (code, error) = (Some(refusal.code), refusal.message);
    Failure { reason: REFUSED, code, error, symbol: symbol.map(Into::into), may_retry: true }
}

fn not_registered(sighting: &Sighting<'_>, refused: &[(Listing, String)]) -> Failure {
    let symbol = &*sighting.observation.symbol;
    let said = refused.iter().find(|(listing, _)| &*listing.symbol == symbol).map(|(_, said)| said.clone());
    Failure {
        reason: REFUSED,
        code: None,
        error: said.unwrap_or_else(|| "the store gave no row for this symbol".to_owned()),
        symbol: Some(symbol.into()),
        may_retry: true,
    }
}
