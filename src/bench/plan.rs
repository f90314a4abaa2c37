//! What every measurement of one command has in common.

use std::ffi::OsString;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::queue::QueueName;
use common::shutdown::Shutdown;

use super::member::Member;
use crate::failure::Failure;
use crate::part::OwnProgram;

/// The provider whose protocol and messages are used.
pub(crate) const FEED: &str = "binance";

/// What every measurement has in common.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The queue's broker.
    pub(crate) broker: Arc<dyn Broker>,
    /// A queue of our own: no other worker takes from it.
    pub(crate) queue: QueueName,
    /// Ticks of one run.
    pub(crate) ticks: u64,
    /// Symbols they are spread over.
    pub(crate) symbols: usize,
    /// Our own program.
    pub(crate) program: OwnProgram,
    /// Arguments of every part.
    pub(crate) arguments: Vec<OsString>,
    /// Added to the environment of every part.
    pub(crate) environment: Vec<(String, String)>,
    /// Arguments of the workers.
    pub(crate) worker_arguments: Vec<OsString>,
    /// How long a part may need to finish what it holds.
    pub(crate) drain: Duration,
    /// Ctrl-C.
    pub(crate) shutdown: Shutdown,
}

impl Plan {
    /// Starts `number` workers on our queue.
    pub(crate) fn workers(&self, number: u32) -> Result<Vec<Member>, Failure> {
        (0..number).map(|_| Member::start(self, "worker", &self.worker_arguments, &[])).collect()
    }
}
