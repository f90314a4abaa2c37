//! A private Redis for one test: its own process, port and folder, gone when dropped.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use super::eventually;

/// How long a start may take on a busy machine.
const START_PATIENCE: Duration = Duration::from_secs(20);

/// A `redis-server` of our own. All methods fail the test when the server does not do as told.
#[derive(Debug)]
pub struct RedisServer {
    folder: TempDir,
    port: u16,
    args: Vec<String>,
    password: Option<String>,
    child: Option<Child>,
}

impl RedisServer {
    /// Starts one that keeps nothing on disk; `args` (e.g. `--appendonly yes`) come after our own and win.
    pub async fn start_with(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let port = free_port();
        let password = args.iter().skip_while(|arg| **arg != "--requirepass").nth(1).map(|word| (*word).to_owned());
        let args = args.iter().map(|&arg| arg.to_owned()).collect();
        let mut server = Self { folder, port, args, password, child: None };
        server.start().await;
        server
    }

    /// Its URL, with the password if it asks for one.
    pub fn url(&self) -> String {
        let login = self.password.as_ref().map(|word| format!(":{word}@")).unwrap_or_default();
        format!("redis://{login}127.0.0.1:{}", self.port)
    }

    /// Its port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Its working folder, where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts it again on the same port and folder; returns when it accepts connections.
    ///
    /// # Panics
    /// When the program is missing or does not start.
    pub async fn start(&mut self) {
        self.stop();
        let mut command = Command::new("redis-server");
        command.args(["--port", &self.port.to_string(), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
        command.arg("--dir").arg(self.folder.path());
        command.args(["--logfile", "redis.log", "--daemonize", "no"]).args(&self.args);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap_or_else(|error| no_program(&error));
        self.child = Some(child);
        let port = self.port;
        eventually("redis-server accepts connections", START_PATIENCE, || async move {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        })
        .await;
    }

    /// Kills it as a crash would: no last snapshot, no farewell.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("our own child can be killed");
            child.wait().expect("our own child can be waited for");
        }
    }

    /// Kills it and starts it again.
    pub async fn restart(&mut self) {
        self.stop();
        self.start().await;
    }

    /// Freezes it: the kernel still accepts connections and bytes, nobody answers.
    pub fn pause(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.signal("-CONT");
    }

    /// Runs one command as `redis-cli` does and returns what it printed.
    pub fn cli(&self, args: &[&str]) -> String {
        let mut command = Command::new("redis-cli");
        if let Some(password) = &self.password {
            command.env("REDISCLI_AUTH", password);
        }
        command.args(["-h", "127.0.0.1", "-p", &self.port.to_string()]).args(args);
        let output = command.output().unwrap_or_else(|error| no_program(&error));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    fn signal(&self, signal: &str) {
        let id = self.child.as_ref().expect("the server runs").id().to_string();
        let status = Command::new("kill").args([signal, &id]).status().expect("the program `kill` runs");
        assert!(status.success(), "kill {signal} {id}: {status}");
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.stop(); // SIGKILL ends a frozen process too
    }
}

/// Free a moment ago; nobody else is likely to take it before the server does.
fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket has an address").port()
}

#[expect(clippy::panic, reason = "a test cannot go on, and its owner must know what to do")]
fn no_program<T>(error: &std::io::Error) -> T {
    panic!("cannot run Redis ({error}): install it with `apt-get install redis-server`")
}
