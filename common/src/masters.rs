//! Loads symbol masters and keeps them fresh: the shell around [`market::master`](crate::market::master).
//!
//! A master that is downloaded is kept under `{data_dir}/masters`. The copy is used while it is younger than the
//! refresh interval, and when a download fails: an old list of instruments is better than none.

use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use tokio::task;
use tracing::{info, warn};

use crate::clock;
use crate::market::{Aliases, Catalog, MasterRow};
use crate::settings::{InstrumentSettings, duration};
use crate::shutdown::Shutdown;

mod copy;
mod fetch;
mod read;
mod source;

pub use read::Report;
pub use source::{BadSource, Place, Source};

/// After trouble, the next attempt is made after this time, or after the refresh interval if that is shorter.
const RETRY_AFTER: Duration = Duration::from_mins(15);

/// Never asked more often than this, however short the refresh interval is.
const PAUSE_MIN: Duration = Duration::from_secs(1);

/// The catalog that counts now. Clones share it; whoever wants to see changes asks for it each time.
#[derive(Debug, Clone, Default)]
pub struct Catalogs(Arc<RwLock<Arc<Catalog>>>);

impl Catalogs {
    /// Begins with `catalog`.
    pub fn new(catalog: Catalog) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(catalog))))
    }

    /// The catalog now. It is replaced as a whole, never changed: two equal pointers are the same catalog.
    pub fn current(&self) -> Arc<Catalog> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on `catalog` counts.
    pub fn replace(&self, catalog: Catalog) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(catalog);
    }
}

/// Where masters come from, and how often.
#[derive(Debug, Clone)]
pub struct Masters {
    sources: Vec<Source>,
    aliases: Aliases,
    refresh: Duration,
    folder: PathBuf,
}

/// What loading all sources gave.
#[derive(Debug, Default)]
pub struct Loaded {
    /// All that could be read.
    pub catalog: Catalog,
    /// One per source, in their order.
    pub reports: Vec<Report>,
}

/// Whether a copy that is young enough will do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// It will.
    Cached,
    /// Download in any case.
    Anew,
}

impl Masters {
    /// As the settings say; copies lie in `masters` below `data_dir`.
    pub fn new(settings: &InstrumentSettings, data_dir: &Path) -> Self {
        Self {
            sources: settings.masters.clone(),
            aliases: settings.aliases.clone(),
            refresh: settings.refresh,
            folder: data_dir.join("masters"),
        }
    }

    /// Only the masters of this feed: a listener reads one.
    #[must_use]
    pub fn of_feed(mut self, feed: &str) -> Self {
        self.sources.retain(|source| &*source.feed == feed);
        self
    }

    /// Reads all sources. Trouble with one of them is in its report and in the log, and stops nothing.
    pub async fn load(&self, freshness: Freshness) -> Loaded {
        let mut loaded = Loaded { catalog: Catalog::with_aliases(self.aliases.clone()), reports: Vec::new() };
        for source in &self.sources {
            let (rows, report) = self.read(source.clone(), freshness).await;
            tell(&report);
            loaded.catalog.add(&source.feed, rows);
            loaded.reports.push(report);
        }
        loaded
    }

    /// Files and the HTTP client block, so each source has a thread for its time.
    async fn read(&self, source: Source, freshness: Freshness) -> (Vec<MasterRow>, Report) {
        let (folder, refresh) = (self.folder.clone(), self.refresh);
        let mut broken = Report::of(&source);
        let work = move || read::read(&source, &folder, refresh, freshness, clock::now());
        task::spawn_blocking(work).await.unwrap_or_else(|error| {
            broken.trouble = Some(format!("broke down by a bug: {error}"));
            (Vec::new(), broken)
        })
    }

    /// Loads them again whenever they are due, until `shutdown` begins. What is in `catalogs` stays when a source gives
    /// nothing at all.
    pub async fn keep_fresh(self, catalogs: Catalogs, first: Vec<Report>, shutdown: Shutdown) {
        if self.sources.is_empty() {
            return;
        }
        let mut reports = first;
        loop {
            let pause = self.next_in(&reports);
            if shutdown.run_until(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            let Some(loaded) = shutdown.run_until(self.load(Freshness::Cached)).await else { return };
            reports = loaded.reports;
            if reports.iter().all(|report| 0 < report.rows) {
                catalogs.replace(loaded.catalog);
            } else {
                warn!("keeping the instruments read earlier");
            }
        }
    }

    fn next_in(&self, reports: &[Report]) -> Duration {
        let due = |report: &Report| match (&report.trouble, report.age) {
            (Some(_), _) => RETRY_AFTER.min(self.refresh),
            (None, age) => self.refresh.saturating_sub(age.unwrap_or_default()),
        };
        reports.iter().map(due).min().unwrap_or(self.refresh).max(PAUSE_MIN)
    }
}

/// Says once per load what became of a source.
fn tell(report: &Report) {
    let Report { feed, place, rows, skipped, .. } = report;
    let age = report.age.map_or_else(|| "new".to_owned(), |age| format!("{} old", age_in_words(age)));
    match &report.trouble {
        None => info!(%feed, rows, skipped, "{rows} instruments of {feed} from {place} ({age})"),
        Some(trouble) if 0 < *rows => {
            warn!(%feed, rows, "cannot refresh the instruments of {feed} from {place}, using a copy ({age}): {trouble}");
        }
        Some(trouble) => warn!(%feed, "no instruments of {feed} from {place}: {trouble}"),
    }
    if 0 < *skipped {
        let reasons = report.reasons.join("; ");
        warn!(%feed, skipped, "{skipped} rows of {place} could not be read, e.g. {reasons}");
    }
}

/// A span of time as people say it: `3h`, `12m`, `5s`.
pub fn age_in_words(age: Duration) -> String {
    let secs = age.as_secs();
    let unit = [3_600, 60].into_iter().find(|unit| 2 * unit <= secs).unwrap_or(1);
    duration::format(Duration::from_secs(secs / unit * unit))
}
