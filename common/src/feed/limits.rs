//! What a provider allows.

use std::time::Duration;

/// What a provider allows, with a margin where it punishes. Obeyed by construction.
#[derive(Debug, Clone, Copy)]
pub struct FeedLimits {
    /// Streams one connection may carry.
    pub streams_per_connection: usize,
    /// Streams one subscribe message may name.
    pub streams_per_message: usize,
    /// Connections of one account at one time; `None` for no documented limit.
    pub connections_max: Option<usize>,
    /// Symbols of one account, over all its connections; `None` for no documented limit.
    pub symbols_max: Option<usize>,
    /// Least time between two messages we send.
    pub message_interval: Duration,
    /// Largest message it sends, in bytes, with a margin.
    pub message_bytes_max: usize,
    /// A connection without any frame, pings included, for this long is dead.
    pub silence_max: Duration,
    /// While the market is open, a connection without any *data* for this long is mute and is opened again; `None`
    /// where quiet is normal.
    pub data_age_max: Option<Duration>,
    /// How often we ping.
    pub ping_interval: Duration,
    /// Least time between two connection attempts of one process.
    pub connect_interval: Duration,
    /// Connection attempts in any window of time; `None` for no documented limit.
    pub attempts: Option<Attempts>,
    /// The provider cuts a connection at this age; `None` when it does not.
    pub session_age_max: Option<Duration>,
    /// Whether a connection may be opened while its predecessor, which carries the same streams, is still up.
    pub may_overlap: bool,
}

/// So many connection attempts in so much time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempts {
    /// How many at most.
    pub most: usize,
    /// In any span of this length.
    pub window: Duration,
}
