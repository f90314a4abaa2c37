//! Runs the connections and the ways to the broker, and ends them from the source on.

use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::shutdown::Shutdown;
use tokio::task::{JoinError, JoinHandle};
use tokio::time;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

use crate::drain::Drain;
use crate::enqueuer::Enqueuer;
use crate::error::ListenerError;
use crate::fleet::Fleet;
use crate::spool::{Kept, Spool};

/// How messages come to the broker.
#[derive(Debug)]
pub(crate) struct Ways {
    pub(crate) enqueuer: Enqueuer,
    /// Where there is a spool.
    pub(crate) drain: Option<Drain>,
}

/// The running drain.
#[derive(Debug)]
struct Draining {
    task: JoinHandle<()>,
    last_call: CancellationToken,
    spool: Arc<Spool>,
}

/// Runs all to their end: the fleet until `shutdown` begins, then the ways for `drain_grace` at most.
pub(crate) async fn carry(
    ways: Ways,
    fleet: Fleet,
    shutdown: &Shutdown,
    drain_grace: Duration,
) -> Result<(), ListenerError> {
    let Ways { enqueuer, drain } = ways;
    let intake = Arc::clone(&enqueuer.intake);
    let give_up = CancellationToken::new();
    let until = give_up.clone();
    let draining = drain.map(|drain| Draining::start(drain, shutdown, give_up.clone()));
    let mut enqueuer =
        shutdown.spawn("enqueuer", async move { until.run_until_cancelled(enqueuer.run()).await.unwrap_or_default() });
    let mut fleet = shutdown.spawn("fleet", fleet.run());
    tokio::select! {
        broken = &mut enqueuer => {
            shutdown.begin();
            mourn("fleet", fleet.await);
            give_up.cancel();
            end_drain(draining, Duration::ZERO).await;
            return broken.map_err(ListenerError::EnqueuerBroke);
        }
        ended = &mut fleet => if ended.is_err() {
            mourn("fleet", ended);
            shutdown.begin();
        }
    }
    intake.close();
    let closed = clock::monotonic();
    let ended = if let Ok(ended) = time::timeout(drain_grace, &mut enqueuer).await {
        ended
    } else {
        give_up.cancel();
        warn!("{} messages were not handed over within {drain_grace:?}", intake.totals().buffered);
        enqueuer.await
    };
    end_drain(draining, drain_grace.saturating_sub(closed.elapsed())).await;
    give_up.cancel();
    ended.map_err(ListenerError::EnqueuerBroke)
}

impl Draining {
    fn start(drain: Drain, shutdown: &Shutdown, give_up: CancellationToken) -> Self {
        let (last_call, spool) = (CancellationToken::new(), Arc::clone(&drain.spool));
        let run = drain.run(last_call.clone());
        let run = async move { give_up.run_until_cancelled(run).await.unwrap_or_default() };
        Self { task: shutdown.spawn("drain", run), last_call, spool }
    }
}

/// Hands over what the broker takes within `patience`, and says what is kept.
async fn end_drain(draining: Option<Draining>, patience: Duration) {
    let Some(Draining { mut task, last_call, spool }) = draining else { return };
    last_call.cancel();
    match time::timeout(patience, &mut task).await {
        Ok(ended) => mourn("drain", ended),
        Err(_) => task.abort(), // between two steps or within a try: either is repeated by whoever comes next
    }
    let Kept { messages, folder } = spool.close().await;
    if 0 < messages {
        let folder = folder.display();
        warn!(
            messages,
            "{messages} messages are kept in the spool {folder}, the next listener of this group here hands them over"
        );
    }
}

fn mourn(name: &str, ended: Result<(), JoinError>) {
    if let Err(error) = ended {
        error!("the {name} broke down: {error}");
    }
}
