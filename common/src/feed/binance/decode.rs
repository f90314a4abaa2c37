//! Events to observations.
//!
//! Field names are Binance's one-letter names, where case tells apart: `b` is the best bid, `B` its quantity. Spot and
//! USD-M futures send the same events; only futures put times into `bookTicker` and a kind of execution (`X`) into
//! `trade`.

mod depth;
mod quick;

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::feed::DecodeError;
use crate::feed::number::{At, Number};
use crate::market::{Fields, Observation};

/// What one event of `kind` says, appended to `out`. `body` is the whole combined frame.
pub(super) fn decode<'a>(kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Result<(), DecodeError> {
    if quick::observe(kind, body, out).is_none() {
        out.push(thoroughly(kind, body)?);
    }
    Ok(())
}

/// With a parser that reads all JSON and says what is wrong.
fn thoroughly<'a>(kind: &str, body: &'a str) -> Result<Observation<'a>, DecodeError> {
    match kind {
        "trade" => read::<Trade<'a>>(kind, body)?.observation(),
        "bookTicker" => read::<BookTicker<'a>>(kind, body)?.observation(),
        "aggTrade" => read::<AggTrade<'a>>(kind, body)?.observation(),
        "miniTicker" => read::<MiniTicker<'a>>(kind, body)?.observation(),
        "ticker" => read::<Ticker<'a>>(kind, body)?.observation(),
        "kline" => read::<Kline<'a>>(kind, body)?.observation(),
        "depth5" | "depth10" | "depth20" => depth::observation(kind, body),
        "depth" => Err(DecodeError::Skip("depth")),
        "markPrice" => Err(DecodeError::Skip("mark_price")),
        _ => Err(DecodeError::Skip("unknown_stream")),
    }
}

fn read<'a, E: Deserialize<'a>>(kind: &str, body: &'a str) -> Result<E, DecodeError> {
    frame::<Combined<E>>(kind, body).map(|combined| combined.data)
}

fn frame<'a, F: Deserialize<'a>>(kind: &str, body: &'a str) -> Result<F, DecodeError> {
    serde_json::from_str(body).map_err(|error| DecodeError::Malformed { kind: kind.into(), problem: error.to_string() })
}

/// `{"stream":"btcusdt@trade","data":{..}}`; the stream has done its part in routing.
#[derive(Deserialize)]
struct Combined<E> {
    data: E,
}

/// One trade. `{"e":"trade","E":1672515782136,"s":"BNBBTC","t":12345,"p":"0.001","q":"100","T":1672515782136,"m":true}`
#[derive(Deserialize)]
struct Trade<'a> {
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(rename = "t")]
    id: i64,
    #[serde(borrow, rename = "p")]
    price: Number<'a>,
    #[serde(borrow, rename = "q")]
    quantity: Number<'a>,
    #[serde(rename = "T")]
    at: At,
    /// Futures only: how it came about. What is not `MARKET` (insurance fund, deleveraging) is no market price.
    #[serde(borrow, rename = "X")]
    execution: Option<&'a RawValue>,
}

impl<'a> Trade<'a> {
    fn observation(self) -> Result<Observation<'a>, DecodeError> {
        if self.execution.is_some_and(|execution| execution.get() != "\"MARKET\"") {
            return Err(DecodeError::Skip("not_market"));
        }
        let fields = Fields {
            last_price: Some(self.price.read("p")?),
            last_size: Some(self.quantity.read("q")?),
            ..Fields::default()
        };
        Ok(Observation { symbol: self.symbol, exchange_at: Some(self.at.0), trade_id: Some(self.id), fields })
    }
}

/// The fills of one taker order at one price. Its number counts these, not single trades.
#[derive(Deserialize)]
struct AggTrade<'a> {
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(rename = "a")]
    id: i64,
    #[serde(borrow, rename = "p")]
    price: Number<'a>,
    #[serde(borrow, rename = "q")]
    quantity: Number<'a>,
    #[serde(rename = "T")]
    at: At,
}

impl<'a> AggTrade<'a> {
    fn observation(self) -> Result<Observation<'a>, DecodeError> {
        let fields = Fields {
            last_price: Some(self.price.read("p")?),
            last_size: Some(self.quantity.read("q")?),
            ..Fields::default()
        };
        Ok(Observation { symbol: self.symbol, exchange_at: Some(self.at.0), trade_id: Some(self.id), fields })
    }
}

/// Best bid and ask. `{"u":400900217,"s":"BNBUSDT","b":"25.35190000","B":"31.21","a":"25.36520000","A":"40.66"}`
#[derive(Deserialize)]
struct BookTicker<'a> {
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow, rename = "b")]
    bid_price: Number<'a>,
    #[serde(borrow, rename = "B")]
    bid_size: Number<'a>,
    #[serde(borrow, rename = "a")]
    ask_price: Number<'a>,
    #[serde(borrow, rename = "A")]
    ask_size: Number<'a>,
    /// Futures only: when the book changed.
    #[serde(rename = "T")]
    at: Option<At>,
    /// Futures only: when the event was sent.
    #[serde(rename = "E")]
    sent_at: Option<At>,
}

