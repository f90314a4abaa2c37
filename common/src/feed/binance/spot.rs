//! The spot market.

use std::time::Duration;

use crate::feed::binance::channel::Channel;
use crate::feed::binance::{Market, STREAMS_PER_MESSAGE};
use crate::feed::{Attempts, Endpoints, FeedLimits};
use crate::market::symbol::binance::parse_spot;

/// Binance spot.
pub(in crate::feed) static SPOT: Market = Market {
    name: "binance",
    limits: LIMITS,
    endpoints: Endpoints { socket: "wss://stream.binance.com:9443", http: "https://api.binance.com" },
    channels: &CHANNELS,
    intervals: &["1s", "1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"],
    kline_lane: "",
    default_channels: &["trade", "bookTicker"],
    parse: parse_spot,
};

/// What Binance documents, with a margin where it cuts connections or bans addresses.
pub(super) const LIMITS: FeedLimits = FeedLimits {
    streams_per_connection: 1_024,
    streams_per_message: STREAMS_PER_MESSAGE,
    connections_max: None,
    symbols_max: None,
    // Five messages per second, pings and pongs included.
    message_interval: Duration::from_millis(250),
    message_bytes_max: 4 * 1024 * 1024,
    // Binance pings every 20 s, so three pings have been missed.
    silence_max: Duration::from_mins(1),
    // A quiet pair may go without a trade for long.
    data_age_max: None,
    ping_interval: Duration::from_secs(30),
    connect_interval: Duration::from_secs(1),
    attempts: Some(Attempts { most: 300, window: Duration::from_mins(5) }),
    session_age_max: Some(Duration::from_hours(24)),
    may_overlap: true,
};

/// All on one path. Partial depth comes every second, or ten times a second where its name says so.
const CHANNELS: [Channel; 11] = [
    Channel { name: "trade", lane: "" },
    Channel { name: "aggTrade", lane: "" },
    Channel { name: "bookTicker", lane: "" },
    Channel { name: "miniTicker", lane: "" },
    Channel { name: "ticker", lane: "" },
    Channel { name: "depth5", lane: "" },
    Channel { name: "depth10", lane: "" },
    Channel { name: "depth20", lane: "" },
    Channel { name: "depth5@100ms", lane: "" },
    Channel { name: "depth10@100ms", lane: "" },
    Channel { name: "depth20@100ms", lane: "" },
];
