//! The one table of settings: parsing, `config show` and `docs/configuration.md` follow from it.

use std::time::Duration;

use super::environment::Environment;
use super::kind::Kind;
use crate::queue::Take;

/// One setting.
#[derive(Debug, Clone, Copy)]
pub struct Setting {
    /// `section.key`, or the key alone at the top of the file.
    pub key: &'static str,
    /// Other names of the last part, from the replaced system.
    pub aliases: &'static [&'static str],
    /// Other environment variables that are honoured, after our own.
    pub variables: &'static [&'static str],
    /// What its value may be.
    pub kind: Kind,
    /// As it would be written in the environment. `{data_dir}` stands for that setting's value.
    pub default: &'static str,
    /// What it does, with its unit.
    pub doc: &'static str,
}

impl Setting {
    /// The section, empty at the top of the file.
    pub fn section(&self) -> &'static str {
        self.key.split_once('.').map_or("", |(section, _)| section)
    }

    /// The key within its section.
    pub fn name(&self) -> &'static str {
        self.key.split_once('.').map_or(self.key, |(_, name)| name)
    }

    /// Whether its value may hold a password or is one: never shown, never a flag, and readable from a file of its own.
    pub fn is_secret(&self) -> bool {
        matches!(self.kind, Kind::Url(_) | Kind::OptionalUrl(_) | Kind::Hidden)
    }

    /// Its own environment variable, e.g. `TIDEMILL_WORKER__CONCURRENCY`.
    pub fn variable(&self) -> String {
        format!("{PREFIX}{}", self.key.replace('.', "__").to_ascii_uppercase())
    }
}

/// All our environment variables begin with this.
pub(super) const PREFIX: &str = "TIDEMILL_";

const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const fn count(min: u64, max: u64) -> Kind {
    Kind::Count { min, max }
}

const fn time(min: Duration, max: Duration) -> Kind {
    Kind::Time { min, max }
}

const fn setting(key: &'static str, kind: Kind, default: &'static str, doc: &'static str) -> Setting {
    Setting { key, aliases: &[], variables: &[], kind, default, doc }
}

const BROKERS: Kind = Kind::Url(&["redis://", "rediss://", "sqlite:"]);
const STORES: Kind = Kind::Url(&["postgres://", "postgresql://", "sqlite:"]);
const TOKEN_SERVERS: Kind = Kind::OptionalUrl(&["https://", "http://"]);
const UNKNOWN_TICKER: Kind = Kind::Choice(&["create", "skip", "dead"]);
const OVERFLOW: Kind = Kind::Choice(&["merge", "spool", "block", "drop_oldest"]);
const BUFFER_BYTES: Kind = Kind::Bytes { min: 1 << 20, max: 64 << 30 };
const SPOOL_BYTES: Kind = Kind::Bytes { min: 1 << 20, max: 1 << 40 };
const BATCH_BYTES: Kind = Kind::Bytes { min: 1 << 10, max: 64 << 20 };

