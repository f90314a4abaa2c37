//! A SQLite connection on a thread of its own: diesel's SQLite blocks, and SQLite has one writer anyway.

use std::path::Path;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, ConnectionError};
use tokio::sync::{mpsc, oneshot};

/// Calls that may wait for the thread; more callers wait for a place.
const CALLS_MAX: usize = 64;

type Call = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

/// Runs closures on a connection, one after the other. Clones share the connection.
#[derive(Debug, Clone)]
pub struct SqliteThread {
    calls: mpsc::Sender<Call>,
}

/// The connection's thread is gone: the file could not be opened, or a call panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database thread has ended")]
pub struct ThreadGone;

impl SqliteThread {
    /// How long a statement waits for another process' lock.
    pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

    /// Opens (or creates) the file in WAL mode, durable at every commit, readable by its owner only.
    pub async fn open(path: &Path) -> Result<Self, ConnectionError> {
        let (calls, mut inbox) = mpsc::channel::<Call>(CALLS_MAX);
        let (opened, outcome) = oneshot::channel();
        let path = path.to_owned();
        let thread = std::thread::Builder::new().name("sqlite".to_owned()).spawn(move || {
            let mut connection = match establish(&path) {
                Ok(connection) => connection,
                Err(error) => return drop(opened.send(Err(error))),
            };
            if opened.send(Ok(())).is_err() {
                return; // nobody waits for it any more
            }
            while let Some(call) = inbox.blocking_recv() {
                call(&mut connection);
            }
        });
        if let Err(error) = thread {
            return Err(ConnectionError::BadConnection(format!("cannot start a thread: {error}")));
        }
        let gone = |_| ConnectionError::BadConnection(ThreadGone.to_string());
        outcome.await.map_err(gone)??;
        Ok(Self { calls })
    }

    /// Runs `work` on the connection. It runs to its end even if the caller stops waiting.
    pub async fn call<T, W>(&self, work: W) -> Result<T, ThreadGone>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let call: Call = Box::new(move |connection| drop(reply.send(work(connection))));
        self.calls.send(call).await.map_err(|_gone| ThreadGone)?;
        answer.await.map_err(|_gone| ThreadGone)
    }
}

fn establish(path: &Path) -> Result<SqliteConnection, ConnectionError> {
    let bad = |problem: std::io::Error| ConnectionError::BadConnection(format!("{}: {problem}", path.display()));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(bad)?;
    }
    owner_only(path).map_err(bad)?;
    let text = path.to_str().ok_or_else(|| ConnectionError::BadConnection("the path is no UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(text)?;
    // The busy timeout first: switching to WAL needs the lock that another process may hold.
    let busy_ms = SqliteThread::BUSY_TIMEOUT.as_millis();
    connection
        .batch_execute(&format!(
            "PRAGMA busy_timeout = {busy_ms};
             PRAGMA journal_mode = WAL;
             PRAGMA synchronous = FULL;
             PRAGMA foreign_keys = ON;
             PRAGMA temp_store = MEMORY;
             PRAGMA cache_size = -8000;
             PRAGMA journal_size_limit = 67108864;"
        ))
        .map_err(ConnectionError::CouldntSetupConfiguration)?;
    Ok(connection)
}

#[cfg(unix)]
fn owner_only(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let created = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match created {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(not(unix))]
fn owner_only(_path: &Path) -> std::io::Result<()> {
    Ok(())
}
