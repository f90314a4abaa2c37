//! One dependency of this worker: what is wrong with it, for the log and for the status page.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::outage::{Outage, chain};
use tracing::{info, warn};

/// A call that takes longer is shown as trouble.
const SILENCE_MAX: Duration = Duration::from_secs(3);

/// Watches one dependency, e.g. `the price store`.
#[derive(Debug)]
pub(crate) struct Trouble {
    name: &'static str,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    outage: Outage,
    words: Option<String>,
    /// Calls without an answer yet.
    asked: BTreeMap<u64, Instant>,
    asked_last: u64,
}

/// A call that is on its way.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    trouble: &'a Trouble,
    number: u64,
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.trouble.lock().asked.remove(&self.number);
    }
}

impl Trouble {
    pub(crate) fn with(name: &'static str) -> Self {
        Self { name, state: Mutex::default() }
    }

    /// The dependency failed.
    pub(crate) fn failed(&self, error: &(dyn Error + 'static), now: Instant) {
        let mut state = self.lock();
        let error = chain(error);
        if let Some(notice) = state.outage.failed(now) {
            let (name, tries) = (self.name, notice.tries);
            warn!(dependency = name, tries, %error, "{name} does not answer, waiting for it");
        }
        state.words = Some(format!("waiting for {}: {error}", self.name));
    }

    /// The dependency answered.
    pub(crate) fn answered(&self, now: Instant) {
        let mut state = self.lock();
        state.words = None;
        if let Some(over) = state.outage.ended(now) {
            let (name, outage_ms) = (self.name, over.lasted.as_millis());
            info!(dependency = name, outage_ms, "{name} is back after {outage_ms} ms");
        }
    }

    /// A call is on its way; the answer ends the question by dropping it.
    pub(crate) fn asked(&self, now: Instant) -> Asked<'_> {
        let mut state = self.lock();
        let number = state.asked_last + 1;
        state.asked_last = number;
        state.asked.insert(number, now);
        Asked { trouble: self, number }
    }

    /// What is wrong at `now`, in words; `None` while all is well. Who is silent never fails: that is wrong, too.
    pub(crate) fn words(&self, now: Instant) -> Option<String> {
        let state = self.lock();
        let oldest = state.asked.values().min().map(|asked| now.saturating_duration_since(*asked));
        let silence = oldest.filter(|silence| SILENCE_MAX < *silence);
        let silence =
            silence.map(|silence| format!("waiting for {}: no answer for {} s", self.name, silence.as_secs()));
        state.words.clone().or(silence)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