/// All settings, in the order of the file.
#[rustfmt::skip] // one row, one setting
pub const TABLE: &[Setting] = &[
    setting("data_dir", Kind::Path, "./tidemill-data", "Folder of the embedded queue, the embedded store and the spool"),

    Setting { variables: &["REDIS_URL"],
        ..setting("broker.url", BROKERS, "sqlite:{data_dir}/queue.db", "Where the queue lives") },

    Setting { variables: &["DATABASE_URL"],
        ..setting("store.url", STORES, "sqlite:{data_dir}/market.db", "Where prices are stored") },
    setting("store.connections", count(1, 500), "5", "Connections one process keeps to the store at most; SQLite uses one"),
    setting("store.history", Kind::Flag, "false", "Keep every tick in `tick_history`, besides the newest price"),
    setting("store.unknown_ticker", UNKNOWN_TICKER, "create", "What to do with a ticker that `ticker_base` does not know"),

    setting("queue.name", Kind::Queue, "websocket_data", "The queue that listeners fill and workers empty"),
    setting("queue.waiting_max", count(1, 1_000_000_000), "1000000", "Tasks that may wait; beyond this the overflow policy of the listener acts"),
    setting("queue.age_max", time(Duration::ZERO, DAY), "0s", "Ticks older than this expire unstored; 0 keeps them however old"),

    setting("instruments.masters", Kind::Masters, "", "Symbol masters to load; a feed may have several files"),
    setting("instruments.refresh", time(Duration::from_mins(1), Duration::from_hours(24 * 7)), "24h", "How old a downloaded master may be before it is downloaded again"),
    setting("instruments.aliases", Kind::Aliases, "", "Underlyings to store under another name; `indices` gives indices the names of their derivatives"),

    setting("listener.feed", Kind::Text, "binance", "The provider to read"),
    setting("listener.group", Kind::Group, "", "Listeners of one group share one list of symbols; not set means the feed's name"),
    setting("listener.endpoint", Kind::Text, "", "Address to connect to instead of the provider's own"),
    setting("listener.http_endpoint", Kind::Text, "", "Address of the provider's HTTP API instead of its own; if only `endpoint` is set, the same host"),
    setting("listener.symbols", Kind::List, "", "Symbols to subscribe, as the provider spells them"),
    setting("listener.channels", Kind::List, "", "Channels to subscribe; empty means the feed's usual ones"),
    Setting { aliases: &["stocks_per_connection"],
        ..setting("listener.symbols_per_connection", count(1, 10_000), "50", "Symbols one connection carries") },
    Setting { aliases: &["max_stocks"],
        ..setting("listener.max_symbols", count(1, 1_000_000), "250", "Symbols one listener carries at most") },
    setting("listener.connection_delay", time(Duration::ZERO, HOUR), "3s", "Pause between opening two connections"),
    setting("listener.data_age_max", time(Duration::ZERO, DAY), "0s", "While the market is open, a connection without data for this long is opened again; 0 takes the feed's own limit"),
    setting("listener.monitor_interval", time(Duration::from_secs(1), DAY), "30s", "How often the listener logs a summary of its connections"),
    setting("listener.overflow", OVERFLOW, "merge", "What happens when the buffer or the queue is full"),
    setting("listener.buffer_max", count(1, 10_000_000), "200000", "Messages read but not yet accepted by the queue, at most"),
    setting("listener.buffer_bytes", BUFFER_BYTES, "256MiB", "Bytes of these messages, at most"),
    setting("listener.spool_max", SPOOL_BYTES, "1GiB", "With `overflow = \"spool\"`, what one listener may keep on disk while the queue does not accept; see docs/spool.md"),
    setting("listener.accepted_log", Kind::Text, "", "File to which every accepted message's queue, producer, batch, epoch and seq are appended, for audits"),
    setting("listener.latency_log", Kind::Text, "", "File to which latencies are appended, one HDR histogram per stage and second; see docs/performance.md"),
    setting("listener.litemode", Kind::Flag, "false", "Subscribe the feed's smallest messages: last prices only"),

    setting("credentials.file", Kind::Text, "", "File that holds the provider's token and nothing else; read anew at every attempt"),
    setting("credentials.variable", Kind::Text, Environment::TOKEN_VARIABLE, "Environment variable that holds the token. A running process never sees a new value"),
    setting("credentials.table", Kind::Flag, "true", "Read the token from the table `access_token` of the store, where `tidemill token set` puts it"),
    setting("credentials.legacy_table", Kind::Text, "", "Table of the replaced system with columns `id` and `value`, e.g. `dashboard_accesstoken`"),
    setting("credentials.command", Kind::List, "", "Program and arguments, run without a shell; the first line that it prints is the token"),
    setting("credentials.url", TOKEN_SERVERS, "", "Address that answers with JSON that holds the token"),
    setting("credentials.url_method", Kind::Choice(&["get", "post"]), "get", "How that address is asked"),
    setting("credentials.url_authorization", Kind::Hidden, "", "Header `Authorization` of that request, e.g. `Bearer ...`"),
    setting("credentials.url_body", Kind::Hidden, "", "JSON that a `post` sends"),
    setting("credentials.url_pointer", Kind::Text, "/access_token", "Where the token is in the answer, as a JSON pointer, e.g. `/data/access_token`"),

    setting("worker.concurrency", count(1, 256), "16", "Batches one worker works on at once; their commits take turns, and those that wait are committed together"),
    setting("worker.batch_tasks", count(1, Take::TASKS_LIMIT as u64), "2000", "Tasks of a batch at most; no batch waits to be filled, and a worker asks for fewer while the store is slow"),
    setting("worker.batch_bytes", BATCH_BYTES, "2MiB", "Bytes of a batch, about"),
    setting("worker.lease", time(Duration::from_secs(2), HOUR), "15s", "A batch whose worker is silent for this long goes to another worker"),
    setting("worker.attempts_max", count(1, 1_000), "5", "Attempts to store a tick before it is a dead letter"),
    setting("worker.retry_first", time(Duration::from_millis(1), HOUR), "1s", "Delay before the first retry; it doubles with each further one"),
    setting("worker.retry_longest", time(Duration::from_millis(1), DAY), "60s", "No delay between retries is longer"),
    setting("worker.drain", time(Duration::ZERO, HOUR), "20s", "Time to finish the batches at hand when asked to stop"),
    setting("worker.latency_log", Kind::Text, "", "File to which latencies are appended, one HDR histogram per stage and second; see docs/performance.md"),

    setting("start.workers", count(0, 64), "1", "Worker processes that `start` runs"),
    setting("start.symbols", count(1, 100_000), "250", "Symbols of the simulated exchange"),
    setting("start.connections", count(1, 1_000), "5", "Connections to the simulated exchange"),
    setting("start.rate", count(1, 10_000_000), "2000", "Messages per second of the simulated exchange, all connections together"),

    setting("health.listen", Kind::Listen, "", "Where listener and worker answer `/livez` and `/readyz`, e.g. `127.0.0.1:9465`; one port per process"),

    setting("market.calendar", Kind::Text, "", "File with trading days of your own, which replace the built-in ones; see docs/calendar.md"),

    Setting { variables: &["RUST_LOG"],
        ..setting("log.level", Kind::LogFilter, "info", "Least important log lines that are shown, or a filter per part") },
    setting("log.format", Kind::Choice(&["auto", "text", "json"]), "auto", "`auto`: text on a terminal, JSON elsewhere"),
];

