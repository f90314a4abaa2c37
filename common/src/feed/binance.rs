//! Binance: JSON over combined streams, public, no credentials. One protocol, two markets: [`SPOT`] and [`USDM`].
//!
//! Source: <https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams> and
//! <https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams>. Combined streams
//! wrap every event as `{"stream":"btcusdt@trade","data":{..}}`. The stream's name is needed: some events (best bid and
//! ask, partial depth) do not say what they are.

mod channel;
mod decode;
mod session;
mod spot;
mod usdm;

use crate::feed::{
    DecodeError, Endpoints, Failure, Feed, FeedError, FeedLimits, FeedSession, SessionRequest, SymbolError, Topic,
};
use crate::market::{Catalog, Instrument, Observation};

use channel::Channel;
use session::Session;

pub(super) use spot::SPOT;
pub(super) use usdm::USDM;

/// Streams that one message of ours names. Not documented; what clients commonly send.
const STREAMS_PER_MESSAGE: usize = 200;

/// One of Binance's markets: what differs between them.
#[derive(Debug)]
pub(super) struct Market {
    name: &'static str,
    limits: FeedLimits,
    endpoints: Endpoints<'static>,
    channels: &'static [Channel],
    /// Lengths of bars: `kline_1m`.
    intervals: &'static [&'static str],
    /// The lane of bars.
    kline_lane: &'static str,
    default_channels: &'static [&'static str],
    parse: fn(&str) -> Result<Instrument, SymbolError>,
}

impl Feed for Market {
    fn name(&self) -> &'static str {
        self.name
    }

    fn limits(&self) -> FeedLimits {
        self.limits
    }

    fn endpoints(&self) -> Endpoints<'static> {
        self.endpoints
    }

    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure> {
        // A connection that is to carry nothing yet goes where the first channel is.
        let first = self.channels.first().map_or("", |channel| channel.lane);
        let lane = request.topics.first().map_or(first, |topic| topic.lane);
        Ok(Box::new(Session::new(request.endpoints.socket, lane, request.topics)))
    }

    fn topics(&self, symbols: &[String], channels: &[String], _catalog: &Catalog) -> Result<Vec<Topic>, FeedError> {
        channel::topics(self, symbols, channels)
    }

    fn default_channels(&self) -> &'static [&'static str] {
        self.default_channels
    }

    fn lite_channels(&self) -> &'static [&'static str] {
        &["miniTicker"]
    }

    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
        decode::decode(kind, body, out)
    }

    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError> {
        (self.parse)(symbol)
    }
}
