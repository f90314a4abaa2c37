//! A SQLite connection on a thread of its own: diesel's SQLite blocks, and SQLite has one writer anyway.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;
use diesel::{Connection, ConnectionError, QueryResult};
use tokio::sync::{mpsc, oneshot, watch};

use crate::clock;

mod file;
mod statement;

pub(crate) use file::create_folder;
pub(crate) use statement::{query, statement};

/// Calls that may wait for the thread; more callers wait for a place.
const CALLS_MAX: usize = 64;

/// Between two attempts to get a lock that SQLite did not wait for.
const LOCK_RETRY_PAUSE: Duration = Duration::from_millis(5);

/// Between two looks for the lock of a writer, at first and for so long.
const LOOK_FIRST: Duration = Duration::from_micros(100);
const LOOKED_OFTEN: Duration = Duration::from_millis(200);

/// Files up to this size are checked when they are opened: a tenth of a second.
const CHECKED_BYTES_MAX: u64 = 32 << 20;

/// SQLite's words for it, <https://sqlite.org/rescode.html#corrupt>.
const DAMAGED: [&str; 2] = ["database disk image is malformed", "file is not a database"];

type Call = Box<dyn FnOnce(&mut SqliteConnection) + Send>;

/// Runs closures on a connection, one after the other. Clones share the connection. Dropping the last clone closes
/// it, after the calls that were already made.
#[derive(Debug, Clone)]
pub struct SqliteThread {
    calls: mpsc::Sender<Call>,
    file: Arc<file::Opened>,
    /// Its sender lives as long as the connection.
    open: watch::Receiver<()>,
}

/// A call did not finish: it panicked, or its connection could not be opened again after a panic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the database thread has ended, or the call panicked")]
pub struct ThreadGone;

impl SqliteThread {
    /// How long a statement waits for another process' lock.
    pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

    /// Opens (or creates) the file in WAL mode, durable at every commit unless a call sets it otherwise, readable by its
    /// owner only.
    pub async fn open(path: &Path) -> Result<Self, ConnectionError> {
        let (calls, inbox) = mpsc::channel::<Call>(CALLS_MAX);
        let (opened, outcome) = oneshot::channel();
        // Absolute, so that a later change of directory, or a name like `file:x` or `:memory:`, means nothing else.
        let path = std::path::absolute(path).map_err(|problem| file::bad(path, &problem))?;
        let (held, open) = watch::channel(());
        let thread = std::thread::Builder::new().name("sqlite".to_owned()).spawn(move || {
            let _held = held; // dropped last, after the connection
            match establish(&path).and_then(|connection| Ok((connection, Arc::new(file::Opened::look(&path)?)))) {
                Ok((connection, file)) => {
                    if opened.send(Ok(Arc::clone(&file))).is_ok() {
                        serve(&file, connection, inbox);
                    }
                }
                Err(error) => drop(opened.send(Err(error))), // nobody waits for it any more: nothing to tell
            }
        });
        if let Err(error) = thread {
            return Err(ConnectionError::BadConnection(format!("cannot start a thread: {error}")));
        }
        let gone = |_| ConnectionError::BadConnection(ThreadGone.to_string());
        let file = outcome.await.map_err(gone)??;
        Ok(Self { calls, file, open })
    }

    /// Runs `work` on the connection. It runs to its end even if the caller stops waiting. If it panics, the caller
    /// gets [`ThreadGone`], and the connection is opened afresh, so that nothing half done is left in it.
    pub async fn call<T, W>(&self, work: W) -> Result<T, ThreadGone>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> T + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        // A caller that stopped waiting does not want the answer.
        let call: Call = Box::new(move |connection| drop(reply.send(work(connection))));
        self.calls.send(call).await.map_err(|_gone| ThreadGone)?;
        answer.await.map_err(|_gone| ThreadGone)
    }

    /// Closes the connection once every clone is gone, and returns then: nobody touches the file any more.
    pub async fn close(self) {
        let Self { calls, file: _, mut open } = self;
        drop(calls);
        while open.changed().await.is_ok() {}
    }

    /// The write-ahead log, for whoever flushes what was committed without; an error where there is none.
    pub(crate) fn log(&self) -> std::io::Result<Arc<std::fs::File>> {
        self.file.log()
    }

    /// The opened file, as an absolute path.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// What is broken in the file, if it is small enough to be read through in no time.
    pub async fn damage(&self) -> Option<String> {
        if CHECKED_BYTES_MAX < std::fs::metadata(self.path()).map_or(u64::MAX, |file| file.len()) {
            return None;
        }
        match self.call(statement::check).await {
            Ok(Ok(damage)) => damage,
            // Whoever locks the file, or keeps it from being read, has not damaged it.
            Ok(Err(error)) => Some(error.to_string()).filter(|text| DAMAGED.iter().any(|words| text.contains(words))),
            Err(_gone) => None,
        }
    }

    /// Whether the path still names the file that was opened. Once it was deleted or replaced, what is written goes
    /// to a file that nobody can open again.
    pub fn is_in_place(&self) -> bool {
        self.file.is_in_place()
    }
}