/// The setting with this full key; aliases are understood.
pub fn by_key(key: &str) -> Option<&'static Setting> {
    let (section, name) = key.split_once('.').unwrap_or(("", key));
    TABLE.iter().find(|setting| setting.section() == section && is_named(setting, name))
}

/// The setting that an environment variable sets, and whether through a file (`..._FILE`).
pub(super) fn by_variable(variable: &str) -> Option<(&'static Setting, bool)> {
    if let Some(setting) = by_exact_variable(variable) {
        return Some((setting, false));
    }
    let setting = variable.strip_suffix("_FILE").and_then(by_exact_variable)?;
    setting.is_secret().then_some((setting, true))
}

fn by_exact_variable(variable: &str) -> Option<&'static Setting> {
    if let Some(setting) = TABLE.iter().find(|setting| setting.variables.contains(&variable)) {
        return Some(setting);
    }
    let own = variable.strip_prefix(PREFIX)?;
    // Upper case only: two variables that differ in case must not set one key.
    (own == own.to_ascii_uppercase()).then(|| own.to_ascii_lowercase().replace("__", ".")).and_then(|key| by_key(&key))
}

fn is_named(setting: &Setting, name: &str) -> bool {
    setting.name() == name || setting.aliases.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_default_is_allowed_and_every_key_is_said_once() {
        for (index, setting) in TABLE.iter().enumerate() {
            assert!(setting.kind.read(setting.default).is_some(), "{}", setting.key);
            assert!(!setting.doc.is_empty() && !setting.doc.ends_with('.'), "{}", setting.key);
            assert!(TABLE[index + 1..].iter().all(|other| other.key != setting.key), "{}", setting.key);
        }
    }

    #[test]
    fn variables_lead_to_their_settings() {
        for (variable, found) in [
            ("TIDEMILL_WORKER__CONCURRENCY", Some(("worker.concurrency", false))),
            ("TIDEMILL_LISTENER__STOCKS_PER_CONNECTION", Some(("listener.symbols_per_connection", false))),
            ("TIDEMILL_DATA_DIR", Some(("data_dir", false))),
            ("REDIS_URL", Some(("broker.url", false))),
            ("REDIS_URL_FILE", Some(("broker.url", true))),
            ("TIDEMILL_STORE__URL_FILE", Some(("store.url", true))),
            ("TIDEMILL_WORKER__CONCURRENCY_FILE", None),
            ("tidemill_worker__concurrency", None),
            ("TIDEMILL_worker__concurrency", None),
        ] {
            let got = by_variable(variable).map(|(setting, file)| (setting.key, file));
            assert_eq!(got, found, "{variable}");
        }
    }
}
