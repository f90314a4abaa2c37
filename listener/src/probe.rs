//! One connection, tried once: does a feed work from here, with these settings?

use std::time::Duration;

use common::clock;
use common::presence::{ConnectionState, Link};
use common::shutdown::Shutdown;
use tokio::time;

use crate::listener::{ListenerError, Parts, parts};
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
/// nobody here can mend ends it earlier. Nothing is enqueued.
///
/// # Errors
/// When the options make no sense, as [`run`](crate::run).
pub async fn probe(options: &ListenerOptions, patience: Duration) -> Result<Probed, ListenerError> {
    let (shutdown, started) = (Shutdown::new(), clock::monotonic());
    let Parts { fleet, intake, board, samples: _ } = parts(options, None, &shutdown).await?;
    let fleet = shutdown.spawn("fleet", fleet.run());
    let first = loop {
        let batch = intake.take(1, usize::MAX);
        if let Some(first) = batch.tasks.into_iter().next() {
            break Some(first);
        }
        let is_hopeless = board.connections().iter().all(|state| state.state == Link::Stopped);
        if patience <= started.elapsed() || (is_hopeless && !board.connections().is_empty()) {
            break None;
        }
        time::sleep(LOOK_INTERVAL).await;
    };
    let connection = board.connections().into_iter().next();
    shutdown.begin();
    if let Err(error) = fleet.await {
        tracing::error!("the fleet broke down: {error}");
    }
    Ok(Probed { connection, first, took: started.elapsed() })
}
