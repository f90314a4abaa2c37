//! What everything but our parts has used since a moment.

use std::time::{Duration, Instant};

use common::clock;
use common::presence::ProcessFacts;

use super::plan::Plan;
use super::servers::ServersUsed;
use super::usage::machine_busy_us;

/// Counts since it was begun.
#[derive(Debug)]
pub(crate) struct Meter {
    began: Instant,
    busy_us: Option<u64>,
    own_cpu_us: u64,
    servers: Option<ServersUsed>,
}

/// What it counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Metered {
    /// How long.
    pub(crate) elapsed: Duration,
    /// CPU time of the whole machine in microseconds, where it can be read.
    pub(crate) busy_us: Option<u64>,
    /// CPU time of this process, which is the exchange, in microseconds.
    pub(crate) own_cpu_us: u64,
    /// Servers of our own.
    pub(crate) servers: Option<ServersUsed>,
}

impl Meter {
    /// Begins to count.
    pub(crate) fn begin(plan: &Plan) -> Self {
        Self {
            busy_us: machine_busy_us(),
            own_cpu_us: ProcessFacts::read().cpu_us,
            servers: plan.servers_used(),
            began: clock::monotonic(),
        }
    }

    /// How long ago that was.
    pub(crate) fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }

    /// What came together since.
    pub(crate) fn read(&self, plan: &Plan) -> Metered {
        Metered {
            elapsed: self.elapsed(),
            busy_us: machine_busy_us().zip(self.busy_us).map(|(now, before)| now.saturating_sub(before)),
            own_cpu_us: ProcessFacts::read().cpu_us.saturating_sub(self.own_cpu_us),
            servers: plan.servers_used().zip(self.servers).map(|(now, before)| now.since(before)),
        }
    }
}
