//! Waiting for tasks without looking for them all the time.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::BrokerError;
use crate::queue::{Take, Taken};

/// Where not every ring can be heard, a wait is no longer than this.
pub const HALF_DEAF_MAX: Duration = Duration::from_millis(20);

/// Wakes one who waits for tasks. Have the bell, then look, then wait: what is enqueued after the look ends the wait,
/// however early it came.
///
/// It tells nothing about who else heard it. Whoever was rung must look, and may find that another was faster; of
/// several who wait, one at least is rung. A ring for a process that dies or freezes before it looks is lost with it:
/// so nobody waits without looking from time to time.
#[async_trait]
pub trait Bell: Send + Sync + Debug {
    /// Waits until the bell is rung, or for `at_most`.
    ///
    /// # Errors
    /// At once, when it cannot be heard now. The caller pauses, and looks.
    ///
    /// # Cancel safety
    /// May be dropped at any moment: a ring is lost at most together with the wait that was about to end by it, so look
    /// before the next one.
    async fn rung(&mut self, at_most: Duration) -> Result<(), BrokerError>;

    /// Whether [`rung_and_take`](Self::rung_and_take) serves for such a wait.
    fn takes(&self, _at_most: Duration) -> bool {
        false
    }

    /// Waits as [`rung`](Self::rung) does, and takes right then, in the same round trip. `None`: it has not taken, and
    /// the caller has to.
    ///
    /// # Errors
    /// As of both. The batch may have been taken all the same: repeat the take under the same name.
    ///
    /// # Cancel safety
    /// As when a take is dropped that may have been sent: repeat it or release its lease.
    async fn rung_and_take(&mut self, at_most: Duration, _take: &Take) -> Result<Option<Taken>, BrokerError> {
        self.rung(at_most).await.map(|()| None)
    }
}
