//! Ticks to observations.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::Deserialize;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::feed::kite::packet::segment;
use crate::feed::number::Number;
use crate::market::{Fields, Observation, Price, Quantity};

/// Segments without open interest: shares of NSE and BSE, and indices.
const CASH: [u32; 3] = [1, 4, 9];

/// A tick as the official client libraries deliver it; the Go and JavaScript names first, Python's as well.
///
/// Kite writes 0 for what there is not: no trade yet, an empty level of the book.
#[derive(Deserialize)]
struct Tick<'a> {
    instrument_token: u32,
    #[serde(borrow)]
    tradingsymbol: Option<Cow<'a, str>>,
    #[serde(borrow)]
    last_price: Option<Number<'a>>,
    #[serde(borrow, alias = "last_traded_quantity")]
    last_quantity: Option<Number<'a>>,
    #[serde(borrow, alias = "volume_traded")]
    volume: Option<Number<'a>>,
    #[serde(borrow)]
    ohlc: Option<Ohlc<'a>>,
    #[serde(borrow)]
    oi: Option<Number<'a>>,
    #[serde(borrow, alias = "exchange_timestamp")]
    timestamp: Option<Cow<'a, str>>,
    #[serde(borrow)]
    depth: Option<Depth<'a>>,
}

/// The close is the previous session's.
#[derive(Deserialize)]
struct Ohlc<'a> {
    #[serde(borrow)]
    open: Number<'a>,
    #[serde(borrow)]
    high: Number<'a>,
    #[serde(borrow)]
    low: Number<'a>,
    #[serde(borrow)]
    close: Number<'a>,
}

/// Best level first.
#[derive(Deserialize)]
struct Depth<'a> {
    #[serde(borrow)]
    buy: Vec<Level<'a>>,
    #[serde(borrow)]
    sell: Vec<Level<'a>>,
}

#[derive(Deserialize)]
struct Level<'a> {
    #[serde(borrow)]
    price: Number<'a>,
    #[serde(borrow)]
    quantity: Number<'a>,
}

/// What one tick says.
pub(super) fn observation<'a>(kind: &str, body: &'a str) -> Result<Observation<'a>, DecodeError> {
    if !["ltp", "quote", "full", "index"].contains(&kind) {
        return Err(DecodeError::Skip("unknown_stream"));
    }
    let malformed = |problem: String| DecodeError::Malformed { kind: kind.into(), problem };
    let tick: Tick<'a> = serde_json::from_str(body).map_err(|error| malformed(error.to_string()))?;
    let at = tick.timestamp.as_deref().map(|text| {
        let at: Result<Timestamp, _> = text.parse();
        at.map(|at| UnixMicros(at.as_microsecond())).map_err(|error| malformed(format!("timestamp: {error}")))
    });
    let fields = fields(&tick)?;
    if fields.is_empty() {
        return Err(DecodeError::Skip("no_price"));
    }
    let symbol = tick.tradingsymbol.unwrap_or_else(|| Cow::Owned(tick.instrument_token.to_string()));
    Ok(Observation { symbol, exchange_at: at.transpose()?, trade_id: None, fields })
}

fn fields(tick: &Tick<'_>) -> Result<Fields, DecodeError> {
    let ohlc = tick.ohlc.as_ref();
    let (bid_price, bid_size) = best(tick.depth.as_ref().and_then(|depth| depth.buy.first()), "depth.buy")?;
    let (ask_price, ask_size) = best(tick.depth.as_ref().and_then(|depth| depth.sell.first()), "depth.sell")?;
    let has_interest = !CASH.contains(&segment(tick.instrument_token));
    Ok(Fields {
        last_price: price(tick.last_price, "last_price")?,
        last_size: quantity(tick.last_quantity, "last_quantity")?.filter(|size| !size.get().is_zero()),
        bid_price,
        bid_size,
        ask_price,
        ask_size,
        open_price: price(ohlc.map(|ohlc| ohlc.open), "ohlc.open")?,
        high_price: price(ohlc.map(|ohlc| ohlc.high), "ohlc.high")?,
        low_price: price(ohlc.map(|ohlc| ohlc.low), "ohlc.low")?,
        previous_close: price(ohlc.map(|ohlc| ohlc.close), "ohlc.close")?,
        volume: quantity(tick.volume, "volume")?,
        open_interest: quantity(tick.oi.filter(|_| has_interest), "oi")?,
    })
}

fn best(level: Option<&Level<'_>>, field: &'static str) -> Result<(Option<Price>, Option<Quantity>), DecodeError> {
    let Some(price) = price(level.map(|level| level.price), field)? else { return Ok((None, None)) };
    Ok((Some(price), quantity(level.map(|level| level.quantity), field)?))
}

fn price(number: Option<Number<'_>>, field: &'static str) -> Result<Option<Price>, DecodeError> {
    let price: Option<Price> = number.map(|number| number.read(field)).transpose()?;
    Ok(price.filter(|price| !price.get().is_zero()))
}

fn quantity(number: Option<Number<'_>>, field: &'static str) -> Result<Option<Quantity>, DecodeError> {
    number.map(|number| number.read(field)).transpose()
}

#[cfg(test)]
mod tests;
