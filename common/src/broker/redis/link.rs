//! One multiplexed connection that comes back by itself.

use std::fmt;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::io::tcp::{TcpSettings, socket2::TcpKeepalive};
use redis::{
    AsyncConnectionConfig, Client, Cmd, ConnectionAddr, ConnectionInfo, IntoConnectionInfo, Pipeline, RedisError, Value,
};
use secrecy::ExposeSecret;
use tokio::sync::Mutex;

use super::errors::{classified, is_denied};
use super::reply;
use super::scripts::{Call, Script};
use crate::broker::BrokerError;
use crate::outage::Rest;
use crate::{Address, clock};

/// A command without an answer for so long is unknown, not failed.
pub(super) const RESPONSE_TIMEOUT: Duration = Duration::from_secs(2);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// A cut cable is noticed after about this time plus three probes, one second apart.
const KEEPALIVE_IDLE: Duration = Duration::from_secs(10);
const KEEPALIVE_INTERVAL: Duration = Duration::from_secs(1);
/// A script may be forgotten again (a flush, another restart) before its next call; then the caller waits and repeats.
const LOADS_MAX: usize = 3;
/// Redis answers so while it can do nothing for us at all.
const AWAY: [&str; 6] = ["LOADING", "MASTERDOWN", "CLUSTERDOWN", "READONLY", "MISCONF", "BUSY"];
/// Commands that may wait to be written; more callers wait for a place.
const COMMANDS_MAX: usize = 64;

/// The connection and how to open it again. Blocking commands never go over it: they would hold up all callers.
pub(super) struct Link {
    place: String,
    config: AsyncConnectionConfig,
    line: Mutex<Line>,
}

struct Line {
    client: Client,
    address: Address,
    open: Option<MultiplexedConnection>,
    /// Counts the connections opened, so that only the one that broke is dropped.
    generation: u64,
    /// How the last attempt failed: shared by all callers until the rest is over.
    failed: Option<RedisError>,
    rest: Rest,
}

/// A connection to send one command over.
struct Open {
    generation: u64,
    connection: MultiplexedConnection,
    /// Whether its answer ends an outage.
    is_probe: bool,
}

