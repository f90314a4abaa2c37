//! One supervised child: started, watched, started again with backoff, asked to stop by closing its input.
//!
//! A child stops by itself when its standard input closes. That needs no signals, works when the launcher is killed
//! (no orphan keeps running), and a Ctrl-C in the terminal reaches the launcher alone, which stops parts in order.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use common::clock;
use common::retry::Backoff;
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::output::Output;

/// Restarts of a child that ends again and again.
const RESTARTS: Backoff = Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(15), times: None };

/// A child that ran so long starts its backoff afresh.
const STABLE: Duration = Duration::from_secs(30);

/// What to run.
#[derive(Debug, Clone)]
pub(crate) struct ChildSpec {
    /// Shown before its lines, e.g. `worker-1`.
    pub(crate) name: String,
    /// The program: our own.
    pub(crate) program: PathBuf,
    /// Its arguments.
    pub(crate) args: Vec<OsString>,
    /// Added to our own environment.
    pub(crate) env: Vec<(String, String)>,
    /// Where the first of its kind answers health checks.
    pub(crate) health: Option<SocketAddr>,
    /// Changes when it shall read its settings again.
    pub(crate) reload: watch::Receiver<u64>,
    /// How long it may take to stop.
    pub(crate) grace: Duration,
}

/// Runs a child until `stop`, restarting it whenever it ends before.
pub(crate) async fn supervise(spec: ChildSpec, stop: CancellationToken, output: Output) {
    let mut delays = RESTARTS.delays();
    while !stop.is_cancelled() {
        let started = clock::monotonic();
        let ended = match start(&spec, &output) {
            Ok(child) => match watch(child, &spec, &stop).await {
                Some(ended) => ended,
                None => return,
            },
            Err(error) => format!("could not be started: {error}"),
        };
        if STABLE <= started.elapsed() {
            delays = RESTARTS.delays();
        }
        let delay = delays.next().unwrap_or(RESTARTS.longest);
        output.line(&spec.name, &format!("{ended}, starting it again in {:.1} s", delay.as_secs_f32()));
        if stop.run_until_cancelled(tokio::time::sleep(delay)).await.is_none() {
            return;
        }
    }
}

fn start(spec: &ChildSpec, output: &Output) -> std::io::Result<Child> {
    let mut child = Command::new(&spec.program)
        .args(&spec.args)
        .envs(spec.env.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0) // the terminal's Ctrl-C is for the launcher alone
        .kill_on_drop(true)
        .spawn()?;
    if let Some(stdout) = child.stdout.take() {
        tokio::spawn(output.clone().relay(spec.name.clone(), stdout));
    }
    if let Some(stderr) = child.stderr.take() {
        tokio::spawn(output.clone().relay(spec.name.clone(), stderr));
    }
    Ok(child)
}

/// `None` when the child was asked to stop; otherwise how it ended by itself, in words.
async fn watch(mut child: Child, spec: &ChildSpec, stop: &CancellationToken) -> Option<String> {
    // Taken out, because `wait` would close it, and closing it asks the child to stop.
    let mut input = child.stdin.take();
    let mut reload = spec.reload.clone();
    let ended = async {
        loop {
            tokio::select! {
                ended = child.wait() => return ended,
                Ok(()) = reload.changed() => hand_on(input.as_mut()).await,
                else => return child.wait().await,
            }
        }
    };
    if let Some(ended) = stop.run_until_cancelled(ended).await {
        return Some(match ended {
            Ok(status) => in_words(status),
            Err(error) => format!("could not be watched: {error}"),
        });
    }
    drop(input);
    if tokio::time::timeout(spec.grace, child.wait()).await.is_err() {
        // It holds nothing that is not in the broker or the store: whatever it did comes again.
        child.kill().await.ok()?;
    }
    None
}

/// Asks a child to read its settings again.
async fn hand_on(input: Option<&mut ChildStdin>) {
    let Some(input) = input else { return };
    if let Err(error) = input.write_all(b"reload\n").await {
        tracing::debug!("a child that has ended reads no settings: {error}");
    }
}

fn in_words(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        return format!("was killed by signal {signal}");
    }
    match status.code() {
        Some(0) | None => "ended".to_owned(),
        Some(code) => format!("failed with exit code {code}"),
    }
}
