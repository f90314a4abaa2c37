//! Waiting for work without waiting for a batch to fill: while the queue is empty, one loop looks for all.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

/// Pause after the first look at an empty queue; doubles with each further one.
const PAUSE_FIRST: Duration = Duration::from_millis(1);

/// No pause is longer: it bounds the delay of a tick that arrives at an idle system.
const PAUSE_LONGEST: Duration = Duration::from_millis(20);

/// Lets one of a process' loops look at an empty queue; the others wait until it has found work.
#[derive(Debug, Default)]
pub(crate) struct Lookout {
    place: Mutex<()>,
}

/// The right to look. Given up when dropped: then the next loop looks, at once.
#[derive(Debug)]
pub(crate) struct Watch<'a> {
    _place: MutexGuard<'a, ()>,
    pause: Duration,
}

impl Lookout {
    /// Waits until no other loop is looking.
    pub(crate) async fn watch(&self) -> Watch<'_> {
        Watch { _place: self.place.lock().await, pause: PAUSE_FIRST }
    }
}

impl Watch<'_> {
    /// Waits a little longer each time.
    pub(crate) async fn pause(&mut self) {
        tokio::time::sleep(self.pause).await;
        self.pause = (self.pause * 2).min(PAUSE_LONGEST);
    }
}
