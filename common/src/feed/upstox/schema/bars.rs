//! Bars.

use prost::Message;

/// The bars of an instrument.
#[derive(Clone, PartialEq, Message)]
pub struct MarketOhlc {
    /// One of the day, one of the last minute.
    #[prost(message, repeated, tag = "1")]
    pub ohlc: Vec<Ohlc>,
}

/// One bar.
#[derive(Clone, PartialEq, Message)]
pub struct Ohlc {
    /// `1d` or `I1`.
    #[prost(string, tag = "1")]
    pub interval: String,
    /// First price.
    #[prost(double, tag = "2")]
    pub open: f64,
    /// Highest price.
    #[prost(double, tag = "3")]
    pub high: f64,
    /// Lowest price.
    #[prost(double, tag = "4")]
    pub low: f64,
    /// Last price so far.
    #[prost(double, tag = "5")]
    pub close: f64,
    /// Volume.
    #[prost(int64, tag = "6")]
    pub vol: i64,
    /// When it began.
    #[prost(int64, tag = "7")]
    pub ts: i64,
}