/// What is sent at once.
#[derive(Clone, Copy)]
enum Request<'a> {
    One(&'a Cmd),
    /// Answered by the array of all answers, or by the first error.
    Several(&'a Pipeline),
    /// A script and what follows it, between `MULTI` and `EXEC`: answered by the array of all their answers, or by the
    /// script's error, or by the error for which nothing was carried out. Errors behind the script stay in the array.
    Transaction(&'a Pipeline),
}

impl Request<'_> {
    async fn over(self, connection: &mut MultiplexedConnection) -> Result<Value, RedisError> {
        match self {
            Self::One(command) => connection.send_packed_command(command).await.and_then(Value::extract_error),
            Self::Several(commands) => {
                let answers = connection.send_packed_commands(commands, 0, commands.len()).await?;
                let answers = answers.into_iter().map(Value::extract_error);
                answers.collect::<Result<_, _>>().map(Value::Array)
            }
            Self::Transaction(commands) => {
                let answers = connection.send_packed_commands(commands, 0, commands.len()).await?;
                carried_out(answers)
            }
        }
    }
}

/// What `EXEC` answered, from the answers of a whole transaction.
fn carried_out(mut answers: Vec<Value>) -> Result<Value, RedisError> {
    let outcome = answers.pop().unwrap_or(Value::Nil);
    // A command that was not even queued says why; `EXEC` itself then says no more than that.
    for queued in answers {
        queued.extract_error()?;
    }
    let Value::Array(mut carried_out) = outcome else { return outcome.extract_error() };
    if let Some(first) = carried_out.first_mut() {
        *first = std::mem::replace(first, Value::Nil).extract_error()?;
    }
    Ok(Value::Array(carried_out))
}

impl Line {
    fn back(&mut self) {
        self.failed = None;
        self.rest.ended();
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link").field("place", &self.place).finish_non_exhaustive() // the client holds the password
    }
}

impl Link {
    /// Opens the first connection.
    pub(super) async fn open(address: Address) -> Result<Self, BrokerError> {
        // Installing fails only when a provider is there already, and then that one serves.
        drop(rustls::crypto::ring::default_provider().install_default());
        let (client, place) = client(&address).map_err(|error| unfit_url(&error))?;
        let config = AsyncConnectionConfig::new()
            .set_response_timeout(Some(RESPONSE_TIMEOUT))
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_pipeline_buffer_size(COMMANDS_MAX);
        let first = Line { client, address, open: None, generation: 0, failed: None, rest: Rest::default() };
        let link = Self { place, config, line: Mutex::new(first) };
        link.connection().await.map_err(|error| link.failed(error))?;
        // A wrong password fails to connect, a missing one only the first command. Both are said at the start.
        match link.send(Request::One(&redis::cmd("PING"))).await {
            Err(error) if error.code() == Some("NOAUTH") => Err(link.failed(error)),
            Ok(_) | Err(_) => Ok(link), // whoever is away for now is waited for, like at any other time
        }
    }

    /// A connection of its own to the same place, opened by its first command. When it is dropped, so is what it waits
    /// for.
    pub(super) async fn beside(&self) -> Self {
        let (client, address) = {
            let line = self.line.lock().await;
            (line.client.clone(), line.address.clone())
        };
        let line = Line { client, address, open: None, generation: 0, failed: None, rest: Rest::default() };
        Self { place: self.place.clone(), config: self.config.clone(), line: Mutex::new(line) }
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
        self.run_request(script, Request::One(&call.into_cmd())).await
    }

    /// As [`run`](Self::run), and reads the list `key` right behind it, in the same round trip. Returns both answers.
    pub(super) async fn run_and_read(
        &self,
        script: &Script,
        call: Call,
        key: &str,
    ) -> Result<(Value, Value), BrokerError> {
        let mut both = Pipeline::with_capacity(2);
        both.add_command(call.into_cmd()).cmd("LRANGE").arg(key).arg(0).arg(-1);
        let answers = self.run_request(script, Request::Several(&both)).await?;
        match reply::array(answers) {
            Some([answer, elements]) => Ok((answer, elements)),
            None => Err(self.unexpected("not as many answers as commands")),
        }
    }

    /// As [`run_and_read`](Self::run_and_read), once `wait` lets it: Redis keeps what stands behind a command that
    /// blocks until it ends. `None` when Redis did not know the script (any more).
    pub(super) async fn wait_and_run_and_read(
        &self,
        wait: Cmd,
        call: Call,
        key: &str,
    ) -> Result<Option<(Value, Value)>, BrokerError> {
        let mut all = Pipeline::with_capacity(3);
        all.add_command(wait).add_command(call.into_cmd()).cmd("LRANGE").arg(key).arg(0).arg(-1);
        match self.send(Request::Several(&all)).await.map(reply::array) {
            Ok(Some([_rung, answer, elements])) => Ok(Some((answer, elements))),
            Ok(None) => Err(self.unexpected("not as many answers as commands")),
            Err(error) if error.code() == Some("NOSCRIPT") => Ok(None),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// As [`run`](Self::run), with two commands that are carried out behind the script, in the same transaction. Returns
    /// the array of all three answers; those of the commands may be errors.
    pub(super) async fn run_and_go_on(
        &self,
        script: &Script,
        call: Call,
        [first, second]: [Cmd; 2],
    ) -> Result<Value, BrokerError> {
        let mut all = Pipeline::with_capacity(5);
        all.cmd("MULTI").add_command(call.into_cmd()).add_command(first).add_command(second).cmd("EXEC");
        self.run_request(script, Request::Transaction(&all)).await
    }

    async fn run_request(&self, script: &Script, request: Request<'_>) -> Result<Value, BrokerError> {
        for _ in 0..LOADS_MAX {
            match self.send(request).await {
                Err(error) if error.code() == Some("NOSCRIPT") => drop(self.ask(&script.load()).await?),
                outcome => return outcome.map_err(|error| self.failed(error)),
            }
        }
        self.send(request).await.map_err(|error| self.failed(error))
    }

    /// Sends one command.
    pub(super) async fn ask(&self, command: &Cmd) -> Result<Value, BrokerError> {
        self.send(Request::One(command)).await.map_err(|error| self.failed(error))
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
    async fn send(&self, request: Request<'_>) -> Result<Value, RedisError> {
        let Open { generation, mut connection, is_probe } = self.connection().await?;
        let error = match request.over(&mut connection).await {
            Ok(value) => {
                if is_probe {
                    self.line.lock().await.back();
                }
                return Ok(value);
            }
            Err(error) => error,
        };
        if error.code() == Some("NOAUTH") {
            self.hang_up(generation).await; // a new connection logs in
        }
        if error.code().is_some_and(|code| AWAY.contains(&code)) {
            self.rest(generation, &error).await;
            return Err(error);
        }
        if !(error.is_io_error() || error.is_unrecoverable_error()) {
            if is_probe {
                self.line.lock().await.back();
            }
            return Err(error);
        }
        self.hang_up(generation).await;
        if error.is_timeout() {
            return Err(error);
        }
        let Open { generation, mut connection, .. } = self.connection().await?;
        let outcome = request.over(&mut connection).await;
        if outcome.as_ref().is_err_and(|error| error.is_io_error() || error.is_unrecoverable_error()) {
            self.hang_up(generation).await;
        }
        outcome
    }

    async fn connection(&self) -> Result<Open, RedisError> {
        let mut line = self.line.lock().await;
        if let Some(error) = &line.failed
            && line.rest.lasts(clock::monotonic())
        {
            return Err(error.clone());
        }
        let is_probe = line.failed.is_some();
        if is_probe {
            line.rest.failed(clock::monotonic()); // until its answer is known, the others need not ask
        }
        if let Some(open) = &line.open {
            return Ok(Open { generation: line.generation, connection: open.clone(), is_probe });
        }
        match self.dial(&mut line).await {
            Ok(open) => {
                line.generation += 1;
                line.open = Some(open.clone());
                // Who lets us in need not be able to work yet: the first answer says.
                Ok(Open { generation: line.generation, connection: open, is_probe })
            }
            Err(error) => {
                line.failed = Some(error.clone());
                line.rest.failed(clock::monotonic());
                Err(error)
            }
        }
    }

    /// Connects; after a refused login with what stands in the address' file by now, if that is for the same Redis.
    async fn dial(&self, line: &mut Line) -> Result<MultiplexedConnection, RedisError> {
        let error = match line.client.get_multiplexed_async_connection_with_config(&self.config).await {
            Ok(open) => return Ok(open),
            Err(error) => error,
        };
        if !is_denied(&error) || !line.address.reread() {
            return Err(error);
        }
        match client(&line.address) {
            Ok((client, place)) if place == self.place => line.client = client,
            Ok(_) | Err(_) => return Err(error),
        }
        line.client.get_multiplexed_async_connection_with_config(&self.config).await
    }

    /// It answers, but cannot work now: the next call is a probe, and nobody asks beside it.
    async fn rest(&self, generation: u64, error: &RedisError) {
        let mut line = self.line.lock().await;
        line.failed = Some(error.clone());
        // After a failover the name may lead to another server.
        if error.code() == Some("READONLY") && line.generation == generation {
            line.open = None;
        }
    }

    async fn hang_up(&self, generation: u64) {
        let mut line = self.line.lock().await;
        if line.generation == generation {
            line.open = None;
        }
    }
}

/// How to reach it, and where it is without any secret.
fn client(address: &Address) -> Result<(Client, String), RedisError> {
    let info = address.url().expose_secret().into_connection_info()?;
    let place = place_of(&info);
    let keepalive = TcpKeepalive::new().with_time(KEEPALIVE_IDLE).with_interval(KEEPALIVE_INTERVAL).with_retries(3);
    let tcp = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    Ok((Client::open(info.set_tcp_settings(tcp))?, place))
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
            let refused = Link::open(url.into()).await.expect_err("no such URL");
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
