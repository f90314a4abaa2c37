//! Binance.

use super::*;

/// Binance spot.
#[derive(Debug)]
pub(super) struct Binance;

impl Feed for Binance {
    fn name(&self) -> &'static str {
        "binance"
    }
    fn limits(&self) -> FeedLimits {
        unimplemented!()
    }
    fn endpoint(&self) -> &'static str {
        "wss://stream.binance.com:9443"
    }
    fn session(&self, _endpoint: &str, _topics: &[Topic]) -> Box<dyn FeedSession> {
        unimplemented!()
    }
    fn topics(&self, _symbols: &[String], _channels: &[String]) -> Result<Vec<Topic>, FeedError> {
        unimplemented!()
    }
    fn default_channels(&self) -> &'static [&'static str] {
        &["trade", "bookTicker"]
    }
    fn decode<'a>(&self, _kind: &str, _body: &'a str, _out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        unimplemented!()
    }
    fn instrument(&self, _symbol: &str) -> Result<Instrument, SymbolError> {
        unimplemented!()
    }
}
