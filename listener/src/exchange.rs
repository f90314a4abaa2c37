//! The simulated exchange: a local WebSocket server that speaks a provider's own protocol, for demonstrations, tests
//! and benchmarks. It knows nothing of the listener, and the listener does not know that it is not real.
//!
//! ```text
//! source (walk | replay) -> switchboard -> one outbox per connection -> socket
//!            publisher task                     connection task
//! ```
//!
//! One task publishes: it draws from the source what is due, renders each message once, and copies it to the
//! subscribers. The connections only carry bytes. A full outbox makes the publisher wait, so at unlimited speed the
//! slowest reader sets the pace and memory stays bounded.

mod allowance;
mod connection;
mod control;
mod desk;
mod digits;
mod frame;
mod http;
mod options;
mod outbox;
mod pace;
mod protocol;
mod publisher;
mod random;
mod replay;
mod source;
mod stats;
mod stats_file;
mod switchboard;
mod walk;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::clock;
use common::shutdown::Shutdown;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc};
use tracing::{info, warn};

pub use control::{ExchangeControls, ExchangeEnded, Target};
pub use options::{DEFAULT_PORT, ExchangeLimits, ExchangeOptions, ExchangeSource, ReplayOptions, Stamp, WalkOptions};
pub use pace::{BadPace, Rate, Speed};
pub use protocol::{Provider, UnknownProvider};
pub use publisher::AtEnd;
pub use replay::ReplayError;
pub use stats::{ExchangeReport, ExchangeStats};
pub use walk::{Numbered, WALK_SYMBOLS_MAX, numbered_price};

use connection::Shared;
use desk::Desk;
use pace::{Pace, Playback};
use publisher::Publisher;
use replay::Recording;
use source::{Replaying, Source, Waiting, Walking};
use stats::Counters;
use stats_file::StatsFile;
use switchboard::Switchboard;
use walk::Walk;

/// Requests that wait for the publisher.
const COMMANDS_MAX: usize = 1_024;

/// How often the figures are written to the file.
const STATS_INTERVAL: Duration = Duration::from_secs(1);

/// How long to wait after the system could not accept a connection, e.g. for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// How long connections that are not through their handshake may hold up the end.
const LEAVING_MAX: Duration = Duration::from_secs(1);

