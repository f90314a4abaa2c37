//! A part under measurement: a process of its own, as in real life.

use std::ffi::OsString;
use std::process::Stdio;
use std::time::Duration;

use tokio::process::{Child, ChildStdin, Command};

use super::plan::Plan;
use super::usage::Usage;
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// Beyond its own drain time, how long a part may take to leave before it is killed.
const STOP_MARGIN: Duration = Duration::from_secs(5);

/// A running part. It is killed when it is dropped without having been [stopped](Self::stop).
#[derive(Debug)]
pub(crate) struct Member {
    name: String,
    child: Child,
    /// Closing it asks the part to stop.
    input: Option<ChildStdin>,
    grace: Duration,
    at_start: Usage,
}

impl Member {
    /// Starts our own program as `part`, e.g. `worker`. What it complains about goes to our standard error.
    pub(crate) fn start(plan: &Plan, part: &str, args: &[OsString], env: &[(String, String)]) -> Result<Self, Failure> {
        let mut command = Command::new(&plan.program.path);
        for name in plan.unset {
            command.env_remove(name);
        }
        let mut child = command
            .args(&plan.program.prefix)
            .arg(part)
            .arg("--supervised")
            .args(args)
            .args(&plan.arguments)
            .envs(plan.environment.iter().chain(env).map(|(key, value)| (key, value)))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .process_group(0) // the terminal's Ctrl-C is for us alone: we stop the parts in order
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| {
                Failure::new(Diagnostic::new(Code::Runtime, format!("cannot start a {part} process: {error}")))
            })?;
        let input = child.stdin.take();
        let grace = plan.drain + STOP_MARGIN;
        Ok(Self { name: part.to_owned(), child, input, grace, at_start: Usage::default() })
    }

    /// Its process id, while it runs.
    pub(crate) fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// An error when it has ended although nobody asked it to.
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
        let how = match self.child.try_wait() {
            Ok(None) => return Ok(()),
            Ok(Some(status)) => status.to_string(),
            Err(error) => error.to_string(),
        };
        let title = format!("a {} process ended during the measurement: {how}", self.name);
        Err(Failure::new(Diagnostic::new(Code::PartEnded, title).fix("its last lines above say why")))
    }

    /// From now on, [`used`](Self::used) counts.
    pub(crate) fn begin(&mut self) {
        self.at_start = self.pid().map(Usage::of).unwrap_or_default();
    }

    /// CPU time since [`begin`](Self::begin), and the most memory of its whole life.
    pub(crate) fn used(&self) -> Usage {
        let now = self.pid().map(Usage::of).unwrap_or_default();
        now.since(self.at_start)
    }

    /// Asks it to stop and waits until it has.
    pub(crate) async fn stop(mut self) -> Result<(), Failure> {
        drop(self.input.take());
        let ended = match tokio::time::timeout(self.grace, self.child.wait()).await {
            Ok(ended) => ended.map(drop),
            // It holds nothing that is not in the broker or the store.
            Err(_) => self.child.kill().await,
        };
        ended.map_err(|error| {
            let title = format!("cannot stop a {} process: {error}", self.name);
            Failure::new(Diagnostic::new(Code::Runtime, title))
        })
    }
}

/// Stops all, and only then says what went wrong first.
pub(crate) async fn stop_all(members: Vec<Member>) -> Result<(), Failure> {
    let mut outcome = Ok(());
    for member in members {
        let stopped = member.stop().await;
        outcome = outcome.and(stopped);
    }
    outcome
}
