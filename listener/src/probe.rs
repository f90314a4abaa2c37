//! One connection, tried once: does a feed work from here, with these settings?

use std::time::Duration;

use common::clock;
use common::presence::{ConnectionState, Link};
use common::queue::{GAP_KIND, Task};
use common::shutdown::Shutdown;
use tokio::time;

use crate::error::ListenerError;
use crate::listener::{Parts, parts};
use crate::options::ListenerOptions;

/// How often the connection's state is looked at.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// What a probe found.
#[derive(Debug)]
pub struct Probed {
    /// The first connection as it was in the end.
    pub connection: Option<ConnectionState>,
    /// The first data message as a task, if one came.
    pub first: Option<Vec<u8>>,
    /// How long it took.
    pub took: Duration,
}

/// Opens the connections of `options` and waits for the first data message, for at most `patience`. A failure that
/// nobody here can mend ends it earlier, and so does a token that the provider refuses. Nothing is enqueued.
///
/// # Errors
/// When the options make no sense, as [`run`](crate::run).
pub async fn probe(options: &ListenerOptions, patience: Duration) -> Result<Probed, ListenerError> {
    let (shutdown, started) = (Shutdown::new(), clock::monotonic());
    let Parts { fleet, intake, board, samples: _ } = parts(options, None, &shutdown).await?;
    let fleet = shutdown.spawn("fleet", fleet.run());
    let first = loop {
        let batch = intake.take(1, usize::MAX);
        if let Some(first) = batch.tasks.into_iter().find(|task| is_data(task)) {
            break Some(first);
        }
        let is_over = |state: &ConnectionState| matches!(state.state, Link::Stopped | Link::NeedsLogin);
        let is_hopeless = board.connections().iter().all(is_over);
        if patience <= started.elapsed() || (is_hopeless && !board.connections().is_empty()) {
            break None;
        }
        time::sleep(LOOK_INTERVAL).await;
    };
    let (connection, took) = (board.connections().into_iter().next(), started.elapsed());
    shutdown.begin();
    if let Err(error) = fleet.await {
        tracing::error!("the fleet broke down: {error}");
    }
    Ok(Probed { connection, first, took })
}

/// A gap that the listener tells is no message of the provider.
fn is_data(task: &[u8]) -> bool {
    Task::decode(task).is_ok_and(|task| task.kind != GAP_KIND)
}
