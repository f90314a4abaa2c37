//! What an exchange is asked to be.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::pace::{Rate, Speed};
use super::protocol::Provider;
use super::publisher::AtEnd;

/// The port that Binance uses, too.
pub const DEFAULT_PORT: u16 = 9443;

/// Messages per second of a walk.
const DEFAULT_RATE: NonZeroU32 = NonZeroU32::new(2_000).expect("2,000 is not zero");

/// What an exchange is asked to be.
#[derive(Debug, Clone)]
pub struct ExchangeOptions {
    /// Whose protocol it speaks.
    pub provider: Provider,
    /// Where it listens; port 0 takes any free one. Whoever can connect can listen, so the default is this machine.
    pub listen: SocketAddr,
    /// Where its messages come from.
    pub source: ExchangeSource,
    /// What it does when its source has nothing more.
    pub at_end: AtEnd,
    /// A test aid, 0 is off: so many of a stream's newest messages are kept, and sent again to its next subscriber
    /// after a connection broke. Messages that the broken connection's client had not read are lost without it, as in
    /// real life; with it nothing is, if fewer were on their way.
    pub resend: usize,
    /// What it allows its clients.
    pub limits: ExchangeLimits,
    /// The one credential that is admitted, for providers that want one; `None` admits any.
    pub credential: Option<String>,
    /// Symbols that are refused when they are subscribed.
    pub refused: Vec<String>,
    /// Cuts all connections every so often.
    pub cut_every: Option<Duration>,
    /// Where the figures are written, every second and at the end.
    pub stats_file: Option<PathBuf>,
}

impl ExchangeOptions {
    /// The same for another provider, with its limits.
    #[must_use]
    pub fn of(self, provider: Provider) -> Self {
        Self { provider, limits: provider.limits(), ..self }
    }

    /// An exchange on a free port of this machine, as strict as the real one.
    pub fn new(source: ExchangeSource) -> Self {
        Self {
            provider: Provider::default(),
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            source,
            at_end: AtEnd::Stay,
            resend: 0,
            limits: ExchangeLimits::default(),
            credential: None,
            refused: Vec::new(),
            cut_every: None,
            stats_file: None,
        }
    }
}

/// Where messages come from.
#[derive(Debug, Clone)]
pub enum ExchangeSource {
    /// A made-up market.
    Walk(WalkOptions),
    /// A recording.
    Replay(ReplayOptions),
}

/// A made-up market. It moves only where somebody is subscribed, and all subscribed streams share the rate.
#[derive(Debug, Clone)]
pub struct WalkOptions {
    /// How many symbols there are.
    pub symbols: usize,
    /// Messages per second.
    pub rate: Rate,
    /// Messages after which it ends.
    pub messages: Option<u64>,
    /// Fixes prices, quantities and order.
    pub seed: u64,
    /// Whether prices follow from symbol and number, by [`numbered_price`](super::numbered_price), instead of walking.
    pub numbered: bool,
    /// What time its messages carry.
    pub stamp: Stamp,
}

/// What time the messages of a walk carry, where they carry one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Stamp {
    /// When they were made, in milliseconds.
    #[default]
    Made,
    /// When they were due, in microseconds: what is measured from there counts the time that a message had to wait for
    /// its reader, too. Binance sends microseconds to whoever asks for them with `timeUnit=MICROSECOND`; bars make no
    /// sense with it.
    Due,
}

impl Default for WalkOptions {
    fn default() -> Self {
        Self {
            symbols: 250,
            rate: Rate::PerSecond(DEFAULT_RATE),
            messages: None,
            seed: 1,
            numbered: false,
            stamp: Stamp::Made,
        }
    }
}

/// A recording. Each of its lines is sent once in all; a client that connects again continues where it stands.
#[derive(Debug, Clone)]
pub struct ReplayOptions {
    /// Lines of `<receive time in ns> <frame>` or `{"t":<s>,"dir":"recv","raw":"<frame>"}`; gzip or plain.
    pub path: PathBuf,
    /// How fast.
    pub speed: Speed,
    /// Connections that must have subscribed before it starts.
    pub wait_for_connections: usize,
    /// Streams that must be subscribed before it starts.
    pub wait_for_streams: usize,
    /// Whether it stands still while the next line's stream has lost its last subscriber, or has only muted ones. A
    /// stream that nobody has ever subscribed, or that was unsubscribed, is not waited for.
    pub hold: bool,
}

impl ReplayOptions {
    /// As fast as it can be read, from the first subscription on.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), speed: Speed::Unlimited, wait_for_connections: 1, wait_for_streams: 1, hold: false }
    }
}

/// What clients are allowed. The default is what Binance documents, and generous where it is silent.
#[derive(Debug, Clone, Copy)]
pub struct ExchangeLimits {
    /// Connections at one time.
    pub connections: u64,
    /// Streams of one connection.
    pub streams_per_connection: usize,
    /// Messages, pings and pongs of one client per second; one more closes its connection.
    pub messages_per_second: usize,
    /// How often a client is pinged.
    pub ping_interval: Duration,
    /// A client that has left a ping unanswered for so long is cut off.
    pub pong_max: Duration,
    /// A client that has not read for so long, while all others wait for it, is cut off.
    pub slow_reader_max: Duration,
}

impl Default for ExchangeLimits {
    fn default() -> Self {
        Self {
            connections: 1_024,
            streams_per_connection: 1_024,
            messages_per_second: 5,
            ping_interval: Duration::from_secs(20),
            pong_max: Duration::from_mins(1),
            slow_reader_max: Duration::from_mins(1),
        }
    }
}
