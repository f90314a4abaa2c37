//! The children of a launcher: one listener and any number of workers.

use std::net::SocketAddr;
use std::time::Duration;

use common::settings::by_key;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::child::{ChildSpec, supervise};
use super::output::Output;

/// A child and the right to stop it.
#[derive(Debug)]
struct Member {
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// Running children.
#[derive(Debug)]
pub(crate) struct Fleet {
    output: Output,
    worker: ChildSpec,
    listener: Option<Member>,
    workers: Vec<Member>,
}

impl Fleet {
    /// Starts the listener, then `workers` workers.
    pub(crate) fn start(mut listener: ChildSpec, worker: ChildSpec, workers: u32, output: Output) -> Self {
        listener.env.extend(health_of(listener.health, 0));
        let listener = Some(member(listener, &output));
        let mut fleet = Self { output, worker, listener, workers: Vec::new() };
        fleet.scale(workers);
        fleet
    }

    /// Workers wanted now.
    pub(crate) fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Runs `workers` workers from now on. Those that are too many finish what they hold.
    pub(crate) fn scale(&mut self, workers: u32) {
        let wanted = usize::try_from(workers).unwrap_or(usize::MAX);
        for one_too_many in self.workers.drain(wanted.min(self.workers.len())..) {
            one_too_many.stop.cancel();
        }
        while self.workers.len() < wanted {
            let number = self.workers.len() + 1;
            let mut spec = ChildSpec { name: format!("worker-{number}"), ..self.worker.clone() };
            spec.env.extend(health_of(spec.health, number));
            self.workers.push(member(spec, &self.output));
        }
    }

    /// Stops the listener, which enqueues what it still holds.
    pub(crate) async fn stop_listener(&mut self) {
        if let Some(listener) = self.listener.take() {
            stop(vec![listener]).await;
        }
    }

    /// Stops the workers, which finish what they hold.
    pub(crate) async fn stop_workers(&mut self) {
        stop(std::mem::take(&mut self.workers)).await;
    }
}

/// Where child number `number` answers health checks: the listener at the configured port, workers at the next ones.
fn health_of(listener: Option<SocketAddr>, number: usize) -> Option<(String, String)> {
    let listener = listener?;
    let port = u16::try_from(number).ok().and_then(|number| listener.port().checked_add(number));
    // Beyond the last port the system chooses one.
    let address = SocketAddr::new(listener.ip(), port.unwrap_or(0)).to_string();
    Some((by_key("health.listen")?.variable(), address))
}

fn member(spec: ChildSpec, output: &Output) -> Member {
    let stop = CancellationToken::new();
    let task = tokio::spawn(supervise(spec, stop.clone(), output.clone()));
    Member { stop, task }
}

async fn stop(members: Vec<Member>) {
    for member in &members {
        member.stop.cancel();
    }
    for member in members {
        if member.task.await.is_err() {
            // It panicked, and dropping a child's handle kills the child.
        }
    }
}

/// How long a part may take to stop, beyond what it is told itself.
pub(crate) const STOP_MARGIN: Duration = Duration::from_secs(3);
