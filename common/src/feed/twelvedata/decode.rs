//! Price events to observations.
//!
//! Any field but the symbol may be missing. A price is kept even when the fields beside it cannot be read.

use serde::Deserialize;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::feed::loose::Loose;
use crate::feed::twelvedata::CHANNEL;
use crate::feed::twelvedata::name::qualified;
use crate::market::{Fields, Observation, Price};

/// What one event of `kind` says. `body` is the whole message.
pub(super) fn observation<'a>(kind: &str, body: &'a str) -> Result<Observation<'a>, DecodeError> {
    if kind != CHANNEL {
        return Err(DecodeError::Skip("unknown_event"));
    }
    let malformed = |problem: String| DecodeError::Malformed { kind: kind.into(), problem };
    let event: Event<'a> = serde_json::from_str(body).map_err(|error| malformed(error.to_string()))?;
    let symbol = event.symbol.and_then(Loose::text).filter(|symbol| !symbol.is_empty());
    let symbol = symbol.ok_or_else(|| malformed("it has no symbol".into()))?;
    let exchange = event.exchange.and_then(Loose::text);
    let fields = event.fields()?;
    if fields.is_empty() {
        return Err(malformed("it has no price".into()));
    }
    let exchange_at = event.timestamp.and_then(Loose::integer).filter(|secs| 0 < *secs).and_then(UnixMicros::from_secs);
    Ok(Observation { symbol: qualified(symbol, exchange.as_deref()), exchange_at, trade_id: None, fields })
}

/// `{"event":"price","symbol":"AAPL","currency":"USD","exchange":"NASDAQ","type":"Common Stock","timestamp":1643972766,
/// "price":172.87,"bid":172.86,"ask":172.88,"day_volume":28306}`
#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow)]
    symbol: Option<Loose<'a>>,
    #[serde(borrow)]
    exchange: Option<Loose<'a>>,
    /// Seconds since 1970.
    #[serde(borrow)]
    timestamp: Option<Loose<'a>>,
    #[serde(borrow)]
    price: Option<Loose<'a>>,
    #[serde(borrow)]
    bid: Option<Loose<'a>>,
    #[serde(borrow)]
    ask: Option<Loose<'a>>,
    #[serde(borrow)]
    day_volume: Option<Loose<'a>>,
}

impl Event<'_> {
    fn fields(&self) -> Result<Fields, DecodeError> {
        let price = self.price.map(|price| price.read::<Price>()).transpose();
        let last_price = price.map_err(|number| DecodeError::Number { field: "price", number })?;
        // A side without orders has price 0.
        let side = |side: Option<Loose<'_>>| side?.read::<Price>().ok().filter(|price| !price.get().is_zero());
        Ok(Fields {
            last_price,
            bid_price: side(self.bid),
            ask_price: side(self.ask),
            volume: self.day_volume.and_then(|volume| volume.read().ok()),
            ..Fields::default()
        })
    }
}

#[cfg(test)]
mod tests;
