//! Waiting for work: while the queue is empty, one loop waits for all, and a bell ends the wait.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use common::broker::{Bell, BrokerError, HALF_DEAF_MAX};
use common::queue::{Take, Taken};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tracing::{debug, warn};

/// Lets one of a process' loops wait at an empty queue; the others wait until it has found work.
#[derive(Debug)]
pub(crate) struct Lookout {
    place: Arc<Mutex<Place>>,
    look_every: Duration,
    finds: AtomicU64,
}

#[derive(Debug)]
struct Place {
    bell: Box<dyn Bell>,
    /// Whether people know that it cannot be heard.
    is_told: bool,
}

/// The right to look. Given up when dropped: then the next loop looks, at once.
#[derive(Debug)]
pub(crate) struct Watch {
    lookout: Arc<Lookout>,
    place: OwnedMutexGuard<Place>,
}

/// How a wait ended.
#[derive(Debug)]
pub(crate) enum Rung {
    /// Whether a take that came with the wait was carried out is not known.
    Only,
    AndTaken(Taken),
}

impl Lookout {
    pub(crate) fn new(bell: Box<dyn Bell>, look_every: Duration) -> Self {
        Self { place: Arc::new(Mutex::new(Place { bell, is_told: false })), look_every, finds: AtomicU64::new(0) }
    }

    /// Waits until no other loop is looking.
    pub(crate) async fn watch(self: Arc<Self>) -> Watch {
        let place = Arc::clone(&self.place).lock_owned().await;
        Watch { lookout: self, place }
    }

    /// How often somebody found work. Where that has not changed, no ring was used up by another loop.
    pub(crate) fn finds(&self) -> u64 {
        self.finds.load(Ordering::SeqCst)
    }
}

impl Watch {
    /// There was work, and there may be more than one loop takes: the next one has to look.
    pub(crate) fn found(&self) {
        self.lookout.finds.fetch_add(1, Ordering::SeqCst);
    }

    /// Whether a take should come with the wait.
    pub(crate) fn takes(&self) -> bool {
        self.place.bell.takes(self.lookout.look_every)
    }

    /// Returns when it is time to look: the bell rang, or has not for long.
    pub(crate) async fn rung(&mut self, take: Option<&Take>) -> Rung {
        let bell = &mut self.place.bell;
        let rung = match take {
            Some(take) => bell.rung_and_take(self.lookout.look_every, take).await,
            None => bell.rung(self.lookout.look_every).await.map(|()| None),
        };
        match rung {
            Ok(taken) => {
                self.place.is_told = false;
                taken.map_or(Rung::Only, Rung::AndTaken)
            }
            Err(error) => {
                self.place.tell(&error);
                tokio::time::sleep(HALF_DEAF_MAX).await;
                Rung::Only
            }
        }
    }
}

impl Place {
    fn tell(&mut self, error: &BrokerError) {
        if matches!(error, BrokerError::Unavailable { .. }) {
            return debug!(%error, "cannot hear the bell"); // whoever looks now says what is wrong
        }
        if !self.is_told {
            self.is_told = true;
            let look_ms = HALF_DEAF_MAX.as_millis();
            warn!(%error, look_ms, "cannot hear the queue's bell, looking for tasks every {look_ms} ms instead");
        }
    }
}
