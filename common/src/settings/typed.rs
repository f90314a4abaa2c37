//! The settings as the program uses them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::credentials::CredentialSettings;
use super::overflow::Overflow;
use super::resolve::Resolved;
use crate::Address;
use crate::broker::shards::GroupName;
use crate::feed::described::Description;
use crate::market::Aliases;
use crate::masters::Source;
use crate::queue::QueueName;
use crate::retry::Backoff;
use crate::store::{StoreOptions, UnknownTicker};

/// All settings, checked.
#[derive(Debug, Clone)]
#[expect(missing_docs, reason = "one field per section of the table")]
pub struct Settings {
    /// Folder of the embedded queue, the embedded store and the spool.
    pub data_dir: PathBuf,
    pub broker: BrokerSettings,
    pub store: StoreSettings,
    pub queue: QueueSettings,
    pub instruments: InstrumentSettings,
    pub listener: ListenerSettings,
    pub credentials: CredentialSettings,
    pub worker: WorkerSettings,
    pub start: StartSettings,
    pub health: HealthSettings,
    pub market: MarketSettings,
    pub log: LogSettings,
    /// Feeds that the settings file describes.
    pub feeds: Vec<Description>,
}

/// `[broker]`
#[derive(Debug, Clone)]
pub struct BrokerSettings {
    /// Where the queue lives.
    pub url: SecretString,
    /// The file that the URL was read from.
    pub url_file: Option<PathBuf>,
}

impl BrokerSettings {
    /// How to open the broker.
    pub fn address(&self) -> Address {
        Address::new(self.url.clone(), self.url_file.clone())
    }
}

/// `[store]`
#[derive(Debug, Clone)]
pub struct StoreSettings {
    /// Where prices are stored.
    pub url: SecretString,
    /// The file that the URL was read from.
    pub url_file: Option<PathBuf>,
    /// Connections one process keeps at most.
    pub connections: u32,
    /// Keep every tick.
    pub history: bool,
    /// What to do with a ticker that `ticker_base` does not know.
    pub unknown_ticker: UnknownTicker,
}

impl StoreSettings {
    /// Where to open the store.
    pub fn address(&self) -> Address {
        Address::new(self.url.clone(), self.url_file.clone())
    }

    /// How to open the store.
    pub fn options(&self) -> StoreOptions {
        StoreOptions { connections: self.connections }
    }
}

/// `[queue]`
#[derive(Debug, Clone)]
pub struct QueueSettings {
    /// The queue that listeners fill and workers empty.
    pub name: QueueName,
    /// Tasks that may wait.
    pub waiting_max: u64,
    /// Ticks older than this expire; `None` keeps them however old.
    pub age_max: Option<Duration>,
}

/// `[instruments]`
#[derive(Debug, Clone, Default)]
pub struct InstrumentSettings {
    /// Symbol masters to load.
    pub masters: Vec<Source>,
    /// How old a downloaded master may be.
    pub refresh: Duration,
    /// Underlyings to store under another name.
    pub aliases: Aliases,
}

/// `[listener]`
#[derive(Debug, Clone)]
pub struct ListenerSettings {
    /// The provider to read.
    pub feed: String,
    /// Who shares the list of symbols; `None` means those who read the feed.
    pub group: Option<GroupName>,
    /// Address to connect to instead of the provider's own.
    pub endpoint: Option<String>,
    /// Address of the provider's HTTP API instead of its own.
    pub http_endpoint: Option<String>,
    /// While the market is open, a connection without data for this long is opened again; `None`: the feed's limit.
    pub data_age_max: Option<Duration>,
    /// Symbols to subscribe, as the provider spells them.
    pub symbols: Vec<String>,
    /// Channels to subscribe; empty means the feed's usual ones.
    pub channels: Vec<String>,
    /// Symbols one connection carries.
    pub symbols_per_connection: usize,
    /// Symbols one listener carries at most.
    pub max_symbols: usize,
    /// Pause between opening two connections.
    pub connection_delay: Duration,
    /// How often a summary of the connections is logged.
    pub monitor_interval: Duration,
    /// What happens when the buffer or the queue is full.
    pub overflow: Overflow,
    /// Messages read but not yet accepted, at most.
    pub buffer_max: usize,
    /// Bytes of these messages, at most.
    pub buffer_bytes: usize,
    /// Bytes that one listener may keep on disk.
    pub spool_max: u64,
    /// File to which accepted messages are written down.
    pub accepted_log: Option<PathBuf>,
    /// File to which latencies are written.
    pub latency_log: Option<PathBuf>,
    /// Subscribe the feed's smallest messages.
    pub litemode: bool,
}

/// `[worker]`
#[derive(Debug, Clone)]
pub struct WorkerSettings {
    /// Batches worked on at once.
    pub concurrency: u32,
    /// Tasks of a batch at most.
    pub batch_tasks: u32,
    /// Bytes of a batch, about.
    pub batch_bytes: u32,
    /// A batch whose worker is silent for this long goes to another worker.
    pub lease: Duration,
    /// Attempts to store a tick before it is a dead letter.
    pub attempts_max: u32,
    /// Delays between the attempts.
    pub retry: Backoff,
    /// Time to finish the batches at hand when asked to stop.
    pub drain: Duration,
    /// File to which latencies are written.
    pub latency_log: Option<PathBuf>,
}

