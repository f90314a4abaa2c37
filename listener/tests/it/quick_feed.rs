//! A real feed, Binance's mostly, with the patience of a test.

use std::time::Duration;

use common::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError, Topic,
    by_name,
};
use common::market::{Catalog, Instrument, Observation};

/// A feed with other limits.
#[derive(Debug)]
pub(crate) struct QuickFeed {
    feed: &'static dyn Feed,
    limits: FeedLimits,
}

impl QuickFeed {
    /// Binance with limits that a test on a busy machine can live with, changed by `change`.
    pub(crate) fn leak(change: impl FnOnce(&mut FeedLimits)) -> &'static Self {
        Self::of("binance", change)
    }

    /// The same of another feed.
    pub(crate) fn of(name: &str, change: impl FnOnce(&mut FeedLimits)) -> &'static Self {
        let feed = by_name(name).unwrap();
        let mut limits = FeedLimits {
            message_interval: Duration::from_millis(1),
            connect_interval: Duration::from_millis(1),
            ping_interval: Duration::from_secs(5),
            silence_max: Duration::from_mins(1),
            ..feed.limits()
        };
        change(&mut limits);
        Box::leak(Box::new(Self { feed, limits }))
    }
}

impl Feed for QuickFeed {
    fn name(&self) -> &'static str {
        self.feed.name()
    }
    fn limits(&self) -> FeedLimits {
        self.limits
    }
    fn endpoints(&self) -> Endpoints<'static> {
        self.feed.endpoints()
    }
    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        self.feed.session(request)
    }
    fn topics(&self, symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        self.feed.topics(symbols, channels, catalog)
    }
    fn credential(&self) -> Option<&'static str> {
        self.feed.credential()
    }
    fn lite_channels(&self) -> &'static [&'static str] {
        self.feed.lite_channels()
    }
    fn default_channels(&self) -> &'static [&'static str] {
        self.feed.default_channels()
    }
    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        self.feed.decode(kind, body, out)
    }
    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        self.feed.instrument(symbol)
    }
}
