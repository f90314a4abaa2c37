//! A few connections, opened when needed. One that failed, or whose caller went away in mid-call, is never used again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use diesel_async::AsyncPgConnection;
use secrecy::ExposeSecret;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::link::Link;
use super::trouble;
use crate::outage::{Rest, chain};
use crate::store::{StoreError, StoreOptions};
use crate::{Address, clock};

/// How long any call may take. Only this limit notices a frozen server: its kernel goes on confirming our packets.
const CALL_MAX: Duration = Duration::from_secs(35);

#[derive(Debug)]
pub(super) struct Pool {
    place: String,
    link: Mutex<Arc<Link>>,
    permits: Arc<Semaphore>,
    /// Held for a push or a pop, never across an await.
    idle: Mutex<Idle>,
    /// While the server is away one caller at a time tries to connect, and the others share the outcome.
    away: tokio::sync::Mutex<Away>,
}

#[derive(Debug)]
struct Away {
    address: Address,
    /// SQLSTATE and words of the last failed attempt.
    failed: Option<(Option<Box<str>>, String)>,
    rest: Rest,
}

#[derive(Default)]
struct Idle {
    connections: Vec<AsyncPgConnection>,
    /// Raised when the server went away: connections of an earlier generation are dead, too.
    generation: u64,
}

/// A connection for one call. Dropping it closes the connection; [`Pool::settle`] keeps it.
pub(super) struct Session {
    pub(super) connection: AsyncPgConnection,
    generation: u64,
    _permit: OwnedSemaphorePermit,
}

/// What a call that failed in an unnamed way means. `diesel_async` hides the SQLSTATE of most errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Blame {
    /// Some row of the batch is the likeliest cause: isolate it.
    ARow,
    /// No row is to blame.
    TheStore,
    /// Rows that are to blame are told apart already: it waited too long for a lock, or was cancelled.
    TheMoment,
}

impl Pool {
    pub(super) fn new(address: Address, options: StoreOptions) -> Result<Self, StoreError> {
        let link = Link::parse(address.url().expose_secret())?;
        let place = link.place().to_owned();
        let connections = usize::try_from(options.connections).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        Ok(Self {
            place,
            link: Mutex::new(Arc::new(link)),
            permits: Arc::new(Semaphore::new(connections)),
            idle: Mutex::default(),
            away: tokio::sync::Mutex::new(Away { address, failed: None, rest: Rest::default() }),
        })
    }

    pub(super) fn place(&self) -> &str {
        &self.place
    }

