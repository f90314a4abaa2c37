//! The events that come by the thousand, in the form that Binance sends them. Anything unusual is `None`.

use std::borrow::Cow;

use crate::clock::UnixMicros;
use crate::feed::number::At;
use crate::market::{BadNumber, Fields, Observation};
use crate::scan::{Scalar, Scanner};

/// Appends what `super::thoroughly` would say; `None`, and nothing appended, where it must be asked.
pub(super) fn observe<'a>(kind: &str, body: &'a str, out: &mut Vec<Observation<'a>>) -> Option<()> {
    match kind {
        "trade" => trade(body, b't', out),
        "aggTrade" => trade(body, b'a', out),
        "bookTicker" => book_ticker(body, out),
        _ => None,
    }
}

/// The members of the event in `{"stream":"btcusdt@trade","data":{..}}`.
fn event<'a>(body: &'a str, member: impl FnMut(&'a str, Scalar<'a>) -> Option<()>) -> Option<()> {
    let mut scanner = Scanner::new(body);
    scanner.literal("{\"stream\":\"")?;
    scanner.until_quote()?;
    scanner.literal(",\"data\":")?;
    scanner.object(member)?;
    (scanner.rest() == "}").then_some(())
}

/// Fills an empty place; a member that comes twice is for the parser to refuse.
fn once<T>(place: &mut Option<T>, value: Option<T>) -> Option<()> {
    let is_first = place.is_none() && value.is_some();
    *place = value;
    is_first.then_some(())
}

fn trade<'a>(body: &'a str, id_key: u8, out: &mut Vec<Observation<'a>>) -> Option<()> {
    let (mut symbol, mut id, mut price, mut size, mut at) = (None, None, None, None, None);
    event(body, |key, value| match key.as_bytes() {
        b"s" => once(&mut symbol, text(value)),
        b"p" => once(&mut price, number(value)),
        b"q" => once(&mut size, number(value)),
        b"T" => once(&mut at, moment(value)),
        b"X" if value != Scalar::Text("MARKET") => None,
        [key] if *key == id_key => once(&mut id, integer(value)),
        _ => Some(()),
    })?;
    let fields = Fields { last_price: Some(price?), last_size: Some(size?), ..Fields::default() };
    out.push(Observation { symbol: symbol?, exchange_at: Some(at?), trade_id: Some(id?), fields });
    Some(())
}

fn book_ticker<'a>(body: &'a str, out: &mut Vec<Observation<'a>>) -> Option<()> {
    let (mut symbol, mut at, mut sent_at) = (None, None, None);
    let (mut bid_price, mut bid_size, mut ask_price, mut ask_size) = (None, None, None, None);
    event(body, |key, value| match key.as_bytes() {
        b"s" => once(&mut symbol, text(value)),
        b"b" => once(&mut bid_price, number(value)),
        b"B" => once(&mut bid_size, number(value)),
        b"a" => once(&mut ask_price, number(value)),
        b"A" => once(&mut ask_size, number(value)),
        b"T" => once(&mut at, moment(value)),
        b"E" => once(&mut sent_at, moment(value)),
        _ => Some(()),
    })?;
    let fields = Fields {
        bid_price: Some(bid_price?),
        bid_size: Some(bid_size?),
        ask_price: Some(ask_price?),
        ask_size: Some(ask_size?),
        ..Fields::default()
    };
    out.push(Observation { symbol: symbol?, exchange_at: at.or(sent_at), trade_id: None, fields });
    Some(())
}

fn text(value: Scalar<'_>) -> Option<Cow<'_, str>> {
    if let Scalar::Text(text) = value { Some(text.into()) } else { None }
}

fn number<T: std::str::FromStr<Err = BadNumber>>(value: Scalar<'_>) -> Option<T> {
    match value {
        Scalar::Text(digits) | Scalar::Number(digits) => digits.parse().ok(),
        Scalar::Bool | Scalar::Null => None,
    }
}

fn integer(value: Scalar<'_>) -> Option<i64> {
    if let Scalar::Number(digits) = value { digits.parse().ok() } else { None }
}

fn moment(value: Scalar<'_>) -> Option<UnixMicros> {
    At::try_from(integer(value)?).ok().map(|at| at.0)
}
