//! The order book, and what an option's price depends on.

use prost::Message;

/// The book: five levels, or thirty.
#[derive(Clone, PartialEq, Message)]
pub struct MarketLevel {
    /// Best level first.
    #[prost(message, repeated, tag = "1")]
    pub bid_ask_quote: Vec<Quote>,
}

/// One level of the book.
#[derive(Clone, Copy, PartialEq, Message)]
pub struct Quote {
    /// Quantity bid for.
    #[prost(int64, tag = "1")]
    pub bid_q: i64,
    /// Bid.
    #[prost(double, tag = "2")]
    pub bid_p: f64,
    /// Quantity offered.
    #[prost(int64, tag = "3")]
    pub ask_q: i64,
    /// Ask.
    #[prost(double, tag = "4")]
    pub ask_p: f64,
}

/// How an option's price moves.
#[derive(Clone, Copy, PartialEq, Message)]
#[expect(missing_docs, reason = "the field's standard terms")]
pub struct OptionGreeks {
    #[prost(double, tag = "1")]
    pub delta: f64,
    #[prost(double, tag = "2")]
    pub theta: f64,
    #[prost(double, tag = "3")]
    pub gamma: f64,
    #[prost(double, tag = "4")]
    pub vega: f64,
    #[prost(double, tag = "5")]
    pub rho: f64,
}
