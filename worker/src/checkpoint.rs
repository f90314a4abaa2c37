//! Where batches wait while the store refuses everything: one at a time tries, once a second.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::clock;
use common::outage::Outage;
use common::shutdown::Shutdown;
use tracing::{info, warn};

use crate::guard::{Guard, Tally, Verdict};
use crate::writer::Stopping;

/// Between two probes of a process.
const PROBE_EVERY: Duration = Duration::from_secs(1);

/// Shared by the loops of a process.
#[derive(Debug, Default)]
pub(crate) struct Checkpoint {
    state: Mutex<State>,
    /// Held by the loop that probes.
    turn: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    guard: Guard,
    outage: Outage,
    tried_at: Option<Instant>,
}

/// The right to write a batch. Dropped when its verdict is known.
#[derive(Debug)]
pub(crate) struct Pass<'a> {
    _turn: Option<tokio::sync::MutexGuard<'a, ()>>,
}

impl Checkpoint {
    /// Lets a batch through at once, or as the next probe while the worker pauses.
    pub(crate) async fn pass(&self, shutdown: &Shutdown) -> Result<Pass<'_>, Stopping> {
        if self.wait().is_none() {
            return Ok(Pass { _turn: None });
        }
        let turn = shutdown.run_until(self.turn.lock()).await.ok_or(Stopping)?;
        while let Some(wait) = self.wait() {
            if wait.is_zero() {
                self.lock().tried_at = Some(clock::monotonic());
                return Ok(Pass { _turn: Some(turn) });
            }
            shutdown.run_until(tokio::time::sleep(wait)).await.ok_or(Stopping)?;
        }
        Ok(Pass { _turn: None })
    }

    /// Judges what became of a batch.
    pub(crate) fn judge(&self, tally: Tally) -> Verdict {
        let now = clock::monotonic();
        let mut state = self.lock();
        let verdict = state.guard.judge(tally);
        let Some(refusing) = state.guard.paused().map(ToString::to_string) else {
            if let Some(over) = state.outage.ended(now) {
                let paused_ms = over.lasted.as_millis();
                info!(paused_ms, "the price store takes rows again after {paused_ms} ms");
            }
            return verdict;
        };
        state.tried_at.get_or_insert(now);
        if let Some(notice) = state.outage.failed(now) {
            warn!(tries = notice.tries, "{refusing}");
        }
        verdict
    }

    /// Why the worker pauses, in words.
    pub(crate) fn words(&self) -> Option<String> {
        self.lock().guard.paused().map(ToString::to_string)
    }

    /// Until the next probe; `None` while the worker does not pause.
    fn wait(&self) -> Option<Duration> {
        let state = self.lock();
        state.guard.paused()?;
        Some(state.tried_at.map_or(Duration::ZERO, |at| PROBE_EVERY.saturating_sub(at.elapsed())))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
