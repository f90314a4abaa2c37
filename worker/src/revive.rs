//! Starts a loop again that panicked: what it held comes again when its lease has run out.

use std::panic::AssertUnwindSafe;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use common::clock;
use common::panics::{AfterPanic, Panics};
use common::shutdown::Shutdown;
use futures_util::FutureExt;
use tracing::error;

/// Before a loop that panicked is started again.
const PAUSE: Duration = Duration::from_millis(100);

/// The panics of a process' loops.
#[derive(Debug, Default)]
pub(crate) struct Ward {
    panics: Mutex<Panics>,
    gave_up: std::sync::atomic::AtomicBool,
}

impl Ward {
    /// Runs the loops that `make` makes, one after the other, until one ends by itself. Too many panics stop the worker.
    pub(crate) async fn keep<F: Future<Output = ()>>(&self, shutdown: &Shutdown, mut make: impl FnMut() -> F) {
        loop {
            let ended = AssertUnwindSafe(make()).catch_unwind().await;
            if ended.is_ok() {
                return;
            }
            let after = self.panics.lock().unwrap_or_else(PoisonError::into_inner).happened(clock::monotonic());
            if after == AfterPanic::GiveUp {
                error!("loops of this worker panicked again and again, giving up: a bug of this program");
                self.gave_up.store(true, std::sync::atomic::Ordering::Relaxed);
                shutdown.begin();
                return;
            }
            error!("a loop of this worker panicked, starting it again: a bug of this program");
            if shutdown.run_until(tokio::time::sleep(PAUSE)).await.is_none() {
                return;
            }
        }
    }

    /// So far.
    pub(crate) fn panics(&self) -> u64 {
        self.panics.lock().unwrap_or_else(PoisonError::into_inner).total()
    }

    /// Whether there were too many.
    pub(crate) fn gave_up(&self) -> bool {
        self.gave_up.load(std::sync::atomic::Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A loop that panics `times` times and then ends.
    async fn kept(times: u32) -> (u32, Ward, Shutdown) {
        let (ward, shutdown, mut runs) = (Ward::default(), Shutdown::new(), 0);
        ward.keep(&shutdown, || {
            runs += 1;
            let panics = runs <= times;
            async move { assert!(!panics, "as wished") }
        })
        .await;
        (runs, ward, shutdown)
    }

    #[tokio::test]
    async fn a_loop_that_panics_is_started_again_and_counted() {
        let (runs, ward, shutdown) = kept(3).await;
        assert_eq!((runs, ward.panics(), ward.gave_up(), shutdown.has_begun()), (4, 3, false, false));
    }

    #[tokio::test]
    async fn five_panics_in_a_minute_stop_the_worker() {
        let (runs, ward, shutdown) = kept(100).await;
        assert_eq!((runs, ward.panics(), ward.gave_up(), shutdown.has_begun()), (5, 5, true, true));
    }
}
