//! One price observation.

use std::borrow::Cow;

use crate::clock::UnixMicros;
use crate::market::{Price, Quantity};

/// What a provider's message says of one symbol, before the symbol is normalised.
///
/// A field that the message does not carry is `None` and never overwrites a stored value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observation<'a> {
    /// The provider's own name of the instrument, e.g. `BTCUSDT` or `NSE:RELIANCE25JULFUT`.
    pub symbol: Cow<'a, str>,
    /// The exchange's clock, where the message carries one.
    pub exchange_at: Option<UnixMicros>,
    /// The exchange's number of this trade, where it carries one: contiguous numbers show gaps.
    pub trade_id: Option<i64>,
    /// The values.
    pub fields: Fields,
}

/// The values of a tick, in three groups: trade, quote and day.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Fields {
    /// Trade: price of the last trade.
    pub last_price: Option<Price>,
    /// Trade: size of the last trade.
    pub last_size: Option<Quantity>,
    /// Quote: best bid.
    pub bid_price: Option<Price>,
    /// Quote: size at the best bid.
    pub bid_size: Option<Quantity>,
    /// Quote: best ask.
    pub ask_price: Option<Price>,
    /// Quote: size at the best ask.
    pub ask_size: Option<Quantity>,
    /// Day: first price.
    pub open_price: Option<Price>,
    /// Day: highest price.
    pub high_price: Option<Price>,
    /// Day: lowest price.
    pub low_price: Option<Price>,
    /// Day: close of the previous session.
    pub previous_close: Option<Price>,
    /// Day: traded so far.
    pub volume: Option<Quantity>,
    /// Day: open contracts.
    pub open_interest: Option<Quantity>,
}

impl Fields {
    /// Whether the message carried no value at all.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}
