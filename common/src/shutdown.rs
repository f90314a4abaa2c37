//! Stops at the source: only sources watch [`Shutdown`]; everything else ends when its input ends.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::Instrument;

/// Asks a process' sources to stop, and waits until all of its tasks have ended.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Shutdown {
    /// One per process (or per test).
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the sources to stop. May be called again.
    pub fn begin(&self) {
        self.stop.cancel();
    }

    /// Whether the sources were asked to stop.
    pub fn has_begun(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Completes when the sources are asked to stop.
    pub async fn begun(&self) {
        self.stop.cancelled().await;
    }

    /// `None` when the stop came first. The work is dropped then, so it must be safe to drop at any await.
    pub async fn run_until<F: Future>(&self, work: F) -> Option<F::Output> {
        self.stop.run_until_cancelled(work).await
    }

    /// Spawns a task that [`drained`](Self::drained) waits for. `name` is its tracing span, shown at level debug.
    pub fn spawn<F>(&self, name: &'static str, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send,
    {
        self.tasks.spawn(task.instrument(tracing::debug_span!("task", name)))
    }

    /// Waits until every spawned task has ended; `false` when `grace` ran out first.
    pub async fn drained(&self, grace: Duration) -> bool {
        self.tasks.close();
        tokio::time::timeout(grace, self.tasks.wait()).await.is_ok()
    }
}
