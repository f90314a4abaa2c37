//! The seam to providers: one file or folder each, one row in [`table`].
//!
//! A feed does no input or output. It says where to connect and what to send, tells what a received frame means, and
//! decodes a task's body. Anything stateful about one connection lives in its [`FeedSession`].

use std::fmt::Debug;
use std::sync::OnceLock;

use crate::market::{Catalog, Instrument, Observation};

mod binance;
pub mod described;
mod error;
mod fyers;
mod key;
mod kite;
mod limits;
mod loose;
mod massive;
mod number;
mod session;
#[cfg(test)]
mod testing;
mod twelvedata;
pub mod upstox;

pub use error::{DecodeError, FeedError, SymbolError};
pub use limits::{Attempts, FeedLimits};
pub use session::{
    Endpoints, Failure, FeedSession, HttpAnswer, HttpMethod, HttpRequest, Incoming, Mark, Outgoing, Reading, Remedy,
    SessionRequest,
};

/// Feeds that are built in.
static TABLE: [&dyn Feed; 7] = [
    &binance::SPOT,
    &binance::USDM,
    &fyers::Fyers,
    &kite::Kite,
    &massive::Massive,
    &twelvedata::TwelveData,
    &upstox::Upstox,
];

/// Feeds that are described in the settings instead of in code; see [`install`].
static DESCRIBED: OnceLock<Vec<&'static dyn Feed>> = OnceLock::new();

/// All feeds that are built in.
pub fn table() -> &'static [&'static dyn Feed] {
    &TABLE
}

/// Adds the feeds that the settings describe. Once per process, before anything asks for a feed by name; a second call
/// is refused and changes nothing.
///
/// # Errors
/// With the feeds that were handed in, when feeds were installed before.
pub fn install(described: Vec<&'static dyn Feed>) -> Result<(), Vec<&'static dyn Feed>> {
    DESCRIBED.set(described)
}

/// All feeds, those of the settings last.
pub fn all() -> impl Iterator<Item = &'static dyn Feed> {
    table().iter().chain(DESCRIBED.get().into_iter().flatten()).copied()
}

/// The feed of this name.
pub fn by_name(name: &str) -> Option<&'static dyn Feed> {
    all().find(|feed| feed.name() == name)
}

/// A provider's stream.
pub trait Feed: Send + Sync + Debug {
    /// Its name in settings, tasks and tables, e.g. `binance`.
    fn name(&self) -> &'static str;

    /// What the provider allows.
    fn limits(&self) -> FeedLimits;

    /// Streams that one connection may carry under these channels. Some plans count a connection's streams by what
    /// they carry.
    fn streams_per_connection(&self, _channels: &[String]) -> usize {
        self.limits().streams_per_connection
    }

    /// Where the provider really is.
    fn endpoints(&self) -> Endpoints<'static>;

    /// What its credential looks like, for people, e.g. `the access token, APPID:JWT`; `None` when it wants none.
    fn credential(&self) -> Option<&'static str> {
        None
    }

    /// Channels that are subscribed when the settings name none.
    fn default_channels(&self) -> &'static [&'static str];

    /// Channels of the provider's smallest messages, last prices only: `--litemode`.
    fn lite_channels(&self) -> &'static [&'static str] {
        self.default_channels()
    }

    /// The streams that `symbols` mean for this feed under the wanted channels, e.g. `BTCUSDT` with `trade` ->
    /// `btcusdt@trade`. An unknown channel is an error that lists the known ones.
    fn topics(&self, symbols: &[String], channels: &[String], catalog: &Catalog) -> Result<Vec<Topic>, FeedError>;

    /// Opens the protocol of one connection. The URL to connect to is the session's. Fails when the credential is
    /// missing, malformed or known to have run out.
    fn session(&self, request: &SessionRequest<'_>) -> Result<Box<dyn FeedSession>, Failure>;

    /// Reads a task's body into observations, appended to `out`. Appends nothing on error. A body that is not one JSON
    /// value is an error.
    fn decode<'a>(&self, kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError>;

    /// What a symbol means as far as its own grammar tells. A symbol master may know more: ask
    /// [`Catalog::instrument`].
    fn instrument(&self, symbol: &str) -> Result<Instrument, SymbolError>;
}

/// One stream of one symbol.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Topic {
    /// The symbol, as the settings spell it.
    pub symbol: Box<str>,
    /// What the feed's session calls the stream, e.g. `btcusdt@trade`; where the provider has a name, that name.
    pub stream: Box<str>,
    /// Topics of different lanes never share a connection, e.g. Binance's categories of futures streams. Most feeds
    /// have one lane, called `""`.
    pub lane: &'static str,
}
