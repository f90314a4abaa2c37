//! Fetches epochs from the broker: one request at a time for the whole process, however many connections wait.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::clock;
use common::market::Epoch;
use common::retry::Backoff;
use tokio::sync::Mutex;
use tokio::time;
use tracing::{info, warn};

use crate::board::Board;
use common::outage::{Outage, chain};

/// One request may take this long.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where sessions get their epochs.
#[derive(Debug)]
pub(crate) struct Epochs {
    /// Without one nothing is enqueued, so any growing number will do.
    broker: Option<Arc<dyn Broker>>,
    board: Arc<Board>,
    // Held while one caller asks, so that an outage costs one try per second and not one per connection.
    turn: Mutex<Outage>,
}

impl Epochs {
    pub(crate) fn new(broker: Option<Arc<dyn Broker>>, board: Arc<Board>) -> Self {
        Self { broker, board, turn: Mutex::new(Outage::default()) }
    }

    /// The next epoch, whenever the broker gives it. Cancel-safe: an epoch that nobody takes is skipped, no more.
    pub(crate) async fn next(&self) -> Epoch {
        let Some(broker) = &self.broker else { return Epoch::floor_at(clock::now()) };
        let mut outage = self.turn.lock().await;
        let mut delays = Backoff::DEPENDENCY.delays();
        loop {
            let problem = match time::timeout(PATIENCE, broker.next_epoch()).await {
                Ok(Ok(epoch)) => {
                    self.board.set_epoch_trouble(None);
                    if let Some(over) = outage.ended(clock::monotonic()) {
                        info!(outage_ms = over.lasted.as_millis(), "broker gives epochs again");
                    }
                    return epoch;
                }
                Ok(Err(error)) => chain(&error),
                Err(_) => format!("no answer within {PATIENCE:?}"),
            };
            if let Some(notice) = outage.failed(clock::monotonic()) {
                warn!(tries = notice.tries, "connections wait for an epoch: {problem}");
            }
            self.board.set_epoch_trouble(Some(problem));
            time::sleep(delays.next().unwrap_or(Backoff::DEPENDENCY.longest)).await;
        }
    }

    /// The next epoch, within a time that a provider's pings can wait.
    pub(crate) async fn next_soon(&self) -> Option<Epoch> {
        time::timeout(PATIENCE, self.next()).await.ok()
    }
}
