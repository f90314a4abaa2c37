//! Messages to observations.
//!
//! Zero and absent are one on the wire, and a message may leave out whole parts. So whatever is absent or zero stays
//! absent here and overwrites nothing.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Deserialize;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::feed::number::Number;
use crate::feed::upstox::kind;
use crate::market::{Fields, Observation, Price, Quantity};

/// The bar of the day among the bars.
const DAY: &str = "1d";

/// What a message of `kind` says, one observation per instrument, appended to `out`. Appends nothing on error.
pub(super) fn observations<'a>(kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
    if !kind::ALL.contains(&kind) {
        return Err(DecodeError::Skip("unknown_kind"));
    }
    let malformed = |problem: String| DecodeError::Malformed { kind: kind.into(), problem };
    let body: Body<'a> = serde_json::from_str(body).map_err(|error| malformed(error.to_string()))?;
    if body.feeds.is_empty() {
        return Err(malformed("it names no instrument".to_owned()));
    }
    let before = out.len();
    for (key, feed) in body.feeds {
        match feed.observation(key.0) {
            Ok(observation) => out.push(observation),
            Err(error) => {
                out.truncate(before);
                return Err(error);
            }
        }
    }
    Ok(())
}

/// `{"type":"live_feed","feeds":{"NSE_EQ|INE..":{..}},"currentTs":"1742373998921"}`
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    feeds: BTreeMap<Text<'a>, Feed<'a>>,
}

/// Borrowed unless it holds escapes.
#[derive(Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// One of the three is there.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feed<'a> {
    #[serde(borrow)]
    ltpc: Option<Ltpc<'a>>,
    #[serde(borrow, rename = "fullFeed")]
    full: Option<FullFeed<'a>>,
    #[serde(borrow)]
    first_level_with_greeks: Option<Values<'a>>,
}

#[derive(Deserialize)]
struct FullFeed<'a> {
    #[serde(borrow, rename = "marketFF")]
    market: Option<Values<'a>>,
    #[serde(borrow, rename = "indexFF")]
    index: Option<Values<'a>>,
}

/// The parts of the larger modes; each mode has some of them, under the same names.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Values<'a> {
    #[serde(borrow)]
    ltpc: Option<Ltpc<'a>>,
    #[serde(borrow)]
    market_level: Option<MarketLevel<'a>>,
    #[serde(borrow)]
    first_depth: Option<Quote<'a>>,
    #[serde(borrow, rename = "marketOHLC")]
    market_ohlc: Option<MarketOhlc<'a>>,
    #[serde(borrow)]
    vtt: Option<Number<'a>>,
    #[serde(borrow)]
    oi: Option<Number<'a>>,
}

#[derive(Deserialize, Default)]
struct Ltpc<'a> {
    #[serde(borrow)]
    ltp: Option<Number<'a>>,
    #[serde(borrow)]
    ltt: Option<Number<'a>>,
    #[serde(borrow)]
    ltq: Option<Number<'a>>,
    #[serde(borrow)]
    cp: Option<Number<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MarketLevel<'a> {
    #[serde(borrow, default)]
    bid_ask_quote: Vec<Quote<'a>>,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase")]
struct Quote<'a> {
    #[serde(borrow)]
    bid_q: Option<Number<'a>>,
    #[serde(borrow)]
    bid_p: Option<Number<'a>>,
    #[serde(borrow)]
    ask_q: Option<Number<'a>>,
    #[serde(borrow)]
    ask_p: Option<Number<'a>>,
}

#[derive(Deserialize)]
struct MarketOhlc<'a> {
    #[serde(borrow, default)]
    ohlc: Vec<Ohlc<'a>>,
}

#[derive(Deserialize, Default)]
struct Ohlc<'a> {
    #[serde(borrow)]
    interval: Option<Text<'a>>,
    #[serde(borrow)]
    open: Option<Number<'a>>,
    #[serde(borrow)]
    high: Option<Number<'a>>,
    #[serde(borrow)]
    low: Option<Number<'a>>,
}

impl<'a> Feed<'a> {
    fn observation(self, symbol: Cow<'a, str>) -> Result<Observation<'a>, DecodeError> {
        let full = self.full.and_then(|full| full.market.or(full.index));
        let values = full.or(self.first_level_with_greeks).unwrap_or_default();
        let ltpc = self.ltpc.or(values.ltpc).unwrap_or_default();
        let levels = values.market_level.map(|level| level.bid_ask_quote).unwrap_or_default();
        let best = values.first_depth.or_else(|| levels.into_iter().next()).unwrap_or_default();
        let bars = values.market_ohlc.map(|bars| bars.ohlc).unwrap_or_default();
        let is_day = |bar: &Ohlc<'_>| bar.interval.as_ref().is_some_and(|interval| interval.0 == DAY);
        let day = bars.into_iter().find(is_day).unwrap_or_default();
        let fields = Fields {
            last_price: price(ltpc.ltp, "ltp")?,
            last_size: quantity(ltpc.ltq, "ltq")?,
            bid_price: price(best.bid_p, "bidP")?,
            bid_size: quantity(best.bid_q, "bidQ")?,
            ask_price: price(best.ask_p, "askP")?,
            ask_size: quantity(best.ask_q, "askQ")?,
            open_price: price(day.open, "open")?,
            high_price: price(day.high, "high")?,
            low_price: price(day.low, "low")?,
            previous_close: price(ltpc.cp, "cp")?,
            volume: quantity(values.vtt, "vtt")?,
            open_interest: quantity(values.oi, "oi")?,
        };
        Ok(Observation { symbol, exchange_at: ltpc.ltt.and_then(millis), trade_id: None, fields })
    }
}

fn price(number: Option<Number<'_>>, field: &'static str) -> Result<Option<Price>, DecodeError> {
    let read: Option<Price> = number.map(|number| number.read(field)).transpose()?;
    Ok(read.filter(|price| !price.get().is_zero()))
}

fn quantity(number: Option<Number<'_>>, field: &'static str) -> Result<Option<Quantity>, DecodeError> {
    let read: Option<Quantity> = number.map(|number| number.read(field)).transpose()?;
    Ok(read.filter(|quantity| !quantity.get().is_zero()))
}

/// A time is beside the price: one that cannot be read is no time, and the price is kept.
fn millis(number: Number<'_>) -> Option<UnixMicros> {
    let millis: i64 = number.text().parse().ok()?;
    UnixMicros::from_millis(millis).filter(|at| at.0 != 0)
}

#[cfg(test)]
mod tests;
