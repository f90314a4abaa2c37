//! A PostgreSQL of one's own.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tempfile::TempDir;
use tokio_postgres::{NoTls, SimpleQueryMessage};

use super::keeper::{End, Keeper};
use super::{ServerError, Signal, free_port, program, signal, until};

/// How long a server may take to start or to stop.
const PATIENCE: Duration = Duration::from_mins(1);
const USER: &str = "tidemill";
/// The server listens on this machine only and lives as long as its owner: a trial, a benchmark or a test.
const PASSWORD: &str = "only-for-tests";

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL's defaults.
    Full,
    /// Nothing is forced to disk: faster tests.
    None,
}

/// A running (or stopped) server.
#[derive(Debug)]
pub struct PostgresServer {
    keeper: std::sync::Mutex<Option<Keeper>>,
    folder: TempDir,
    port: u16,
    durability: Durability,
    databases: AtomicU32,
}

impl PostgresServer {
    /// Creates a database cluster and starts its server.
    ///
    /// # Errors
    /// When PostgreSQL is not installed or does not start.
    pub async fn start(durability: Durability) -> Result<Self, ServerError> {
        let folder = tempfile::Builder::new().prefix("tidemill-postgres-").tempdir();
        let folder = folder.map_err(ServerError::system("create a folder"))?;
        let password = folder.path().join("password");
        fs::write(&password, PASSWORD).map_err(ServerError::system("write to a folder"))?;
        let mut initdb = program::postgres("initdb")?;
        if program::as_other_user().is_some() {
            program::run(Command::new("chown").args(["-R", "postgres"]).arg(folder.path()))?;
        }
        initdb.arg("--pgdata").arg(folder.path().join("data"));
        initdb.args(["--auth=scram-sha-256", "--username", USER, "--locale=C", "--encoding=UTF8", "--no-sync"]);
        program::run(initdb.arg("--pwfile").arg(&password))?;
        let (keeper, databases) = (std::sync::Mutex::default(), AtomicU32::default());
        let server = Self { keeper, folder, port: free_port()?, durability, databases };
        server.resume().await?;
        Ok(server)
    }

    /// A new, empty database; its URL.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn database(&self) -> Result<String, ServerError> {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        sql(&self.url("postgres"), &format!("CREATE DATABASE {name}")).await?;
        Ok(self.url(&name))
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        self.url_at(self.port, database)
    }

    /// The same by way of another port of this machine, where somebody passes on what comes.
    pub fn url_at(&self, port: u16, database: &str) -> String {
        format!("postgres://{USER}:{PASSWORD}@127.0.0.1:{port}/{database}?sslmode=disable")
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Where it keeps its files.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process id of its postmaster, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.keeper().as_ref().map(Keeper::pid)
    }

    /// Stops the server: open sessions are ended, what was committed stays.
    ///
    /// # Errors
    /// When it does not stop in time.
    pub async fn stop(&self) -> Result<(), ServerError> {
        let keeper = self.keeper().take();
        keeper.map_or(Ok(()), Keeper::stop)?;
        until("the server stops", PATIENCE, async || !self.data().join("postmaster.pid").exists()).await
    }

    /// Kills the postmaster; its sessions end as soon as they notice.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn kill(&self) -> Result<(), ServerError> {
        let keeper = self.keeper().take();
        keeper.map_or(Ok(()), Keeper::kill)
    }

    /// Starts a stopped or killed server again, on the same port; returns when it lets sessions in.
    ///
    /// # Errors
    /// When it does not answer in time.
    pub async fn resume(&self) -> Result<(), ServerError> {
        let url = self.url("postgres");
        // The sessions of a killed server may still be there: then it does not start yet.
        until("the server answers", PATIENCE, async || {
            if !self.is_running() && self.start_once().is_err() {
                return false;
            }
            tokio_postgres::connect(&url, NoTls).await.is_ok()
        })
        .await
    }

    /// Stands still with all its sessions, as under a frozen disk: connections stay open and nothing answers.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn freeze(&self) -> Result<(), ServerError> {
        self.signal_all(Signal::STOP)
    }

    /// Goes on after [`freeze`](Self::freeze).
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn thaw(&self) -> Result<(), ServerError> {
        self.signal_all(Signal::CONT)
    }

    fn signal_all(&self, what: Signal) -> Result<(), ServerError> {
        let Some(postmaster) = self.pid() else { return Ok(()) };
        let children = fs::read_to_string(format!("/proc/{postmaster}/task/{postmaster}/children"));
        let children = children.unwrap_or_default();
        let children = children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
        std::iter::once(postmaster).chain(children).try_for_each(|pid| signal(pid, what))
    }

    fn is_running(&self) -> bool {
        self.pid().is_some_and(|pid| Path::new(&format!("/proc/{pid}")).exists())
    }

    fn start_once(&self) -> Result<(), ServerError> {
        let (fsync, commit) = match self.durability {
            Durability::Full => ("fsync=on", "synchronous_commit=on"),
            Durability::None => ("fsync=off", "synchronous_commit=off"),
        };
        let log = self.folder.path().join("log");
        let log = File::options().create(true).append(true).open(log).map_err(ServerError::system("open a log"))?;
        let mut postgres = program::postgres("postgres")?;
        postgres.arg("-D").arg(self.data()).args(["-p", &self.port.to_string()]);
        for setting in [fsync, commit, "listen_addresses=127.0.0.1", "unix_socket_directories=", "max_connections=60"] {
            postgres.args(["-c", setting]);
        }
        *self.keeper() = Some(Keeper::start(self.folder.path(), &postgres, End::Interrupt, log)?);
        Ok(())
    }

    fn keeper(&self) -> std::sync::MutexGuard<'_, Option<Keeper>> {
        self.keeper.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Runs statements and returns the rows of all of them as text.
///
/// # Errors
/// When the server refuses or cannot be reached.
pub async fn sql(url: &str, statements: &str) -> Result<Vec<Vec<Option<String>>>, ServerError> {
    let talk = |error: tokio_postgres::Error| {
        let said = error.as_db_error().map(|said| format!("{}: {}", said.code().code(), said.message()));
        match said {
            Some(said) => ServerError::Refused { what: "a statement".to_owned(), said },
            None => ServerError::Talk(error.into()),
        }
    };
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.map_err(talk)?;
    let query = async {
        let messages = client.simple_query(statements).await.map_err(talk)?;
        Ok(messages
            .into_iter()
            .filter_map(|message| {
                let SimpleQueryMessage::Row(row) = message else { return None };
                Some((0..row.len()).map(|column| row.get(column).map(str::to_owned)).collect())
            })
            .collect())
    };
    tokio::select! {
        rows = query => rows,
        ended = connection => Err(ended.err().map_or_else(
            || ServerError::Refused { what: "the session".to_owned(), said: "it was closed".to_owned() },
            talk,
        )),
    }
}