impl<'a> BookTicker<'a> {
    fn observation(self) -> Result<Observation<'a>, DecodeError> {
        let fields = Fields {
            bid_price: Some(self.bid_price.read("b")?),
            bid_size: Some(self.bid_size.read("B")?),
            ask_price: Some(self.ask_price.read("a")?),
            ask_size: Some(self.ask_size.read("A")?),
            ..Fields::default()
        };
        let exchange_at = self.at.or(self.sent_at).map(|at| at.0);
        Ok(Observation { symbol: self.symbol, exchange_at, trade_id: None, fields })
    }
}

/// The last 24 hours in short; `day` fields are of this rolling window, as Binance has no sessions.
#[derive(Deserialize)]
struct MiniTicker<'a> {
    #[serde(rename = "E")]
    sent_at: At,
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow, rename = "c")]
    last: Number<'a>,
    #[serde(borrow, rename = "o")]
    open: Number<'a>,
    #[serde(borrow, rename = "h")]
    high: Number<'a>,
    #[serde(borrow, rename = "l")]
    low: Number<'a>,
    #[serde(borrow, rename = "v")]
    volume: Number<'a>,
}

impl<'a> MiniTicker<'a> {
    fn observation(self) -> Result<Observation<'a>, DecodeError> {
        let fields = Fields {
            last_price: Some(self.last.read("c")?),
            open_price: Some(self.open.read("o")?),
            high_price: Some(self.high.read("h")?),
            low_price: Some(self.low.read("l")?),
            volume: Some(self.volume.read("v")?),
            ..Fields::default()
        };
        Ok(Observation { symbol: self.symbol, exchange_at: Some(self.sent_at.0), trade_id: None, fields })
    }
}

/// The last 24 hours at length. Futures leave out best bid and ask, and the price before the window.
#[derive(Deserialize)]
struct Ticker<'a> {
    #[serde(rename = "E")]
    sent_at: At,
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow, rename = "c")]
    last: Number<'a>,
    #[serde(borrow, rename = "Q")]
    last_size: Number<'a>,
    #[serde(borrow, rename = "b")]
    bid_price: Option<Number<'a>>,
    #[serde(borrow, rename = "B")]
    bid_size: Option<Number<'a>>,
    #[serde(borrow, rename = "a")]
    ask_price: Option<Number<'a>>,
    #[serde(borrow, rename = "A")]
    ask_size: Option<Number<'a>>,
    #[serde(borrow, rename = "o")]
    open: Number<'a>,
    #[serde(borrow, rename = "h")]
    high: Number<'a>,
    #[serde(borrow, rename = "l")]
    low: Number<'a>,
    /// The last trade before the window.
    #[serde(borrow, rename = "x")]
    previous_close: Option<Number<'a>>,
    #[serde(borrow, rename = "v")]
    volume: Number<'a>,
}

impl<'a> Ticker<'a> {
    fn observation(self) -> Result<Observation<'a>, DecodeError> {
        let fields = Fields {
            last_price: Some(self.last.read("c")?),
            last_size: Some(self.last_size.read("Q")?),
            bid_price: self.bid_price.map(|number| number.read("b")).transpose()?,
            bid_size: self.bid_size.map(|number| number.read("B")).transpose()?,
            ask_price: self.ask_price.map(|number| number.read("a")).transpose()?,
            ask_size: self.ask_size.map(|number| number.read("A")).transpose()?,
            open_price: Some(self.open.read("o")?),
            high_price: Some(self.high.read("h")?),
            low_price: Some(self.low.read("l")?),
            previous_close: self.previous_close.map(|number| number.read("x")).transpose()?,
            volume: Some(self.volume.read("v")?),
            ..Fields::default()
        };
        Ok(Observation { symbol: self.symbol, exchange_at: Some(self.sent_at.0), trade_id: None, fields })
    }
}

/// A bar, sent again while it grows. Its close so far is the last price; its open, high, low and volume are those of
/// one minute or month and must not pass for the day's.
#[derive(Deserialize)]
struct Kline<'a> {
    #[serde(rename = "E")]
    sent_at: At,
    #[serde(borrow, rename = "s")]
    symbol: Cow<'a, str>,
    #[serde(borrow, rename = "k")]
    bar: Bar<'a>,
}

#[derive(Deserialize)]
struct Bar<'a> {
    #[serde(borrow, rename = "c")]
    close: Number<'a>,
}

impl<'a> Kline<'a> {
    fn observation(self) -> Result<Observation<'a>, DecodeError> {
        let fields = Fields { last_price: Some(self.bar.close.read("k.c")?), ..Fields::default() };
        Ok(Observation { symbol: self.symbol, exchange_at: Some(self.sent_at.0), trade_id: None, fields })
    }
}

#[cfg(test)]
mod tests;
