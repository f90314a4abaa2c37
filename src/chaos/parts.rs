//! Our own program as processes that can be hurt.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use common::servers::{Signal, signal};
use tokio::process::{Child, ChildStdin, Command};

use crate::bench::Usage;
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::part::OwnProgram;

/// Beyond its drain time, how long a part may take to leave.
const STOP_MAX: Duration = Duration::from_secs(15);

/// A process of the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Listener,
    Worker(u32),
    /// `tidemill start`, which runs parts of its own.
    Launcher,
}

impl Part {
    /// What all parts like it are called.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Worker(_) => "worker",
            Self::Launcher => "launcher",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listener => f.write_str("listener"),
            Self::Worker(number) => write!(f, "worker-{number}"),
            Self::Launcher => f.write_str("launcher"),
        }
    }
}

/// Running parts. All are killed when it is dropped.
#[derive(Debug)]
pub(super) struct Parts {
    program: OwnProgram,
    folder: PathBuf,
    common: Vec<(&'static str, String)>,
    /// For one part only.
    own: BTreeMap<Part, Vec<(&'static str, String)>>,
    running: BTreeMap<Part, Running>,
    /// The most memory that parts of a kind had in any life.
    peaks: BTreeMap<&'static str, u64>,
}

#[derive(Debug)]
struct Running {
    child: Child,
    /// Its end is the part's end: no part outlives us.
    input: Option<ChildStdin>,
}

impl Parts {
    pub(super) fn new(program: OwnProgram, folder: &Path, common: Vec<(&'static str, String)>) -> Self {
        let (own, running, peaks) = Default::default();
        Self { program, folder: folder.to_owned(), common, own, running, peaks }
    }

    /// Sets a variable for one part, from its next start on.
    pub(super) fn set(&mut self, part: Part, key: &'static str, value: String) {
        let own = self.own.entry(part).or_default();
        own.retain(|(set, _)| *set != key);
        own.push((key, value));
    }

    /// Removes a variable of one part, from its next start on.
    pub(super) fn unset(&mut self, part: Part, key: &'static str) {
        if let Some(own) = self.own.get_mut(&part) {
            own.retain(|(set, _)| *set != key);
        }
    }

    /// Waits until it has ended by itself; `false` when it has not in time.
    pub(super) async fn ended(&mut self, part: Part, patience: Duration) -> Result<bool, Failure> {
        let Some(running) = self.running.get_mut(&part) else { return Ok(true) };
        // `wait` would close the input, and that asks the part to stop.
        let ended = tokio::time::timeout(patience, running.child.wait()).await;
        match ended {
            Ok(Ok(_status)) => {
                self.running.remove(&part);
                Ok(true)
            }
            Ok(Err(error)) => Err(broken(part, "watched", &error)),
            Err(_) => Ok(false),
        }
    }

    /// A command of our own program with the settings of `part`.
    pub(super) fn command(&self, part: Part, args: &[&str]) -> Command {
        let mut command = Command::new(&self.program.path);
        command.args(&self.program.prefix).args(args).current_dir(&self.folder).env_clear();
        let own = self.own.get(&part).into_iter().flatten();
        command.envs(self.common.iter().chain(own).map(|(key, value)| (key, value)));
        command
    }

    /// Starts a part. Its output goes to a file of its name in our folder.
    pub(super) fn start(&mut self, part: Part) -> Result<(), Failure> {
        let name = part.to_string();
        let cannot = |error| broken(part, "started", &error);
        let log = File::options().create(true).append(true).open(self.folder.join(format!("{name}.log")));
        let log = log.map_err(cannot)?;
        let args: &[&str] = match part {
            Part::Listener => &["listener", "--supervised"],
            Part::Worker(_) => &["worker", "--supervised", "--name", &name],
            Part::Launcher => &["start"],
        };
        let mut command = self.command(part, args);
        let errors = log.try_clone().map_err(cannot)?;
        command.stdin(Stdio::piped()).stdout(log).stderr(errors).process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(cannot)?;
        let input = child.stdin.take();
        self.running.insert(part, Running { child, input });
        Ok(())
    }

    /// The process id of a running part.
    pub(super) fn pid(&self, part: Part) -> Option<u32> {
        self.running.get(&part)?.child.id()
    }

    /// Every running part with its process id.
    pub(super) fn pids(&self) -> impl Iterator<Item = (Part, u32)> {
        self.running.iter().filter_map(|(part, running)| Some((*part, running.child.id()?)))
    }

    /// Sends a signal; a part that does not run gets none.
    pub(super) fn signal(&self, part: Part, what: Signal) -> Result<(), Failure> {
        Ok(self.pid(part).map_or(Ok(()), |pid| signal(pid, what))?)
    }

    /// SIGKILL.
    pub(super) async fn kill(&mut self, part: Part) -> Result<(), Failure> {
        self.note_peaks();
        let Some(mut running) = self.running.remove(&part) else { return Ok(()) };
        running.child.kill().await.map_err(|error| broken(part, "killed", &error))
    }

    /// SIGTERM; returns the exit code once it has left, `None` when it had to be killed.
    pub(super) async fn stop(&mut self, part: Part) -> Result<Option<i32>, Failure> {
        self.signal(part, Signal::TERM)?;
        self.wait(part, STOP_MAX).await
    }

    /// Waits for its end; `None` when it had to be killed.
    pub(super) async fn wait(&mut self, part: Part, patience: Duration) -> Result<Option<i32>, Failure> {
        self.note_peaks();
        let Some(mut running) = self.running.remove(&part) else { return Ok(None) };
        // `wait` would close it, and that asks the part to stop.
        let _input = running.input.take();
        match tokio::time::timeout(patience, running.child.wait()).await {
            Ok(Ok(status)) => Ok(status.code()),
            Ok(Err(error)) => Err(broken(part, "watched", &error)),
            Err(_) => {
                running.child.kill().await.map_err(|error| broken(part, "killed", &error))?;
                Ok(None)
            }
        }
    }

    /// Parts that have ended although nobody asked them to, with how they ended. They are forgotten. One that could
    /// not reach its servers when it was started is started again, as any supervisor does.
    pub(super) fn fallen(&mut self) -> Result<Vec<(Part, String)>, Failure> {
        let (mut fallen, mut unlucky) = (Vec::new(), Vec::new());
        for (part, running) in &mut self.running {
            match running.child.try_wait() {
                Ok(None) => {}
                Ok(Some(status)) if status.code() == Some(Exit::Unreachable as i32) => unlucky.push(*part),
                Ok(Some(status)) => fallen.push((*part, status.to_string())),
                Err(error) => fallen.push((*part, error.to_string())),
            }
        }
        let gone = |part: &Part| unlucky.contains(part) || fallen.iter().any(|(fallen, _)| fallen == part);
        self.running.retain(|part, _| !gone(part));
        unlucky.into_iter().try_for_each(|part| self.start(part))?;
        Ok(fallen)
    }

    /// Notes the memory of all that run.
    pub(super) fn note_peaks(&mut self) {
        for (part, running) in &self.running {
            let used = running.child.id().map(Usage::of).unwrap_or_default();
            let peak = self.peaks.entry(part.kind()).or_default();
            *peak = used.memory_peak.max(*peak);
        }
    }

    /// The most memory that parts of each kind had in any life, in bytes.
    pub(super) fn peaks(&self) -> &BTreeMap<&'static str, u64> {
        &self.peaks
    }

    /// Every running worker.
    pub(super) fn workers(&self) -> Vec<Part> {
        self.running.keys().copied().filter(|part| matches!(part, Part::Worker(_))).collect()
    }
}

fn broken(part: Part, what: &str, error: &std::io::Error) -> Failure {
    Failure::new(Diagnostic::new(Code::Runtime, format!("the {part} cannot be {what}: {error}")))
}
