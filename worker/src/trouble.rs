//! One dependency of this worker: what is wrong with it, for the log and for the status page.

use std::error::Error;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use common::outage::{Outage, chain};
use tracing::{info, warn};

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
        if let Some(over) = state.outage.ended(now) {
            let (name, outage_ms) = (self.name, over.lasted.as_millis());
            info!(dependency = name, outage_ms, "{name} is back after {outage_ms} ms");
            state.words = None;
        }
    }

    /// What is wrong, in words; `None` while all is well.
    pub(crate) fn words(&self) -> Option<String> {
        self.lock().words.clone()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
