//! The messages of the Market Data Feed V3 on the wire: Protocol Buffers, version 3.
//!
//! Source: the field list that Upstox publishes for the feed,
//! <https://upstox.com/developer/api-documentation/v3/get-market-data-feed>. These structs are the only schema: no
//! generator runs. Fields that Upstox adds later are skipped when a frame is read.
//!
//! What the wire leaves out reads as zero: zero and absent are one and the same. Prices are in the instrument's
//! currency, times in unix milliseconds. Names in JSON are Upstox' own; see `body`.

mod bars;
mod depth;
mod market;

use prost::{DecodeError, Message};

pub use bars::{MarketOhlc, Ohlc};
pub use depth::{MarketLevel, OptionGreeks, Quote};
pub use market::{MarketInfo, MarketStatus, StatusInfo};

/// What one frame holds.
#[derive(Clone, PartialEq, Message)]
pub struct FeedResponse {
    /// Snapshot, change, or state of the market: a [`ResponseType`].
    #[prost(enumeration = "ResponseType", tag = "1")]
    pub response_type: i32,
    /// One entry per instrument. On the wire a map; a list reads the same bytes, keeps their order, and two entries of
    /// one instrument both count.
    #[prost(message, repeated, tag = "2")]
    pub feeds: Vec<FeedEntry>,
    /// When Upstox sent it.
    #[prost(int64, tag = "3")]
    pub current_ts: i64,
    /// Which segments trade; in the first frame, and whenever that changes.
    #[prost(message, optional, tag = "4")]
    pub market_info: Option<MarketInfo>,
}

impl FeedResponse {
    /// Reads a frame.
    ///
    /// # Errors
    /// When the bytes are not of this schema.
    pub fn read(frame: &[u8]) -> Result<Self, DecodeError> {
        Self::decode(frame)
    }

    /// The frame.
    pub fn write(&self) -> Vec<u8> {
        self.encode_to_vec()
    }
}

/// What a frame is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum ResponseType {
    /// The state at the time of the subscription.
    InitialFeed = 0,
    /// What changed since.
    LiveFeed = 1,
    /// Which segments trade.
    MarketInfo = 2,
}

/// One instrument of a frame.
#[derive(Clone, PartialEq, Message)]
pub struct FeedEntry {
    /// The instrument key, e.g. `NSE_EQ|INE002A01018`.
    #[prost(string, tag = "1")]
    pub key: String,
    /// What is said of it.
    #[prost(message, optional, tag = "2")]
    pub feed: Option<Feed>,
}

/// What is said of one instrument.
#[derive(Clone, PartialEq, Message)]
pub struct Feed {
    /// The values, as the mode of the subscription wants them.
    #[prost(oneof = "FeedUnion", tags = "1, 2, 3")]
    pub union: Option<FeedUnion>,
    /// The mode of the subscription: a [`RequestMode`].
    #[prost(enumeration = "RequestMode", tag = "4")]
    pub request_mode: i32,
}

/// The values of an instrument.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum FeedUnion {
    /// Of the mode `ltpc`.
    #[prost(message, tag = "1")]
    Ltpc(Ltpc),
    /// Of the modes `full` and `full_d30`.
    #[prost(message, tag = "2")]
    FullFeed(Box<FullFeed>),
    /// Of the mode `option_greeks`.
    #[prost(message, tag = "3")]
    FirstLevelWithGreeks(Box<FirstLevelWithGreeks>),
}

/// What a subscription asked for, as the server names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, prost::Enumeration)]
#[repr(i32)]
pub enum RequestMode {
    /// `ltpc`
    Ltpc = 0,
    /// `full`: five levels of depth.
    FullD5 = 1,
    /// `option_greeks`
    OptionGreeks = 2,
    /// `full_d30`: thirty levels of depth.
    FullD30 = 3,
}

