//! A whole system of real processes on private servers, for one test.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use common::testing::{Durability, PostgresServer, RedisServer, eventually};
use serde_json::Value;
use tempfile::TempDir;

/// Patience for anything that must happen soon, on a busy machine.
pub const SOON: Duration = Duration::from_secs(60);

/// Which pair of broker and store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pair {
    Embedded,
    Servers,
}

/// Processes are killed and servers stopped when it is dropped.
pub struct Rig {
    pub dir: TempDir,
    pub redis: Option<RedisServer>,
    pub postgres: Option<PostgresServer>,
    env: Vec<(String, String)>,
    children: Vec<Part>,
}

/// One running part.
pub struct Part {
    name: String,
    child: Child,
}

impl Rig {
    /// Servers (or files) that are migrated and empty; no part runs yet.
    pub async fn new(pair: Pair) -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let mut rig = Self { env: Vec::new(), redis: None, postgres: None, children: Vec::new(), dir };
        rig.set("TIDEMILL_DATA_DIR", rig.dir.path().join("data").display().to_string());
        rig.set("TIDEMILL_LOG__FORMAT", "text");
        rig.set("TIDEMILL_STORE__HISTORY", "true");
        rig.set("TIDEMILL_WORKER__LEASE", "2s");
        rig.set("TIDEMILL_LISTENER__CONNECTION_DELAY", "0s");
        if pair == Pair::Servers {
            let redis = RedisServer::start_with(&["--appendonly", "yes"]).await;
            let postgres = PostgresServer::start(Durability::None).await;
            rig.set("REDIS_URL", redis.url());
            rig.set("DATABASE_URL", postgres.database().await);
            rig.redis = Some(redis);
            rig.postgres = Some(postgres);
        }
        let migrated = rig.run(&["migrate"]);
        assert!(migrated.0 == Some(0), "migrate: {}", migrated.2);
        rig
    }

    /// Sets an environment variable for all parts started from now on.
    pub fn set(&mut self, key: &str, value: impl Into<String>) {
        self.env.retain(|(set, _)| set != key);
        self.env.push((key.to_owned(), value.into()));
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tidemill"));
        command.args(args).current_dir(self.dir.path()).env_clear().stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        command.envs(self.env.iter().map(|(key, value)| (key, value)));
        command
    }

    /// Runs a command to its end: exit code, standard output, standard error.
    pub fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let output = self.command(args).output().expect("our own program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// Starts a part under a name; its output goes to `<name>.log` in the rig's folder.
    pub fn start(&mut self, name: &str, args: &[&str]) {
        let log = std::fs::File::options().create(true).append(true).open(self.log(name)).expect("a log file");
        let errors = log.try_clone().expect("a second handle");
        let child = self.command(args).stdout(log).stderr(errors).spawn().expect("our own program runs");
        self.children.push(Part { name: name.to_owned(), child });
    }

    /// Where a part's output goes.
    pub fn log(&self, name: &str) -> PathBuf {
        self.dir.path().join(format!("{name}.log"))
    }

    /// SIGKILL.
    pub fn kill(&mut self, name: &str) {
        let mut part = self.remove(name);
        part.child.kill().expect("it runs");
        part.child.wait().expect("it ends");
    }

    /// SIGTERM, and waits for the end. Returns its exit code.
    pub fn stop(&mut self, name: &str) -> Option<i32> {
        let mut part = self.remove(name);
        let sent = Command::new("kill").args(["-TERM", &part.child.id().to_string()]).status().expect("kill runs");
        assert!(sent.success());
        part.child.wait().expect("it ends").code()
    }

    fn remove(&mut self, name: &str) -> Part {
        let place = self.children.iter().position(|part| part.name == name).expect("a part of this name runs");
        self.children.remove(place)
    }

    /// Starts the exchange with these arguments and returns its address once it listens.
    pub async fn exchange(&mut self, args: &[&str]) -> String {
        let stats = self.stats_file();
        let stats_text = stats.display().to_string();
        let all: Vec<&str> = ["exchange", "--port", "0", "--stats-file", &stats_text].iter().chain(args).copied().collect();
        self.start("exchange", &all);
        eventually("the exchange listens", SOON, || async { read_json(&stats).is_some() }).await;
        let address = read_json(&stats).and_then(|stats| stats["address"].as_str().map(str::to_owned)).expect("an address");
        format!("ws://{address}")
    }

    /// What the exchange says it sent.
    pub fn exchange_stats(&self) -> Value {
        read_json(&self.stats_file()).unwrap_or_default()
    }

    fn stats_file(&self) -> PathBuf {
        self.dir.path().join("exchange.json")
    }

    /// `status --json`.
    pub fn status(&self) -> Value {
        let (_, out, err) = self.run(&["status", "--json"]);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("status: {error}: {out} {err}"))
    }

    /// One number of the ledger.
    pub fn ledger(&self, name: &str) -> u64 {
        self.status()["ledger"][name].as_u64().unwrap_or_default()
    }

    /// Waits until the exchange has sent everything and every accepted task has ended.
    pub async fn drained(&self) {
        eventually("the replay is finished", SOON, || async { self.exchange_stats()["finished"] == true }).await;
        let sent = self.exchange_stats()["sent_total"].as_u64().unwrap_or_default();
        eventually("everything sent is accepted and has ended", SOON, || async {
            let status = self.status();
            let count = |name: &str| status["ledger"][name].as_u64().unwrap_or_default();
            sent <= count("received") && count("waiting") + count("leased") + count("delayed") == 0
        })
        .await;
    }

    /// Asserts what must be true of any system at rest.
    pub fn assert_balanced(&self) {
        let ledger = self.status()["ledger"].clone();
        assert_eq!(ledger["lost"], 0, "{ledger}");
        assert_eq!(ledger["dead"], 0, "{ledger}");
        assert_eq!(ledger["balanced"], true, "{ledger}");
    }
}

impl Drop for Rig {
    fn drop(&mut self) {
        for part in &mut self.children {
            // It may have ended by itself; then there is nothing to kill.
            drop(part.child.kill());
            drop(part.child.wait());
        }
        if std::thread::panicking() {
            for part in &self.children {
                let log = std::fs::read_to_string(self.log(&part.name)).unwrap_or_default();
                let from = log.len().saturating_sub(4_000);
                eprintln!("--- {}\n{}", part.name, log.get(from..).unwrap_or(&log));
            }
        }
    }
}

fn read_json(path: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}
