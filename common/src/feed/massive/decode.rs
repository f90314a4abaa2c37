//! Events to observations.
//!
//! Massive changes the types of fields without notice: the decimal size `ds` came as a text where all sizes had been
//! numbers. So only the symbol and the price must be readable; any other field that is not is absent, and the price is
//! kept.

use std::borrow::Cow;
use std::str::FromStr;

use serde::Deserialize;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::feed::loose::Loose;
use crate::market::{BadNumber, Fields, Observation, Price};

/// Times beyond these are in microseconds and nanoseconds: as milliseconds they would lie after the year 5100.
const MICROS_FROM: i64 = 100_000_000_000_000;
const NANOS_FROM: i64 = 100_000_000_000_000_000;

/// What one event of `kind` says. `body` is the event's object.
pub(super) fn observation<'a>(kind: &str, body: &'a str) -> Result<Observation<'a>, DecodeError> {
    let what: fn(Event<'a>) -> Result<Observation<'a>, Fault> = match kind {
        "T" | "XT" => Event::trade,
        "Q" | "XQ" | "C" => Event::quote,
        "A" | "AM" | "XA" | "XAS" | "CA" | "CAS" => Event::bar,
        "V" => Event::value,
        "FMV" => Event::fair_value,
        "LULD" => return Err(DecodeError::Skip("price_band")),
        "NOI" => return Err(DecodeError::Skip("imbalance")),
        "XL2" => return Err(DecodeError::Skip("depth")),
        _ => return Err(DecodeError::Skip("unknown_event")),
    };
    let malformed = |problem| DecodeError::Malformed { kind: kind.into(), problem };
    let event: Event<'a> = serde_json::from_str(body).map_err(|error| malformed(error.to_string()))?;
    what(event).map_err(|fault| match fault {
        Fault::Missing(what) => malformed(format!("it has no {what}")),
        Fault::Number(field, number) => DecodeError::Number { field, number },
        Fault::Nothing(reason) => DecodeError::Skip(reason),
    })
}

/// Why an event is no observation.
enum Fault {
    Missing(&'static str),
    Number(&'static str, BadNumber),
    Nothing(&'static str),
}

/// Any event. A name may mean different things in different events: `p` is a price in trades and the pair in quotes of
/// currencies.
#[derive(Deserialize)]
struct Event<'a> {
    /// Stocks, options, bars of indices: the ticker.
    #[serde(borrow)]
    sym: Option<Loose<'a>>,
    /// Crypto, and bars of currencies: the ticker.
    #[serde(borrow)]
    pair: Option<Loose<'a>>,
    /// Values of indices: the ticker.
    #[serde(borrow, rename = "T")]
    ticker: Option<Loose<'a>>,
    /// Trades: price. Quotes of currencies: the ticker.
    #[serde(borrow)]
    p: Option<Loose<'a>>,
    /// Trades: size. Bars: when they begin.
    #[serde(borrow)]
    s: Option<Loose<'a>>,
    /// Trades: size with its fraction, as a text.
    #[serde(borrow)]
    ds: Option<Loose<'a>>,
    /// Trades: number, unique with exchange and tape only, and not always a number.
    #[serde(borrow)]
    i: Option<Loose<'a>>,
    /// Trades, quotes, values: when.
    #[serde(borrow)]
    t: Option<Loose<'a>>,
    /// Quotes: bid, ask, and their sizes; currencies have `b` and `a` and no sizes.
    #[serde(borrow)]
    bp: Option<Loose<'a>>,
    #[serde(borrow)]
    bs: Option<Loose<'a>>,
    #[serde(borrow)]
    ap: Option<Loose<'a>>,
    #[serde(borrow, rename = "as")]
    ask_size: Option<Loose<'a>>,
    #[serde(borrow)]
    b: Option<Loose<'a>>,
    #[serde(borrow)]
    a: Option<Loose<'a>>,
    /// Bars: close and end. Their open, high, low and volume are of one second or minute and must not pass for the
    /// day's.
    #[serde(borrow)]
    c: Option<Loose<'a>>,
    #[serde(borrow)]
    e: Option<Loose<'a>>,
    /// Bars of stocks, options and indices: the day's official opening price.
    #[serde(borrow)]
    op: Option<Loose<'a>>,
    /// Bars of stocks and options: the day's volume so far; `dav` with its fraction, as a text.
    #[serde(borrow)]
    av: Option<Loose<'a>>,
    #[serde(borrow)]
    dav: Option<Loose<'a>>,
    /// Indices: the value.
    #[serde(borrow)]
    val: Option<Loose<'a>>,
    /// The fair market value, computed by Massive.
    #[serde(borrow)]
    fmv: Option<Loose<'a>>,
}

impl<'a> Event<'a> {
    /// `{"ev":"T","sym":"AAPL","i":"1","x":4,"p":114.125,"s":100,"ds":"100.5","c":[0],"t":1536036818784,"q":3,"z":3}`
    fn trade(self) -> Result<Observation<'a>, Fault> {
        let fields =
            Fields { last_price: Some(wanted("p", self.p)?), last_size: first([self.ds, self.s]), ..Fields::default() };
        let trade_id = self.i.and_then(Loose::integer);
        Ok(Observation { trade_id, ..self.said([self.sym, self.pair], self.t, fields)? })
    }

    /// `{"ev":"Q","sym":"AAPL","bp":114.1,"bs":1,"ap":114.2,"as":2,"t":1536036818784,"q":4}`
    /// `{"ev":"C","p":"USD/CNH","x":"44","a":6.83366,"b":6.83363,"t":1536036818784}`
    fn quote(self) -> Result<Observation<'a>, Fault> {
        // A side without orders has price 0.
        let side = |prices, size| match first(prices).filter(|price: &Price| !price.get().is_zero()) {
            Some(price) => (Some(price), first([size])),
            None => (None, None),
        };
        let (bid_price, bid_size) = side([self.bp, self.b], self.bs);
        let (ask_price, ask_size) = side([self.ap, self.a], self.ask_size);
        if (bid_price, ask_price) == (None, None) {
            return Err(Fault::Nothing("empty_quote"));
        }
        let fields = Fields { bid_price, bid_size, ask_price, ask_size, ..Fields::default() };
        self.said([self.sym, self.pair.or(self.p)], self.t, fields)
    }

