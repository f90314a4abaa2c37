//! The market of futures that are margined in dollar coins.
//!
//! Since 2026-04-23 streams have categories, each with a path of its own, and a connection carries one category: the
//! lanes. The paths without a category still connect, but nothing comes on them.

use std::time::Duration;

use crate::feed::binance::channel::Channel;
use crate::feed::binance::{Market, spot};
use crate::feed::{Endpoints, FeedLimits};
use crate::market::symbol::binance::parse_usdm;

/// Binance USD-M futures.
pub(in crate::feed) static USDM: Market = Market {
    name: "binance_usdm",
    limits: LIMITS,
    endpoints: Endpoints { socket: "wss://fstream.binance.com", http: "https://fapi.binance.com" },
    channels: &CHANNELS,
    intervals: &["1m", "3m", "5m", "15m", "30m", "1h", "2h", "4h", "6h", "8h", "12h", "1d", "3d", "1w", "1M"],
    kline_lane: MARKET,
    default_channels: &["aggTrade", "bookTicker"],
    parse: parse_usdm,
};

/// Order books, and single trades.
const PUBLIC: &str = "public";

/// What is computed from trades.
const MARKET: &str = "market";

/// As for spot, but for what is documented otherwise. The limit of connection attempts is documented for spot only; it
/// costs nothing to be as careful here.
const LIMITS: FeedLimits = FeedLimits {
    // 1,024 are documented for one path; with 200, as for options, no path objects.
    streams_per_connection: 200,
    // Ten messages per second, pings and pongs included.
    message_interval: Duration::from_millis(125),
    // Binance itself pings every 3 min only, but it answers ours: three of them have been missed.
    silence_max: Duration::from_secs(90),
    ..spot::LIMITS
};

/// Partial depth comes every 250 ms, or as its name says.
const CHANNELS: [Channel; 16] = [
    Channel { name: "trade", lane: PUBLIC },
    Channel { name: "bookTicker", lane: PUBLIC },
    Channel { name: "depth5", lane: PUBLIC },
    Channel { name: "depth10", lane: PUBLIC },
    Channel { name: "depth20", lane: PUBLIC },
    Channel { name: "depth5@100ms", lane: PUBLIC },
    Channel { name: "depth10@100ms", lane: PUBLIC },
    Channel { name: "depth20@100ms", lane: PUBLIC },
    Channel { name: "depth5@500ms", lane: PUBLIC },
    Channel { name: "depth10@500ms", lane: PUBLIC },
    Channel { name: "depth20@500ms", lane: PUBLIC },
    Channel { name: "aggTrade", lane: MARKET },
    Channel { name: "miniTicker", lane: MARKET },
    Channel { name: "ticker", lane: MARKET },
    // Tables have no column for it: such messages reach the queue and are counted by the worker.
    Channel { name: "markPrice", lane: MARKET },
    Channel { name: "markPrice@1s", lane: MARKET },
];

#[cfg(test)]
mod tests;
