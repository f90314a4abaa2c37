//! One multiplexed connection that comes back by itself.

use std::fmt;
use std::time::{Duration, Instant};

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisError, Value,
};
use tokio::sync::Mutex;

use super::errors::classified;
use super::scripts::{Call, Script};
use crate::broker::BrokerError;
use crate::clock;

/// A command without an answer for so long is unknown, not failed.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// After a failed attempt, callers share its outcome for so long instead of each trying again.
const ATTEMPT_PAUSE: Duration = Duration::from_millis(100);
/// A cut cable is noticed after about this time plus three probes, one second apart.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// A script may be forgotten again (a flush, another restart) before its next call; then the caller waits and repeats.
const LOADS_MAX: usize = 3;
/// Commands that may wait to be written; more callers wait for a place.
const COMMANDS_MAX: usize = 64;

/// The connection and how to open it again. Blocking commands never go over it: they would hold up all callers.
pub(super) struct Link {
    place: String,
    client: Client,
    config: AsyncConnectionConfig,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    open: Option<MultiplexedConnection>,
    /// Counts the connections opened, so that only the one that broke is dropped.
    generation: u64,
    failed: Option<(Instant, RedisError)>,
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("place", &self.place).finish_non_exhaustive() // the client holds the password
    }
}

impl Link {
    /// Opens the first connection.
    pub(super) async fn open(url: &str) -> Result<Self, BrokerError> {
        let info = url.into_connection_info().map_err(|error| unfit_url(&error))?;
        let place = place_of(&info);
        // Installing fails only when a provider is there already, and then that one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
        let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL).with_retries(3);
        let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
        let client = Client::open(info.set_tcp_settings(tcp)).map_err(|error| unfit_url(&error))?;
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_pipeline_buffer_size(COMMANDS_MAX);
        let link = Self { place, client, config, line: Mutex::new(Line::default()) };
        link.connection().await.map_err(|error| link.failed(error))?;
        // A wrong password fails to connect, a missing one only the first command. Both are said at the start.
        match link.send(&redis::cmd("PING")).await {
            Err(error) if error.code() == Some("NOAUTH") => Err(link.failed(error)),
            Ok(_) | Err(_) => Ok(link), // whoever is away for now is waited for, like at any other time
        }
    }

    /// Where, without any secret.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    /// How many connections were opened so far.
    pub(super) async fn generation(&self) -> u64 {
        self.line.lock().await.generation
    }

    /// Runs a script; loads it first where Redis does not know it (any more).
    pub(super) async fn run(&self, script: &Script, call: Call) -> Result<Value, BrokerError> {
        let call = call.into_cmd();
        for _ in 0..LOADS_MAX {
            match self.send(&call).await {
                Err(error) if error.code() == Some("NOSCRIPT") => drop(self.ask(&script.load()).await?),
                outcome => return outcome.map_err(|error| self.failed(error)),
            }
        }
        self.ask(&call).await
    }

    /// Sends one command.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, BrokerError> {
        self.send(command).await.map_err(|error| self.failed(error))
    }

    /// The seam's error for an answer that no script of ours gives.
    pub(super) fn unexpected(&self, answer: impl fmt::Debug) -> BrokerError {
        let mut answer = format!("{answer:?}");
        answer.truncate(answer.floor_char_boundary(ANSWER_SHOWN));
        BrokerError::Unexpected { place: self.place.clone(), answer }
    }

    fn failed(&self, error: RedisError) -> BrokerError {
        classified(&self.place, error)
    }

    /// A connection that turns out to be dead is replaced and the command sent again, once: all our commands are safe
    /// to repeat. After silence the caller decides, as it has waited long enough.
    async fn send(&self, command: &Cmd) -> Result<Value, RedisError> {
        let (generation, mut connection) = self.connection().await?;
        let error = match connection.send_packed_command(command).await.and_then(Value::extract_error) {
            Ok(value) => return Ok(value),
            Err(error) => error,
        };
        if !(error.is_io_error() || error.is_unrecoverable_error()) {
            return Err(error);
        }
        self.hang_up(generation).await;
        if error.is_timeout() {
            return Err(error);
        }
        let (generation, mut connection) = self.connection().await?;
        let outcome = connection.send_packed_command(command).await.and_then(Value::extract_error);
        if outcome.as_ref().is_err_and(|error| error.is_io_error() || error.is_unrecoverable_error()) {
            self.hang_up(generation).await;
        }
        outcome
    }

    async fn connection(&self) -> Result<(u64, MultiplexedConnection), RedisError> {
        let mut line = self.line.lock().await;
        if let Some(open) = &line.open {
            return Ok((line.generation, open.clone()));
        }
        if let Some((at, error)) = &line.failed
            && at.elapsed() < ATTEMPT_PAUSE
        {
            return Err(error.clone());
        }
        match self.client.get_multiplexed_async_connection_with_config(&self.config).await {
            Ok(open) => {
                line.generation += 1;
                line.failed = None;
                line.open = Some(open.clone());
                Ok((line.generation, open))
            }
            Err(error) => {
                line.failed = Some((clock::monotonic(), error.clone()));
                Err(error)
            }
        }
    }

    async fn hang_up(&self, generation: u64) {
        let mut line = self.line.lock().await;
        if line.generation == generation {
            line.open = None;
        }
    }
}

/// As much of a strange answer as an error shows.
const ANSWER_SHOWN: usize = 200;

/// Host, port and database; never the name or the password.
fn place_of(info: &ConnectionInfo) -> String {
    let database = info.redis_settings().db();
    let tls = if matches!(info.addr(), ConnectionAddr::TcpTls { .. }) { " (TLS)" } else { "" };
    format!("{}/{database}{tls}", info.addr())
}

/// The URL itself stays out of the text: it may hold a password.
fn unfit_url(error: &RedisError) -> BrokerError {
    BrokerError::Unfit {
        place: "the given URL".to_owned(),
        problem: error.to_string(),
        fix: "write it as redis://[[NAME]:PASSWORD@]HOST[:PORT][/DATABASE], or rediss:// for TLS".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_url_that_makes_no_sense_is_refused_without_showing_it() {
        for url in ["redis://:secret@", "redis://:secret@localhost:port", "http://secret@localhost", ""] {
            let refused = Link::open(url).await.expect_err("no such URL");
            assert!(matches!(&refused, BrokerError::Unfit { .. }), "{url}: {refused:?}");
            assert!(!format!("{refused} {refused:?}").contains("secret"), "{refused:?}");
        }
    }

    #[test]
    fn a_place_shows_no_password() {
        let info = "redis://name:secret@example.org:6380/7".into_connection_info().unwrap();
        assert_eq!(place_of(&info), "example.org:6380/7");
    }
}
