//! What a listener is asked to do. Every limit has a name and a default here.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::broker::shards::GroupName;
use common::credentials::Vault;
use common::feed::Feed;
use common::market::{Calendar, OrderKey};
use common::masters::Catalogs;
use common::queue::QueueName;
use common::retry::Backoff;
pub use common::settings::{BadOverflow, Overflow};
use tokio::sync::watch;

use crate::recorder::Recorder;
use secrecy::SecretString;

/// What [`run`](crate::run) needs to know.
#[derive(Debug, Clone)]
pub struct ListenerOptions {
    /// The provider.
    pub feed: &'static dyn Feed,
    /// Where to connect instead of the feed's own endpoint, e.g. `ws://127.0.0.1:9443`.
    pub endpoint: Option<String>,
    /// Where the provider's HTTP API is instead of the feed's own address. Not given but `endpoint` is: the same host.
    pub http_endpoint: Option<String>,
    /// Where the account's key or token is read at every attempt, for feeds that want one.
    pub vault: Option<Arc<Vault>>,
    /// Without a vault: a key that never changes.
    pub credential: Option<SecretString>,
    /// When markets trade.
    pub calendar: Arc<Calendar>,
    /// What symbol masters know.
    pub catalog: Catalogs,
    /// Listeners of one group share their symbols; `None` is the feed's name.
    pub group: Option<GroupName>,
    /// The symbols, as the provider spells them, or contracts that roll, as `NSE:RELIANCE:FUT:near`.
    pub symbols: Vec<String>,
    /// The feed's channels; none means its default channels.
    pub channels: Vec<String>,
    /// Without channels: the provider's smallest messages instead of its usual ones.
    pub lite: bool,
    /// How symbols are split over connections.
    pub shards: ShardLimits,
    /// Where the tasks go.
    pub queue: QueueName,
    /// What may gather while the broker does not accept.
    pub buffer: BufferLimits,
    /// Where the policy `spool` keeps messages; what an earlier process left there is handed over under any policy.
    pub spool: Option<SpoolOptions>,
    /// What one enqueue may carry.
    pub enqueue: EnqueueLimits,
    /// Timings of a connection.
    pub link: LinkTimes,
    /// Where accepted messages are written down for audits; `None` costs nothing.
    pub accepted_log: Option<PathBuf>,
    /// Where latencies are written; `None` costs nothing.
    pub latency_log: Option<PathBuf>,
    /// Where every received frame is written as well.
    pub recorder: Option<Arc<Recorder>>,
    /// How often the presence record is written. It is kept five times as long.
    pub beat_interval: Duration,
    /// How often the totals are logged.
    pub monitor_interval: Duration,
    /// Later values of `symbols`; `None` where they stay.
    pub symbols_latest: Option<watch::Receiver<Vec<String>>>,
    /// Where to answer health checks.
    pub health: Option<SocketAddr>,
    /// How long a stopping listener tries to hand over what it has read.
    pub drain_grace: Duration,
}

impl ListenerOptions {
    /// These symbols of this feed with default limits.
    pub fn new(feed: &'static dyn Feed, queue: QueueName, symbols: Vec<String>) -> Self {
        Self {
            feed,
            group: None,
            endpoint: None,
            http_endpoint: None,
            vault: None,
            credential: None,
            calendar: Arc::new(Calendar::builtin()),
            catalog: Catalogs::default(),
            symbols,
            channels: Vec::new(),
            lite: false,
            shards: ShardLimits::default(),
            queue,
            buffer: BufferLimits::default(),
            spool: None,
            enqueue: EnqueueLimits::default(),
            link: LinkTimes::default(),
            accepted_log: None,
            latency_log: None,
            recorder: None,
            beat_interval: Duration::from_secs(1),
            monitor_interval: Duration::from_secs(30),
            health: None,
            symbols_latest: None,
            drain_grace: Duration::from_secs(5),
        }
    }

    /// Where to connect.
    pub(crate) fn socket_endpoint(&self) -> &str {
        self.endpoint.as_deref().unwrap_or_else(|| self.feed.endpoints().socket).trim_end_matches('/')
    }