/// Runs the calls until the last [`SqliteThread`] is dropped.
fn serve(file: &file::Opened, mut connection: SqliteConnection, mut inbox: mpsc::Receiver<Call>) {
    while let Some(call) = inbox.blocking_recv() {
        if catch_unwind(AssertUnwindSafe(|| call(&mut connection))).is_ok() {
            continue;
        }
        // Closing rolls back what the call had begun.
        drop(connection);
        file.forget_log();
        match establish(&file.path) {
            Ok(fresh) => connection = fresh,
            Err(error) => {
                tracing::error!(%error, "cannot open {} again after a panic", file.path.display());
                return;
            }
        }
    }
}

fn establish(path: &Path) -> Result<SqliteConnection, ConnectionError> {
    file::prepare(path).map_err(|problem| file::bad(path, &problem))?;
    let text = path.to_str().ok_or_else(|| ConnectionError::BadConnection("the path is no UTF-8".to_owned()))?;
    let mut connection = SqliteConnection::establish(text)?;
    // The busy timeout first: switching to WAL needs the lock that another process may hold.
    let busy_ms = SqliteThread::BUSY_TIMEOUT.as_millis();
    for setting in [
        &format!("PRAGMA busy_timeout = {busy_ms}"),
        "PRAGMA journal_mode = WAL",
        "PRAGMA synchronous = FULL",
        "PRAGMA foreign_keys = ON",
        "PRAGMA temp_store = MEMORY",
        "PRAGMA cache_size = -16000",           // KiB
        "PRAGMA wal_autocheckpoint = 4000",     // pages
        "PRAGMA journal_size_limit = 67108864", // bytes
    ] {
        patiently(&mut connection, setting).map_err(ConnectionError::CouldntSetupConfiguration)?;
    }
    Ok(connection)
}

/// Runs a statement that takes a lock. SQLite itself waits for [`SqliteThread::BUSY_TIMEOUT`], except where it fears a
/// deadlock (two processes turn a new file into WAL mode, or one closes it just now): then it gives up at once, and
/// the statement is to be repeated.
pub(crate) fn patiently(connection: &mut SqliteConnection, statement: &str) -> QueryResult<()> {
    let asked = clock::monotonic();
    loop {
        match connection.batch_execute(statement) {
            Err(error) if is_locked(&error) && asked.elapsed() < SqliteThread::BUSY_TIMEOUT => {
                std::thread::park_timeout(LOCK_RETRY_PAUSE);
            }
            outcome => return outcome,
        }
    }
}

/// Begins a writing transaction. SQLite's own wait for the lock looks rarely, the longer it waits the more rarely, and a
/// writer that commits in a row then keeps all others out for hundreds of milliseconds. This one looks often enough to
/// find the gap between two of its commits.
pub(crate) fn begin_writing(connection: &mut SqliteConnection) -> QueryResult<()> {
    connection.batch_execute("PRAGMA busy_timeout = 0")?;
    let asked = clock::monotonic();
    let mut pause = LOOK_FIRST;
    let outcome = loop {
        match connection.batch_execute("BEGIN IMMEDIATE") {
            Err(error) if is_locked(&error) && asked.elapsed() < SqliteThread::BUSY_TIMEOUT => {
                std::thread::park_timeout(pause);
                // Whoever has waited for long waits for something slower than a commit.
                if LOOKED_OFTEN < asked.elapsed() {
                    pause = (pause * 2).min(LOCK_RETRY_PAUSE);
                }
            }
            outcome => break outcome,
        }
    };
    let busy_ms = SqliteThread::BUSY_TIMEOUT.as_millis();
    outcome.and(connection.batch_execute(&format!("PRAGMA busy_timeout = {busy_ms}")))
}

/// `SQLITE_BUSY`, <https://sqlite.org/rescode.html#busy>: diesel passes on the message and drops the code.
fn is_locked(error: &diesel::result::Error) -> bool {
    error.to_string().contains("database is locked")
}