/// The last trade.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Ltpc {
    /// Last traded price.
    #[prost(double, tag = "1")]
    pub ltp: f64,
    /// When it traded.
    #[prost(int64, tag = "2")]
    pub ltt: i64,
    /// How much of it.
    #[prost(int64, tag = "3")]
    pub ltq: i64,
    /// Close of the previous session.
    #[prost(double, tag = "4")]
    pub cp: f64,
    /// Indicative price of an auction. A message of its own on the wire, so that here zero is a value.
    #[prost(message, optional, tag = "5")]
    pub iep: Option<f64>,
}

/// The modes with everything: of something traded, or of an index.
#[derive(Clone, PartialEq, Message)]
pub struct FullFeed {
    /// Which of both.
    #[prost(oneof = "FullFeedUnion", tags = "1, 2")]
    pub union: Option<FullFeedUnion>,
}

/// What can be traded has a book, an index has none.
#[derive(Clone, PartialEq, prost::Oneof)]
pub enum FullFeedUnion {
    /// Of something traded.
    #[prost(message, tag = "1")]
    MarketFf(Box<MarketFullFeed>),
    /// Of an index.
    #[prost(message, tag = "2")]
    IndexFf(IndexFullFeed),
}

/// Everything of a traded instrument. Some frames leave out the book and the greeks.
#[derive(Clone, PartialEq, Message)]
pub struct MarketFullFeed {
    /// The last trade.
    #[prost(message, optional, tag = "1")]
    pub ltpc: Option<Ltpc>,
    /// The book, best level first.
    #[prost(message, optional, tag = "2")]
    pub market_level: Option<MarketLevel>,
    /// Of options; empty otherwise.
    #[prost(message, optional, tag = "3")]
    pub option_greeks: Option<OptionGreeks>,
    /// Bars of the day and of the minute.
    #[prost(message, optional, tag = "4")]
    pub market_ohlc: Option<MarketOhlc>,
    /// Average traded price of the day.
    #[prost(double, tag = "5")]
    pub atp: f64,
    /// Volume traded today.
    #[prost(int64, tag = "6")]
    pub vtt: i64,
    /// Open interest.
    #[prost(double, tag = "7")]
    pub oi: f64,
    /// Implied volatility.
    #[prost(double, tag = "8")]
    pub iv: f64,
    /// Total quantity bid for.
    #[prost(double, tag = "9")]
    pub tbq: f64,
    /// Total quantity offered.
    #[prost(double, tag = "10")]
    pub tsq: f64,
    /// Auctions: indicative price.
    #[prost(double, tag = "11")]
    pub iep: f64,
    /// Auctions: reference price.
    #[prost(double, tag = "12")]
    pub rp: f64,
    /// Auctions: indicative quantity.
    #[prost(int64, tag = "13")]
    pub ieq: i64,
    /// Auctions: indicative imbalance, in all.
    #[prost(int64, tag = "14")]
    pub iiq_total: i64,
    /// Auctions: indicative imbalance of market orders.
    #[prost(int64, tag = "15")]
    pub iiq_m: i64,
    /// Whether the closing auction takes the instrument.
    #[prost(bool, tag = "16")]
    pub cas_eligible: bool,
}

/// Everything of an index.
#[derive(Clone, PartialEq, Message)]
pub struct IndexFullFeed {
    /// The last value.
    #[prost(message, optional, tag = "1")]
    pub ltpc: Option<Ltpc>,
    /// Bars of the day and of the minute.
    #[prost(message, optional, tag = "2")]
    pub market_ohlc: Option<MarketOhlc>,
}

/// The mode `option_greeks`.
#[derive(Clone, PartialEq, Message)]
pub struct FirstLevelWithGreeks {
    /// The last trade.
    #[prost(message, optional, tag = "1")]
    pub ltpc: Option<Ltpc>,
    /// Best bid and ask.
    #[prost(message, optional, tag = "2")]
    pub first_depth: Option<Quote>,
    /// The greeks.
    #[prost(message, optional, tag = "3")]
    pub option_greeks: Option<OptionGreeks>,
    /// Volume traded today.
    #[prost(int64, tag = "4")]
    pub vtt: i64,
    /// Open interest.
    #[prost(double, tag = "5")]
    pub oi: f64,
    /// Implied volatility.
    #[prost(double, tag = "6")]
    pub iv: f64,
}
