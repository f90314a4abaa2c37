//! Redis and PostgreSQL servers of one's own: the machine's programs on free ports and in private folders, gone when
//! their owner is gone. For fault runs, benchmarks and tests; never for data that anybody wants to keep.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::time::Duration;

use rustix::process::{Pid, Resource, Rlimit};

use crate::{BoxError, clock};

mod keeper;
mod postgres;
mod program;
mod proxy;
mod redis;
mod small_disk;
mod sqlite_lock;

pub use postgres::{Durability, PostgresServer, sql};
pub use proxy::{Proxy, Toxic};
pub use redis::RedisServer;
pub use rustix::process::Signal;
pub use small_disk::SmallDisk;
pub use sqlite_lock::SqliteLock;

/// How often a server that starts or stops is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Why a server of our own does not do as told.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// The program is not on this machine.
    #[error("{program} is not installed: run `apt-get install {package}`")]
    Missing {
        /// What was looked for.
        program: &'static str,
        /// Where Debian has it.
        package: &'static str,
    },
    /// A program, a folder or a socket could not be used.
    #[error("cannot {what}")]
    System {
        /// What was to be done.
        what: String,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It did not come to be in time.
    #[error("waited {} s in vain until {what}", waited.as_secs())]
    Late {
        /// What was waited for.
        what: &'static str,
        /// How long.
        waited: Duration,
    },
    /// The server or a program of its package refused.
    #[error("{what} failed: {said}")]
    Refused {
        /// What was asked.
        what: String,
        /// What was said.
        said: String,
    },
    /// The connection to it failed.
    #[error("cannot talk to the server")]
    Talk(#[source] BoxError),
}

impl ServerError {
    fn system(what: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what: what.into(), source }
    }
}

/// Sends a signal to a process of ours. One that has ended already is no error.
///
/// # Errors
/// When the process is not ours to signal.
pub fn signal(pid: u32, signal: Signal) -> Result<(), ServerError> {
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw);
    let Some(target) = target else { return Ok(()) };
    match rustix::process::kill_process(target, signal) {
        Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
        Err(error) => Err(ServerError::system(format!("signal process {pid}"))(error.into())),
    }
}

/// Limits how many files a process of ours may have open from now on. Returns the limit before.
///
/// # Errors
/// When the process is gone or not ours.
pub fn limit_files(pid: u32, files: u64) -> Result<u64, ServerError> {
    let gone = || ServerError::system(format!("limit the files of process {pid}"))(io::ErrorKind::NotFound.into());
    let target = i32::try_from(pid).ok().and_then(Pid::from_raw).ok_or_else(gone)?;
    let maximum = rustix::process::getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit { current: Some(files), maximum };
    match rustix::process::prlimit(Some(target), Resource::Nofile, limit) {
        Ok(old) => Ok(old.current.unwrap_or(u64::MAX)),
        Err(error) => Err(ServerError::system(format!("limit the files of process {pid}"))(error.into())),
    }
}

/// Free a moment ago; nobody else is likely to take it before the server does.
fn free_port() -> Result<u16, ServerError> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr());
    bound.map(|address| address.port()).map_err(ServerError::system("find a free port"))
}

/// Polls until it holds.
async fn until(
    what: &'static str,
    patience: Duration,
    mut condition: impl AsyncFnMut() -> bool,
) -> Result<(), ServerError> {
    let asked = clock::monotonic();
    while !condition().await {
        if patience < asked.elapsed() {
            return Err(ServerError::Late { what, waited: patience });
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(())
}