/// `[start]`
#[derive(Debug, Clone)]
pub struct StartSettings {
    /// Worker processes.
    pub workers: u32,
    /// Symbols of the simulated exchange.
    pub symbols: u32,
    /// Connections to the simulated exchange.
    pub connections: u32,
    /// Messages per second of the simulated exchange.
    pub rate: u32,
}

/// `[health]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HealthSettings {
    /// Where to answer health checks; `None` for nowhere.
    pub listen: Option<SocketAddr>,
}

/// `[market]`
#[derive(Debug, Clone)]
pub struct MarketSettings {
    /// A file with trading days of the user's own.
    pub calendar: Option<PathBuf>,
}

/// `[log]`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A level, or a filter per part.
    pub level: String,
    /// How lines look.
    pub format: LogFormat,
}

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    /// Text on a terminal, JSON elsewhere.
    #[default]
    Auto,
    /// For people.
    Text,
    /// For machines.
    Json,
}

impl Settings {
    /// From values that all passed their kind's check. Described feeds are no values and come on top.
    pub(super) fn from_resolved(from: &Resolved) -> Self {
        Self {
            data_dir: from.text("data_dir").into(),
            broker: BrokerSettings { url: from.secret("broker.url"), url_file: from.secret_file("broker.url") },
            store: StoreSettings {
                url: from.secret("store.url"),
                url_file: from.secret_file("store.url"),
                connections: from.count("store.connections"),
                history: from.flag("store.history"),
                unknown_ticker: unknown_ticker(&from.text("store.unknown_ticker")),
            },
            queue: QueueSettings {
                name: from.text("queue.name").parse().expect("its kind has parsed it before"),
                waiting_max: from.count("queue.waiting_max"),
                age_max: Some(from.time("queue.age_max")).filter(|age| !age.is_zero()),
            },
            instruments: instruments(from),
            listener: listener(from),
            credentials: CredentialSettings::from_resolved(from),
            worker: WorkerSettings {
                concurrency: from.count("worker.concurrency"),
                batch_tasks: from.count("worker.batch_tasks"),
                batch_bytes: from.count("worker.batch_bytes"),
                lease: from.time("worker.lease"),
                attempts_max: from.count("worker.attempts_max"),
                retry: Backoff {
                    first: from.time("worker.retry_first"),
                    longest: from.time("worker.retry_longest"),
                    times: Some(from.count("worker.attempts_max")),
                },
                drain: from.time("worker.drain"),
                latency_log: path(from, "worker.latency_log"),
            },
            start: StartSettings {
                workers: from.count("start.workers"),
                symbols: from.count("start.symbols"),
                connections: from.count("start.connections"),
                rate: from.count("start.rate"),
            },
            health: HealthSettings { listen: from.text("health.listen").parse().ok() }, // its kind has parsed it
            market: MarketSettings {
                calendar: Some(from.text("market.calendar")).filter(|path| !path.is_empty()).map(Into::into),
            },
            log: LogSettings { level: from.text("log.level"), format: log_format(&from.text("log.format")) },
            feeds: Vec::new(),
        }
    }
}

fn instruments(from: &Resolved) -> InstrumentSettings {
    let sources = from.list("instruments.masters");
    let aliases = from.list("instruments.aliases");
    InstrumentSettings {
        masters: sources.iter().map(|word| word.parse().expect("its kind has parsed it before")).collect(),
        refresh: from.time("instruments.refresh"),
        aliases: Aliases::parse(aliases.iter().map(String::as_str)).expect("its kind has parsed them before"),
    }
}

fn listener(from: &Resolved) -> ListenerSettings {
    ListenerSettings {
        feed: from.text("listener.feed"),
        group: from.text("listener.group").parse().ok(), // its kind has parsed it before, or it is empty
        endpoint: Some(from.text("listener.endpoint")).filter(|endpoint| !endpoint.is_empty()),
        http_endpoint: Some(from.text("listener.http_endpoint")).filter(|endpoint| !endpoint.is_empty()),
        symbols: from.list("listener.symbols"),
        channels: from.list("listener.channels"),
        symbols_per_connection: from.count("listener.symbols_per_connection"),
        max_symbols: from.count("listener.max_symbols"),
        connection_delay: from.time("listener.connection_delay"),
        monitor_interval: from.time("listener.monitor_interval"),
        overflow: from.text("listener.overflow").parse().expect("its kind has checked the word before"),
        buffer_max: from.count("listener.buffer_max"),
        buffer_bytes: from.count("listener.buffer_bytes"),
        data_age_max: Some(from.time("listener.data_age_max")).filter(|age| !age.is_zero()),
        spool_max: from.count("listener.spool_max"),
        accepted_log: path(from, "listener.accepted_log"),
        latency_log: path(from, "listener.latency_log"),
        litemode: from.flag("listener.litemode"),
    }
}

fn path(from: &Resolved, key: &str) -> Option<PathBuf> {
    Some(from.text(key)).filter(|path| !path.is_empty()).map(Into::into)
}

fn unknown_ticker(word: &str) -> UnknownTicker {
    match word {
        "skip" => UnknownTicker::Skip,
        "dead" => UnknownTicker::Dead,
        _ => UnknownTicker::Create,
    }
}

fn log_format(word: &str) -> LogFormat {
    match word {
        "text" => LogFormat::Text,
        "json" => LogFormat::Json,
        _ => LogFormat::Auto,
    }
}
