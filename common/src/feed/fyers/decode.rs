//! Messages to observations.
//!
//! Read leniently: other programs put the same messages into a queue, from other versions of the official library and in
//! other languages, where a count may be `573412.0` or a text. Unknown fields do not matter.

use std::borrow::Cow;

use serde::Deserialize;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::feed::number::Number;
use crate::market::{BadNumber, Fields, Observation, Quantity};

/// What one message says. Its own `type` tells what it is; `kind` does where it has none.
pub(super) fn observation<'a>(kind: &str, body: &'a str) -> Result<Observation<'a>, DecodeError> {
    let malformed = |problem| DecodeError::Malformed { kind: kind.into(), problem };
    let message: Message<'a> = serde_json::from_str(body).map_err(|error| malformed(error.to_string()))?;
    match message.kind.as_deref().unwrap_or(kind) {
        "sf" | "if" => message.observation(false),
        "dp" => message.observation(true),
        "cn" | "sub" | "unsub" | "ful" | "lit" | "cp" | "cr" => Err(DecodeError::Skip("status")),
        _ => Err(DecodeError::Skip("unknown_type")),
    }
    .and_then(|observation| observation.ok_or_else(|| malformed("missing field `symbol`".to_owned())))
}

/// `{"ltp":606.4,"vol_traded_today":3045212,"last_traded_time":1690953622,..,"type":"sf","symbol":"NSE:SBIN-EQ",..}`;
/// depth has `bid_price1` to `ask_order5` instead.
#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow)]
    symbol: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ltp: Option<Number<'a>>,
    #[serde(borrow)]
    last_traded_qty: Option<Number<'a>>,
    #[serde(borrow)]
    last_traded_time: Option<Number<'a>>,
    #[serde(borrow)]
    exch_feed_time: Option<Number<'a>>,
    #[serde(borrow)]
    bid_price: Option<Number<'a>>,
    #[serde(borrow)]
    bid_size: Option<Number<'a>>,
    #[serde(borrow)]
    ask_price: Option<Number<'a>>,
    #[serde(borrow)]
    ask_size: Option<Number<'a>>,
    #[serde(borrow)]
    bid_price1: Option<Number<'a>>,
    #[serde(borrow)]
    bid_size1: Option<Number<'a>>,
    #[serde(borrow)]
    ask_price1: Option<Number<'a>>,
    #[serde(borrow)]
    ask_size1: Option<Number<'a>>,
    #[serde(borrow)]
    open_price: Option<Number<'a>>,
    #[serde(borrow)]
    high_price: Option<Number<'a>>,
    #[serde(borrow)]
    low_price: Option<Number<'a>>,
    #[serde(borrow)]
    prev_close_price: Option<Number<'a>>,
    #[serde(borrow)]
    vol_traded_today: Option<Number<'a>>,
    #[serde(borrow)]
    open_interest: Option<Number<'a>>,
}

impl<'a> Message<'a> {
    /// Nothing without a symbol.
    fn observation(self, is_depth: bool) -> Result<Option<Observation<'a>>, DecodeError> {
        let Some(symbol) = self.symbol.clone() else { return Ok(None) };
        let (bid_price, bid_size, ask_price, ask_size) = if is_depth {
            (self.bid_price1, self.bid_size1, self.ask_price1, self.ask_size1)
        } else {
            (self.bid_price, self.bid_size, self.ask_price, self.ask_size)
        };
        let price = |name, number: Option<Number<'_>>| number.map(|number| number.read(name)).transpose();
        let fields = Fields {
            last_price: price("ltp", self.ltp)?,
            last_size: quantity("last_traded_qty", self.last_traded_qty)?,
            bid_price: price("bid_price", bid_price)?,
            bid_size: quantity("bid_size", bid_size)?,
            ask_price: price("ask_price", ask_price)?,
            ask_size: quantity("ask_size", ask_size)?,
            open_price: price("open_price", self.open_price)?,
            high_price: price("high_price", self.high_price)?,
            low_price: price("low_price", self.low_price)?,
            previous_close: price("prev_close_price", self.prev_close_price)?,
            volume: quantity("vol_traded_today", self.vol_traded_today)?,
            open_interest: quantity("open_interest", self.open_interest)?,
        };
        let exchange_at = match moment("last_traded_time", self.last_traded_time)? {
            Some(at) => Some(at),
            None => moment("exch_feed_time", self.exch_feed_time)?,
        };
        Ok(Some(Observation { symbol, exchange_at, trade_id: None, fields }))
    }
}

/// A count. The official library reads counts above 2^31 as negative numbers: how many is then not known, and the rest
/// of the message is still good.
fn quantity(name: &'static str, number: Option<Number<'_>>) -> Result<Option<Quantity>, DecodeError> {
    match number.map(|number| number.read::<Quantity>(name)) {
        Some(Err(DecodeError::Number { number: BadNumber::Negative(_), .. })) => Ok(None),
        other => other.transpose(),
    }
}

/// Unix seconds. What has never traded carries 0.
fn moment(name: &'static str, number: Option<Number<'_>>) -> Result<Option<UnixMicros>, DecodeError> {
    let seconds = quantity(name, number)?.map(Quantity::get).filter(|seconds| !seconds.is_zero());
    Ok(seconds.and_then(|seconds| i64::try_from(seconds).ok()).and_then(UnixMicros::from_secs))
}

#[cfg(test)]
mod tests;