    /// Where errands go.
    pub(crate) fn http_endpoint(&self) -> Cow<'_, str> {
        let given = match (&self.http_endpoint, &self.endpoint) {
            (Some(http), _) => http.as_str().into(),
            // ws:// -> http://, wss:// -> https://
            (None, Some(socket)) => socket.replacen("ws", "http", 1).into(),
            (None, None) => Cow::Borrowed(self.feed.endpoints().http),
        };
        match given {
            Cow::Borrowed(text) => Cow::Borrowed(text.trim_end_matches('/')),
            Cow::Owned(text) => Cow::Owned(text.trim_end_matches('/').to_owned()),
        }
    }

    /// The channels to subscribe.
    pub(crate) fn channels(&self) -> Vec<String> {
        let own = |channels: &[&str]| channels.iter().map(|&channel| channel.to_owned()).collect();
        match (self.channels.is_empty(), self.lite) {
            (false, _) => self.channels.clone(),
            (true, true) => own(self.feed.lite_channels()),
            (true, false) => own(self.feed.default_channels()),
        }
    }
}

/// How symbols are split over connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ShardLimits {
    /// Symbols one connection carries at most; the feed's stream limit may allow fewer.
    pub symbols_per_connection: usize,
    /// Symbols this listener carries at most. The remainder is refused by name.
    pub symbols_max: usize,
    /// Time between opening two connections at start; the first opens at once.
    pub connection_delay: Duration,
}

impl Default for ShardLimits {
    fn default() -> Self {
        Self { symbols_per_connection: 50, symbols_max: 250, connection_delay: Duration::from_secs(3) }
    }
}

/// What may gather in memory while the broker does not accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BufferLimits {
    /// Messages.
    pub messages_max: usize,
    /// Bytes of their tasks.
    pub bytes_max: usize,
    /// What happens beyond that.
    pub overflow: Overflow,
}

impl Default for BufferLimits {
    fn default() -> Self {
        Self { messages_max: 200_000, bytes_max: 256 << 20, overflow: Overflow::Merge }
    }
}

/// Where and how much may be kept on disk while the broker does not accept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpoolOptions {
    /// The folder, shared by all listeners of a machine.
    pub folder: PathBuf,
    /// Bytes of this listener's spool, about.
    pub bytes_max: u64,
}

/// What one enqueue may carry, and what the queue may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EnqueueLimits {
    /// Tasks of one enqueue.
    pub tasks_max: usize,
    /// Bytes of one enqueue; a single larger task still goes alone.
    pub bytes_max: usize,
    /// Tasks that may wait on the queue; beyond that the broker refuses and the buffer fills.
    pub waiting_max: u64,
    /// How long an enqueue may take before its outcome counts as unknown and it is repeated.
    pub patience: Duration,
}

impl Default for EnqueueLimits {
    fn default() -> Self {
        Self { tasks_max: 1_000, bytes_max: 4 << 20, waiting_max: 1_000_000, patience: Duration::from_secs(10) }
    }
}

/// Timings of a connection. What the provider prescribes (silence, pings, intervals) comes from the feed's limits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinkTimes {
    /// From the first packet to the end of the WebSocket handshake.
    pub connect_max: Duration,
    /// A subscription not confirmed within this time is asked for again, once.
    pub confirm_max: Duration,
    /// While the market is open, a connection without data for this long is opened again; `None` for the feed's own
    /// limit.
    pub data_age_max: Option<Duration>,
    /// Delays between attempts.
    pub reconnect: Backoff,
    /// A session that lasted this long makes the next attempt a first one again.
    pub stable_after: Duration,
    /// Last place within an epoch. Lower than [`OrderKey::SEQ_MAX`] only to see the change of epochs.
    pub seq_max: u32,
}

impl Default for LinkTimes {
    fn default() -> Self {
        Self {
            connect_max: Duration::from_secs(10),
            confirm_max: Duration::from_secs(10),
            data_age_max: None,
            reconnect: Backoff { first: Duration::from_millis(250), longest: Duration::from_secs(30), times: None },
            stable_after: Duration::from_secs(30),
            seq_max: OrderKey::SEQ_MAX,
        }
    }
}
