//! The real Binance feed with the patience of a test.

use std::time::Duration;

use common::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError, Topic,
    by_name,
};
use common::market::{Catalog, Instrument, Observation};

/// Binance with other limits.
#[derive(Debug)]
pub(crate) struct QuickFeed {
    binance: &'static dyn Feed,
    limits: FeedLimits,
}

impl QuickFeed {
    /// Limits that a test on a busy machine can live with, changed by `change`.
    pub(crate) fn leak(change: impl FnOnce(&mut FeedLimits)) -> &'static Self {
        let binance = by_name("binance").unwrap();
        let mut limits = FeedLimits {
            message_interval: Duration::from_millis(1),
            connect_interval: Duration::from_millis(1),
            ping_interval: Duration::from_secs(5),
            silence_max: Duration::from_mins(1),
            ..binance.limits()
        };
        change(&mut limits);
        Box::leak(Box::new(Self { binance, limits }))
    }
}

impl Feed for QuickFeed {
    fn name(&self) -> &'static str {
        self.binance.name()
    }
    fn limits(&self) -> FeedLimits {
        self.limits
    }
    fn endpoints(&self) -> Endpoints<'static> {
        self.binance.endpoints()
    }
    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        self.binance.session(request)
    }
    fn topics(&self, symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        self.binance.topics(symbols, channels, catalog)
    }
    fn default_channels(&self) -> &'static [&'static str] {
        self.binance.default_channels()
    }
    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        self.binance.decode(kind, body, out)
    }
    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        self.binance.instrument(symbol)
    }
}
