//! A whole system on servers of its own, for one test.

use std::path::Path;
use std::time::Duration;

use common::testing::{Durability, PostgresServer, RedisServer, eventually};
use serde_json::Value;
use tempfile::TempDir;

use super::processes::Processes;

/// Patience for anything that must happen soon, on a busy machine.
pub(super) const SOON: Duration = Duration::from_mins(1);

/// Which pair of broker and store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    /// SQLite files.
    Embedded,
    /// Redis and PostgreSQL.
    Servers,
}

/// Processes are killed and servers stopped when it is dropped, in the order of the fields.
pub(super) struct Rig {
    pub(super) processes: Processes,
    pub(super) redis: Option<RedisServer>,
    pub(super) postgres: Option<PostgresServer>,
    pub(super) broker_url: String,
    pub(super) store_url: String,
    pub(super) folder: TempDir,
}

impl Rig {
    /// Servers (or files) that are migrated and empty; no part runs yet.
    pub(super) async fn new(pair: Pair) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let mut processes = Processes::new(folder.path());
        let data = folder.path().join("data").display().to_string();
        let (mut redis, mut postgres) = (None, None);
        let (mut broker_url, mut store_url) = (format!("sqlite:{data}/queue.db"), format!("sqlite:{data}/market.db"));
        if pair == Pair::Servers {
            let servers = (RedisServer::start_with(&["--appendonly", "yes"]).await, database_server().await);
            (broker_url, store_url) = (servers.0.url(), servers.1.database().await);
            (redis, postgres) = (Some(servers.0), Some(servers.1));
            processes.set("REDIS_URL", &broker_url);
            processes.set("DATABASE_URL", &store_url);
        }
        for (key, value) in [
            ("TIDEMILL_DATA_DIR", &*data),
            ("TIDEMILL_LOG__FORMAT", "text"),
            ("TIDEMILL_STORE__HISTORY", "true"),
            ("TIDEMILL_WORKER__LEASE", "2s"),
            ("TIDEMILL_LISTENER__CONNECTION_DELAY", "0s"),
        ] {
            processes.set(key, value);
        }
        let rig = Self { processes, redis, postgres, broker_url, store_url, folder };
        rig.succeeds(&["migrate"]);
        rig
    }

    /// Runs a command to its end: exit code, standard output, standard error.
    pub(super) fn run(&self, args: &[&str]) -> (Option<i32>, String, String) {
        let mut command = self.processes.command(env!("CARGO_BIN_EXE_tidemill"), args);
        let output = command.output().expect("our own program runs");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    }

    /// Runs a command that must succeed; its standard output.
    pub(super) fn succeeds(&self, args: &[&str]) -> String {
        let (code, out, err) = self.run(args);
        assert_eq!(code, Some(0), "{args:?}: {out}{err}");
        out
    }

    /// Starts the exchange with these arguments and returns its address once it listens.
    pub(super) async fn exchange(&mut self, args: &[&str]) -> String {
        let stats = self.folder.path().join("exchange.json").display().to_string();
        let mut all = vec!["exchange", "--port", "0", "--stats-file", &stats];
        all.extend(args);
        self.processes.start("exchange", &all);
        eventually("the exchange listens", SOON, async || self.exchange_stats()["address"].is_string()).await;
        format!("ws://{}", self.exchange_stats()["address"].as_str().expect("it is text"))
    }

    /// What the exchange says it sent.
    pub(super) fn exchange_stats(&self) -> Value {
        read_json(&self.folder.path().join("exchange.json")).unwrap_or_default()
    }

    /// Starts a listener called `listener`.
    pub(super) fn listen(&mut self, endpoint: &str, symbols: &str, channels: &str) {
        let args = ["listener", "--endpoint", endpoint, "--symbols", symbols, "--channels", channels];
        self.processes.start("listener", &args);
    }

    /// Writes a file beside the system's data; its path.
    pub(super) fn write(&self, name: &str, content: &str) -> String {
        let path = self.folder.path().join(name);
        std::fs::write(&path, content).expect("a temporary folder can be written to");
        path.display().to_string()
    }

    /// `status --json`.
    pub(super) fn status(&self) -> Value {
        let (_, out, err) = self.run(&["status", "--json"]);
        serde_json::from_str(&out).unwrap_or_else(|error| panic!("status: {error}: {out}{err}"))
    }

    /// The ledger.
    pub(super) fn ledger(&self) -> Counts {
        Counts(self.status()["ledger"].take())
    }

    /// Waits until the broker has heard of so many messages and every accepted task has ended.
    pub(super) async fn ended(&self, received: u64) {
        eventually("everything received has ended", SOON, async || {
            let ledger = self.ledger();
            // On a busy machine the broker may be late for a look.
            !ledger.0.is_null() && received <= ledger.of("received") && ledger.of("open") == 0
        })
        .await;
    }

    /// Asserts what must be true of any system at rest after good messages.
    pub(super) fn assert_all_is_well(&self) {
        let ledger = self.ledger();
        for nothing in ["lost", "dead", "open", "shed", "uncounted"] {
            assert_eq!(ledger.of(nothing), 0, "{nothing}: {ledger:?}");
        }
        assert_eq!(ledger.0["balanced"], true, "{ledger:?}");
    }
}

/// A ledger as `status --json` shows it.
#[derive(Debug)]
pub(super) struct Counts(pub(super) Value);

impl Counts {
    /// One count.
    pub(super) fn of(&self, name: &str) -> u64 {
        self.0[name].as_u64().unwrap_or_else(|| panic!("no count {name} in {:?}", self.0))
    }

    /// A count of a reason; 0 where it never happened.
    pub(super) fn of_reason(&self, counts: &str, reason: &str) -> u64 {
        self.0[counts][reason].as_u64().unwrap_or(0)
    }
}

async fn database_server() -> PostgresServer {
    PostgresServer::start(Durability::None).await
}

fn read_json(path: &Path) -> Option<Value> {
    serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok()
}
