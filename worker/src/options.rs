//! How a worker works.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use common::masters::Catalogs;
use common::queue::QueueName;
use common::retry::Backoff;
use common::store::UnknownTicker;
use tokio::sync::watch;

/// What may change while a worker runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WorkerLimits {
    /// As [`WorkerOptions::batch_tasks`].
    pub batch_tasks: u32,
    /// As [`WorkerOptions::batch_bytes`].
    pub batch_bytes: u32,
    /// As [`WorkerOptions::age_max`].
    pub age_max: Option<Duration>,
    /// As [`WorkerOptions::row_retry`].
    pub row_retry: Backoff,
}

/// Settings of one worker process.
#[derive(Debug, Clone)]
pub struct WorkerOptions {
    /// Where its tasks come from; a loop begins with the one of its own number.
    pub queues: Vec<QueueName>,
    /// Batches in work at once.
    pub concurrency: u32,
    /// Tasks per batch at most. A worker asks for fewer while the store is slow.
    pub batch_tasks: u32,
    /// Bytes per batch, about.
    pub batch_bytes: u32,
    /// A batch goes to another worker when this one has not renewed it for so long.
    pub lease: Duration,
    /// Messages older than this are counted as expired and not stored; `None` keeps all.
    pub age_max: Option<Duration>,
    /// Whether every tick is added to `tick_history`.
    pub history: bool,
    /// What symbol masters know.
    pub catalogs: Catalogs,
    /// What to do with tickers that `ticker_base` does not know.
    pub unknown_ticker: UnknownTicker,
    /// Delays between the tries of a row that the store refuses; `times` tries in all, then it is dead.
    pub row_retry: Backoff,
    /// Later values of these; `None` where nothing will change.
    pub limits: Option<watch::Receiver<WorkerLimits>>,
    /// How long a stopping worker may work on what it has; the rest is released.
    pub drain: Duration,
    /// Where latencies are written; `None` costs nothing.
    pub latency_log: Option<PathBuf>,
    /// Where to answer health checks.
    pub health: Option<SocketAddr>,
    /// What people shall call it.
    pub name: Box<str>,
    /// An idle worker looks for tasks at least this often, though nothing rang; see
    /// [`LOOK_EVERY`](Self::LOOK_EVERY).
    pub look_every: Duration,
}

impl WorkerOptions {
    /// How late a task may be taken that rings no bell (pushed by others, delayed until now), or whose ring was lost with
    /// a process that had not sent its take. A worker without work does little else, so this decides what it costs.
    pub const LOOK_EVERY: Duration = Duration::from_millis(200);

    /// What counts now.
    pub(crate) fn limits(&self) -> WorkerLimits {
        let own = WorkerLimits {
            batch_tasks: self.batch_tasks,
            batch_bytes: self.batch_bytes,
            age_max: self.age_max,
            row_retry: self.row_retry,
        };
        self.limits.as_ref().map_or(own, |limits| *limits.borrow())
    }
}
