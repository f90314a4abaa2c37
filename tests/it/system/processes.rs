//! Our own program as child processes, by name; all killed when dropped.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use common::testing::eventually;

use super::rig::SOON;

/// Longest tail of a log that a failed test shows.
const LOG_BYTES_SHOWN: usize = 4_000;

/// Running parts of a system. Their output goes to `<name>.log` in their folder.
pub(super) struct Processes {
    folder: PathBuf,
    environment: Vec<(String, String)>,
    running: Vec<(String, Child)>,
}

impl Processes {
    /// None yet.
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned(), environment: Vec::new(), running: Vec::new() }
    }

    /// Sets an environment variable for all that are started from now on.
    pub(super) fn set(&mut self, key: &str, value: impl Into<String>) {
        self.environment.retain(|(set, _)| set != key);
        self.environment.push((key.to_owned(), value.into()));
    }

    /// A program of ours in this folder, with nothing in its environment but what was set.
    pub(super) fn command(&self, program: &str, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command.args(args).current_dir(&self.folder).env_clear().stdin(Stdio::null());
        command.envs(self.environment.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Starts a part under a name.
    pub(super) fn start(&mut self, name: &str, args: &[&str]) {
        self.start_program(env!("CARGO_BIN_EXE_tidemill"), name, args);
    }

    /// Starts any of our programs under a name.
    pub(super) fn start_program(&mut self, program: &str, name: &str, args: &[&str]) {
        let path = self.log(name);
        let log = std::fs::File::options().create(true).append(true).open(path).expect("a log file");
        let errors = log.try_clone().expect("a second handle");
        let child = self.command(program, args).stdout(log).stderr(errors).spawn().expect("our own program runs");
        self.running.push((name.to_owned(), child));
    }

    /// Starts a part whose output nobody reads, as after the end of a log collector.
    pub(super) fn start_unheard(&mut self, name: &str, args: &[&str]) {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        let errors = writer.try_clone().expect("a second handle");
        let mut command = self.command(env!("CARGO_BIN_EXE_tidemill"), args);
        drop(reader);
        let child = command.stdout(writer).stderr(errors).spawn().expect("our own program runs");
        self.running.push((name.to_owned(), child));
    }

    /// What a part has printed so far.
    pub(super) fn output(&self, name: &str) -> String {
        std::fs::read_to_string(self.log(name)).unwrap_or_default()
    }

    /// SIGKILL.
    pub(super) fn kill(&mut self, name: &str) {
        let mut child = self.remove(name);
        child.kill().expect("it runs");
        child.wait().expect("it ends");
    }

    /// Sends a signal.
    pub(super) fn signal(&self, name: &str, signal: &str) {
        let sent = Command::new("kill").args([signal, &self.id(name).to_string()]).status().expect("`kill` runs");
        assert!(sent.success(), "kill {signal} {name}: {sent}");
    }

    /// Sends a signal and waits for the end. Returns its exit code.
    pub(super) async fn stop(&mut self, name: &str, signal: &str) -> Option<i32> {
        self.signal(name, signal);
        self.ended(name).await
    }

    /// Waits for the end of a part. Returns its exit code.
    pub(super) async fn ended(&mut self, name: &str) -> Option<i32> {
        let mut child = self.remove(name);
        let mut ended: Option<ExitStatus> = None;
        eventually(&format!("{name} ends"), SOON, async || {
            ended = child.try_wait().expect("our own child can be watched");
            ended.is_some()
        })
        .await;
        ended.and_then(|status| status.code())
    }

    /// The process id of a part.
    pub(super) fn id(&self, name: &str) -> u32 {
        self.running.iter().find(|(known, _)| known == name).expect("a part of this name runs").1.id()
    }

    fn remove(&mut self, name: &str) -> Child {
        let place = self.running.iter().position(|(known, _)| known == name).expect("a part of this name runs");
        self.running.remove(place).1
    }

    fn log(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.log"))
    }

    fn show_logs(&self) {
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        for file in files.filter(|path| path.extension().is_some_and(|extension| extension == "log")) {
            let log = std::fs::read(&file).unwrap_or_default();
            let tail = log.get(log.len().saturating_sub(LOG_BYTES_SHOWN)..).unwrap_or(&log);
            eprintln!("--- {}\n{}", file.display(), String::from_utf8_lossy(tail));
        }
    }
}

impl Drop for Processes {
    fn drop(&mut self) {
        for (_, child) in &mut self.running {
            // It may have ended by itself; then there is nothing to kill.
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            self.show_logs();
        }
    }
}
