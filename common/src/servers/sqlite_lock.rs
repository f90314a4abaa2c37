//! Holds an SQLite file as another program might: everybody else finds it busy.

use std::path::Path;
use std::sync::mpsc::{Sender, channel};

use diesel::sqlite::SqliteConnection;
use diesel::{Connection as _, RunQueryDsl as _};

use super::ServerError;

/// Held until it is dropped.
#[derive(Debug)]
pub struct SqliteLock {
    /// Its end lets the holding thread go on.
    _hold: Sender<()>,
}

impl SqliteLock {
    /// Takes the write lock of `file`, waiting for whoever has it.
    ///
    /// # Errors
    /// When the file cannot be opened or the lock does not come.
    pub async fn take(file: &Path) -> Result<Self, ServerError> {
        let path = file.display().to_string();
        let (hold, let_go) = channel::<()>();
        let (taken, is_taken) = tokio::sync::oneshot::channel();
        // A thread of its own: it stands still with the lock in its hand.
        std::thread::spawn(move || {
            let opened = SqliteConnection::establish(&path).map_err(|error| ServerError::Talk(error.into()));
            let locked = opened.and_then(|mut file| {
                for statement in ["PRAGMA busy_timeout = 30000", "BEGIN IMMEDIATE"] {
                    diesel::sql_query(statement).execute(&mut file).map_err(|error| ServerError::Talk(error.into()))?;
                }
                Ok(file)
            });
            match locked {
                Ok(file) => {
                    drop(taken.send(Ok(())));
                    if let_go.recv().is_err() {
                        // The owner has let go; closing the connection rolls back.
                    }
                    drop(file);
                }
                Err(error) => drop(taken.send(Err(error))),
            }
        });
        let gone = |_| ServerError::Refused { what: "locking a file".to_owned(), said: "the thread ended".to_owned() };
        is_taken.await.map_err(gone)??;
        Ok(Self { _hold: hold })
    }
}