/// Why an exchange cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// Somebody listens there already.
    #[error("{0} is already in use; choose another port, or port 0 for any free one")]
    InUse(SocketAddr),
    /// The system does not let us listen there.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// No symbol, or more than there can be.
    #[error("{0} symbols cannot be walked, choose 1 to {WALK_SYMBOLS_MAX}")]
    Symbols(usize),
    /// A duration that must not be zero.
    #[error("{0} must be longer than nothing")]
    NoTime(&'static str),
    /// The recording cannot be replayed.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

/// An exchange that listens. Clients can connect; they are served once it [runs](Self::run).
#[derive(Debug)]
pub struct Exchange {
    listener: TcpListener,
    address: SocketAddr,
    symbols: Vec<String>,
    publisher: Publisher,
    shared: Arc<Shared>,
    cut_every: Option<Duration>,
    stats_file: StatsFile,
}

/// Reads the figures of an exchange, while it runs and afterwards.
#[derive(Debug, Clone)]
pub struct StatsHandle(Arc<Counters>);

impl StatsHandle {
    /// The figures of this moment.
    pub fn now(&self) -> ExchangeStats {
        self.0.snapshot()
    }
}

/// Checks the options, opens the recording and binds the port.
pub async fn bind(options: ExchangeOptions) -> Result<Exchange, ExchangeError> {
    let limits = options.limits;
    for (interval, name) in [(limits.ping_interval, "the ping interval"), (limits.pong_max, "the pong limit")] {
        if interval.is_zero() {
            return Err(ExchangeError::NoTime(name));
        }
    }
    if options.cut_every.is_some_and(|every| every.is_zero()) {
        return Err(ExchangeError::NoTime("the interval of cuts"));
    }
    let counters = Arc::new(Counters::default());
    let (source, symbols) = source(options.source, options.provider, &counters)?;
    let desk = Arc::new(Desk::new(symbols.clone(), options.credential, options.refused));
    let listener = TcpListener::bind(options.listen).await.map_err(|source| {
        if source.kind() == io::ErrorKind::AddrInUse {
            ExchangeError::InUse(options.listen)
        } else {
            ExchangeError::Listen { address: options.listen, source }
        }
    })?;
    let address = listener.local_addr().map_err(|source| ExchangeError::Listen { address: options.listen, source })?;
    let room = Arc::new(Notify::new());
    let (commands, received) = mpsc::channel(COMMANDS_MAX);
    let mut board = Switchboard::new(options.provider, options.resend, Arc::clone(&counters));
    if matches!(source, Source::Replay(_)) {
        board.expect_recording();
    }
    let publisher = Publisher {
        commands: received,
        board,
        source,
        counters: Arc::clone(&counters),
        room: Arc::clone(&room),
        slow_reader_max: limits.slow_reader_max,
        at_end: options.at_end,
        ending: None,
    };
    let shared = Arc::new(Shared { provider: options.provider, desk, limits, commands, counters, room });
    let stats_file = StatsFile::new(options.stats_file);
    Ok(Exchange { listener, address, symbols, publisher, shared, cut_every: options.cut_every, stats_file })
}

fn source(
    source: ExchangeSource,
    provider: Provider,
    counters: &Arc<Counters>,
) -> Result<(Source, Vec<String>), ExchangeError> {
    match source {
        ExchangeSource::Walk(options) => {
            if !(1..=WALK_SYMBOLS_MAX).contains(&options.symbols) {
                return Err(ExchangeError::Symbols(options.symbols));
            }
            let mut walk = Walk::new(options.symbols, options.seed, |n, asset| provider.0.symbol(n, asset));
            if options.numbered {
                walk.number();
            }
            let symbols = walk.names().map(str::to_owned).collect();
            let walking = Walking::new(walk, Pace::new(options.rate), &options);
            Ok((Source::Walk(Box::new(walking)), symbols))
        }
        ExchangeSource::Replay(options) => {
            let recording = Recording::open(&options.path)?;
            let waiting = Waiting {
                connections: options.wait_for_connections,
                streams: options.wait_for_streams,
                hold: options.hold,
            };
            let lines = recording.read(provider);
            let replaying = Replaying::new(lines, Playback::new(options.speed), waiting, Arc::clone(counters));
            Ok((Source::Replay(Box::new(replaying)), Vec::new()))
        }
    }
}

impl Exchange {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where clients connect, without a path.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// The symbols of a walk; none for a recording.
    pub fn symbols(&self) -> &[String] {
        &self.symbols
    }

    /// A handle on the figures.
    pub fn stats(&self) -> StatsHandle {
        StatsHandle(Arc::clone(&self.shared.counters))
    }

    /// The controls.
    pub fn controls(&self) -> ExchangeControls {
        ExchangeControls { commands: self.shared.commands.clone(), desk: Arc::clone(&self.shared.desk) }
    }

    /// Serves clients until the shutdown begins, or until the source has ended if that is wanted.
    pub async fn run(self, shutdown: Shutdown) -> ExchangeReport {
        let Self { listener, address, symbols: _, publisher, shared, cut_every, mut stats_file } = self;
        let counters = Arc::clone(&shared.counters);
        let controls = ExchangeControls { commands: shared.commands.clone(), desk: Arc::clone(&shared.desk) };
        let started = clock::monotonic();
        if !address.ip().is_loopback() {
            warn!("the exchange listens on {address}, where other machines may reach it; it asks nobody who they are");
        }
        info!("exchange listening on ws://{address}");
        let tasks = Shutdown::new();
        let mut publishing = tasks.spawn("exchange publisher", publisher.run(shutdown));
        let mut stats_due = tokio::time::interval(STATS_INTERVAL);
        let mut cut_due =
            cut_every.map(|every| tokio::time::interval_at(tokio::time::Instant::from_std(started + every), every));
        let mut next_id = 1;
        loop {
            tokio::select! {
                _ = &mut publishing => break,
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => admit(stream, &mut next_id, &shared, &tasks),
                    Err(error) => {
                        warn!(%error, "cannot accept a connection, trying again");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
                _ = stats_due.tick() => stats_file.write(&report(address, &counters, started)).await,
                () = tick(cut_due.as_mut()) => {
                    info!("cutting all connections, as asked");
                    // An exchange that has ended has none.
                    _ = controls.cut(Target::Everyone).await;
                }
            }
        }
        drop(listener);
        tasks.begin();
        if !tasks.drained(LEAVING_MAX).await {
            info!("left a client in the middle of its handshake");
        }
        let report = report(address, &counters, started);
        stats_file.write(&report).await;
        report
    }
}

fn admit(stream: TcpStream, next_id: &mut u64, shared: &Arc<Shared>, tasks: &Shutdown) {
    if shared.limits.connections <= shared.counters.connections.load(Ordering::Relaxed) {
        Counters::add(&shared.counters.refused, 1);
        return;
    }
    let id = *next_id;
    *next_id += 1;
    tasks.spawn("exchange connection", connection::serve(id, stream, Arc::clone(shared)));
}

/// Completes at the next tick, or never without an interval.
async fn tick(interval: Option<&mut tokio::time::Interval>) {
    match interval {
        Some(interval) => _ = interval.tick().await,
        None => std::future::pending().await,
    }
}

fn report(address: SocketAddr, counters: &Counters, started: Instant) -> ExchangeReport {
    ExchangeReport::new(address, counters.snapshot(), started.elapsed())
}