    /// `{"ev":"AM","sym":"AAPL","v":4110,"av":9470157,"op":114.04,"vw":114.1,"o":114.1,"c":114.14,"s":..,"e":..}`
    fn bar(self) -> Result<Observation<'a>, Fault> {
        let fields = Fields {
            last_price: Some(wanted("c", self.c)?),
            // Before the opening auction it is 0.
            open_price: first([self.op]).filter(|price: &Price| !price.get().is_zero()),
            volume: first([self.dav, self.av]),
            ..Fields::default()
        };
        self.said([self.sym, self.pair.or(self.p)], self.e, fields)
    }

    /// `{"ev":"V","val":3988.5,"T":"I:SPX","t":1678220098130}`
    fn value(self) -> Result<Observation<'a>, Fault> {
        let fields = Fields { last_price: Some(wanted("val", self.val)?), ..Fields::default() };
        self.said([self.ticker, self.sym], self.t, fields)
    }

    /// `{"ev":"FMV","fmv":189.22,"sym":"AAPL","t":1678220098130}`
    fn fair_value(self) -> Result<Observation<'a>, Fault> {
        let fields = Fields { last_price: Some(wanted("fmv", self.fmv)?), ..Fields::default() };
        self.said([self.sym, self.pair], self.t, fields)
    }

    fn said(
        &self,
        names: [Option<Loose<'a>>; 2],
        at: Option<Loose<'a>>,
        fields: Fields,
    ) -> Result<Observation<'a>, Fault> {
        let symbol: Option<Cow<'a, str>> = names.into_iter().flatten().find_map(Loose::text);
        let symbol = symbol.filter(|symbol| !symbol.is_empty()).ok_or(Fault::Missing("symbol"))?;
        Ok(Observation { symbol, exchange_at: at.and_then(moment), trade_id: None, fields })
    }
}

/// A price without which the event says nothing.
fn wanted(field: &'static str, value: Option<Loose<'_>>) -> Result<Price, Fault> {
    value.ok_or(Fault::Missing("price"))?.read().map_err(|number| Fault::Number(field, number))
}

/// The first that can be read.
fn first<'a, T: FromStr>(values: impl IntoIterator<Item = Option<Loose<'a>>>) -> Option<T> {
    values.into_iter().flatten().find_map(|value| value.read().ok())
}

/// Milliseconds since 1970; finer times are told by their size.
fn moment(value: Loose<'_>) -> Option<UnixMicros> {
    let number = value.integer().filter(|number| 0 < *number)?;
    if number < MICROS_FROM {
        return UnixMicros::from_millis(number);
    }
    Some(UnixMicros(if number < NANOS_FROM { number } else { number / 1_000 }))
}

#[cfg(test)]
mod tests;
