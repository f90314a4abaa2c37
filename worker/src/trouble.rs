//! One dependency's outage: said once when it begins, once a minute while it lasts, once when it is over.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing::{info, warn};

/// Least time between two log lines about the same outage.
const REPEAT: Duration = Duration::from_mins(1);

/// Watches one dependency, e.g. `the price store`.
#[derive(Debug)]
pub(crate) struct Trouble {
    name: &'static str,
    outage: Mutex<Option<Outage>>,
}

#[derive(Debug)]
struct Outage {
    since: Instant,
    said: Instant,
    unsaid: u64,
    words: String,
}

impl Trouble {
    pub(crate) fn with(name: &'static str) -> Self {
        Self { name, outage: Mutex::new(None) }
    }

    /// The dependency failed.
    pub(crate) fn failed(&self, error: &(dyn std::error::Error + 'static), now: Instant) {
        let name = self.name;
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        match outage.as_mut() {
            None => {
                let words = chain(error);
                warn!(dependency = name, error = %words, "{name} does not answer, waiting for it");
                *outage = Some(Outage { since: now, said: now, unsaid: 0, words });
            }
            Some(outage) => {
                outage.unsaid += 1;
                if REPEAT <= now.saturating_duration_since(outage.said) {
                    outage.words = chain(error);
                    let (repeated, error) = (outage.unsaid, &outage.words);
                    warn!(dependency = name, repeated, %error, "{name} still does not answer");
                    (outage.said, outage.unsaid) = (now, 0);
                }
            }
        }
    }

    /// The dependency answered.
    pub(crate) fn answered(&self, now: Instant) {
        let mut outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(over) = outage.take() {
            let (name, outage_ms) = (self.name, now.saturating_duration_since(over.since).as_millis());
            info!(dependency = name, outage_ms, "{name} is back after {outage_ms} ms");
        }
    }

    /// What is wrong, in words; `None` while all is well.
    pub(crate) fn words(&self) -> Option<String> {
        let outage = self.outage.lock().unwrap_or_else(PoisonError::into_inner);
        outage.as_ref().map(|outage| format!("waiting for {}: {}", self.name, outage.words))
    }
}

/// An error with everything beneath it.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    struct Chain<'a>(&'a (dyn std::error::Error + 'static));
    impl Display for Chain<'_> {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            write!(f, "{}", self.0)?;
            let mut source = self.0.source();
            while let Some(error) = source {
                write!(f, ": {error}")?;
                source = error.source();
            }
            Ok(())
        }
    }
    Chain(error).to_string()
}
