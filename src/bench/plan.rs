//! What every measurement of one command has in common.

use std::ffi::OsString;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::queue::QueueName;
use common::shutdown::Shutdown;

use super::member::Member;
use super::servers::{OwnServers, ServersUsed};
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
    /// Servers of our own; they end with the plan.
    pub(crate) servers: Option<OwnServers>,
    /// A folder of our own.
    pub(crate) folder: PathBuf,
    /// Our own program.
    pub(crate) program: OwnProgram,
    /// Arguments of every part.
    pub(crate) arguments: Vec<OsString>,
    /// Added to the environment of every part.
    pub(crate) environment: Vec<(String, String)>,
    /// Taken from it before.
    pub(crate) unset: &'static [&'static str],
    /// How long a part may need to finish what it holds.
    pub(crate) drain: Duration,
    /// Ctrl-C.
    pub(crate) shutdown: Shutdown,
}

/// What one measurement is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Load {
    /// Symbols the ticks are spread over.
    pub(crate) symbols: usize,
    /// Worker processes.
    pub(crate) workers: u32,
    /// How much.
    pub(crate) amount: Amount,
}

/// How much is sent in a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Amount {
    /// So many ticks.
    Ticks(u64),
    /// As many as there are in this time.
    Time(Duration),
}

impl Plan {
    /// Starts `number` workers on our queue.
    pub(crate) fn workers(&self, number: u32, environment: &[(String, String)]) -> Result<Vec<Member>, Failure> {
        let arguments = ["--queue".into(), self.queue.as_str().into()];
        (0..number).map(|_| Member::start(self, "worker", &arguments, environment)).collect()
    }

    /// What our own servers have used since their start.
    pub(crate) fn servers_used(&self) -> Option<ServersUsed> {
        self.servers.as_ref().map(OwnServers::used)
    }
}