    fn link(&self) -> Arc<Link> {
        Arc::clone(&self.link.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// An idle connection or a new one; waits while all are in use.
    pub(super) async fn session(&self) -> Result<Session, StoreError> {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|closed| StoreError::Systemic {
            place: self.place().to_owned(),
            code: None,
            source: closed.into(),
        })?;
        let (kept, generation) = {
            let mut idle = self.idle();
            (idle.connections.pop(), idle.generation)
        };
        let connection = match kept {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        Ok(Session { connection, generation, _permit: permit })
    }

    async fn connect(&self) -> Result<AsyncPgConnection, StoreError> {
        let mut away = self.away.lock().await;
        let Some((code, words)) = &away.failed else {
            drop(away); // it is there as far as we know: nobody waits for another
            return match self.link().connect().await {
                Ok(connection) => Ok(connection),
                Err(error) => {
                    let mut away = self.away.lock().await;
                    away.remember(&error);
                    self.log_in_anew(&mut away).await.unwrap_or(Err(error))
                }
            };
        };
        if away.rest.lasts(clock::monotonic()) {
            return Err(self.systemic(code.clone(), words.clone().into()));
        }
        match self.link().connect().await {
            Ok(connection) => {
                away.back();
                Ok(connection)
            }
            Err(error) => {
                away.remember(&error);
                self.log_in_anew(&mut away).await.unwrap_or(Err(error))
            }
        }
    }

    /// After a refused login: tries what stands in the address' file by now, if that is something else for the same
    /// database. `None` when there is nothing new to try.
    async fn log_in_anew(&self, away: &mut Away) -> Option<Result<AsyncPgConnection, StoreError>> {
        let (code, _) = away.failed.as_ref()?;
        if !code.as_deref().is_some_and(|code| code.starts_with(LOGIN_REFUSED)) || !away.address.reread() {
            return None;
        }
        let link = Link::parse(away.address.url().expose_secret()).ok().filter(|link| link.place() == self.place)?;
        let link = Arc::new(link);
        *self.link.lock().unwrap_or_else(PoisonError::into_inner) = Arc::clone(&link);
        let outcome = link.connect().await;
        match &outcome {
            Ok(_) => away.back(),
            Err(error) => away.remember(error),
        }
        Some(outcome)
    }

    /// Runs one call on a session under [`CALL_MAX`], keeps the connection if it is sound, and names what went wrong.
    pub(super) async fn settle<T>(
        &self,
        mut session: Session,
        outcome: Result<diesel::QueryResult<T>, tokio::time::error::Elapsed>,
        blamed: Blame,
    ) -> Result<T, StoreError> {
        let Ok(outcome) = outcome else {
            self.forget_idle(session.generation);
            return Err(self.systemic(None, format!("no answer within {CALL_MAX:?}").into()));
        };
        let error = match outcome {
            Ok(value) => {
                self.keep(session);
                return Ok(value);
            }
            Err(error) => error,
        };
        let place = self.place().to_owned();
        match trouble::class(&error) {
            trouble::Class::Row => {
                self.keep(session);
                Err(StoreError::Row { place, source: error.into() })
            }
            trouble::Class::Contention => {
                self.keep(session);
                Err(StoreError::Contention { place, source: error.into() })
            }
            trouble::Class::Systemic(code) => {
                self.forget_idle(session.generation);
                Err(self.systemic(code, error.into()))
            }
            trouble::Class::Unnamed => {
                // The question is also a probe: on a dead connection it fails.
                let schema = timeout(CALL_MAX, trouble::schema(&mut session.connection)).await;
                match (schema, blamed) {
                    (Ok(Ok(trouble::Schema::Complete)), Blame::ARow) => {
                        Err(StoreError::Row { place, source: error.into() })
                    }
                    (Ok(Ok(trouble::Schema::Complete)), Blame::TheMoment) => {
                        self.keep(session);
                        Err(StoreError::Contention { place, source: error.into() })
                    }
                    (Ok(Ok(trouble::Schema::Complete)), Blame::TheStore) => Err(self.systemic(None, error.into())),
                    (Ok(Ok(trouble::Schema::Incomplete)), _) => {
                        Err(self.systemic(Some("42P01".into()), trouble::NotMigrated(error.into()).into()))
                    }
                    (Ok(Err(_)) | Err(_), _) => {
                        self.forget_idle(session.generation);
                        Err(self.systemic(None, error.into()))
                    }
                }
            }
        }
    }

    fn systemic(&self, code: Option<Box<str>>, source: crate::BoxError) -> StoreError {
        StoreError::Systemic { place: self.place().to_owned(), code, source }
    }

    fn keep(&self, session: Session) {
        let mut idle = self.idle();
        if session.generation == idle.generation {
            idle.connections.push(session.connection);
        }
    }

    /// One connection found the server gone: the others would find the same, one call after the other.
    fn forget_idle(&self, generation: u64) {
        let mut idle = self.idle();
        if generation == idle.generation {
            idle.generation += 1;
            idle.connections.clear();
        }
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Idle> {
        // A panic between push and pop leaves a vector that is still a vector.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SQLSTATE class 28, invalid authorization.
const LOGIN_REFUSED: &str = "28";

impl Away {
    fn back(&mut self) {
        self.failed = None;
        self.rest.ended();
    }

    fn remember(&mut self, error: &StoreError) {
        self.rest.failed(clock::monotonic());
        let StoreError::Systemic { code, source, .. } = error else { return };
        self.failed = Some((code.clone(), chain(source.as_ref())));
    }
}

/// Waits for an answer at most [`CALL_MAX`].
pub(super) async fn limited<F: Future>(call: F) -> Result<F::Output, tokio::time::error::Elapsed> {
    timeout(CALL_MAX, call).await
}

impl std::fmt::Debug for Idle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Idle").field("connections", &self.connections.len()).finish_non_exhaustive()
    }
}
