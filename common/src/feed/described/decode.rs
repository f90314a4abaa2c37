//! Events to observations.

use std::str::FromStr;

use jiff::Timestamp;
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::value::RawValue;

use crate::clock::UnixMicros;
use crate::feed::DecodeError;
use crate::feed::described::description::{Description, Event, Slot, TimeUnit};
use crate::feed::described::pointer;
use crate::feed::described::session::KIND;
use crate::market::{BadNumber, Fields, Observation};

/// Everything that a frame says, appended to `out`. Nothing on error.
pub(super) fn observations<'a>(
    description: &Description,
    body: &'a str,
    out: &mut Vec<Observation<'a>>,
) -> Result<(), DecodeError> {
    let frame: &'a RawValue = serde_json::from_str(body).map_err(|error| malformed(&error))?;
    let events = description.events(frame);
    let read = events.into_iter().filter_map(|event| observation(description, event).transpose());
    let read = read.collect::<Result<Vec<_>, DecodeError>>()?;
    if read.is_empty() {
        return Err(DecodeError::Skip("no_price"));
    }
    out.extend(read);
    Ok(())
}

/// `None` where the event carries no value.
fn observation<'a>(description: &Description, event: Event<'a>) -> Result<Option<Observation<'a>>, DecodeError> {
    let Some(symbol) = description.symbol_of(event) else { return Ok(None) };
    let mut fields = Fields::default();
    for (slot, pointer) in &description.values {
        if let Some(found) = event.at(pointer) {
            set(&mut fields, *slot, found)?;
        }
    }
    if fields.is_empty() {
        return Ok(None);
    }
    let time = description.time.as_ref().and_then(|(pointer, unit)| Some((event.at(pointer)?, unit)));
    let exchange_at = time.map(|(found, unit)| moment(found, *unit)).transpose()?;
    Ok(Some(Observation { symbol, exchange_at, trade_id: None, fields }))
}

fn set(fields: &mut Fields, slot: Slot, found: &RawValue) -> Result<(), DecodeError> {
    match slot {
        Slot::LastPrice => fields.last_price = number(found, "price")?,
        Slot::LastSize => fields.last_size = number(found, "size")?,
        Slot::BidPrice => fields.bid_price = number(found, "bid")?,
        Slot::BidSize => fields.bid_size = number(found, "bid_size")?,
        Slot::AskPrice => fields.ask_price = number(found, "ask")?,
        Slot::AskSize => fields.ask_size = number(found, "ask_size")?,
        Slot::OpenPrice => fields.open_price = number(found, "open")?,
        Slot::HighPrice => fields.high_price = number(found, "high")?,
        Slot::LowPrice => fields.low_price = number(found, "low")?,
        Slot::PreviousClose => fields.previous_close = number(found, "previous_close")?,
        Slot::Volume => fields.volume = number(found, "volume")?,
        Slot::OpenInterest => fields.open_interest = number(found, "open_interest")?,
    }
    Ok(())
}

/// A text or a plain number, in its own digits. An empty text is no value.
fn number<T: FromStr<Err = BadNumber>>(found: &RawValue, field: &'static str) -> Result<Option<T>, DecodeError> {
    let text = pointer::text(found);
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|number| DecodeError::Number { field, number })
}

fn moment(found: &RawValue, unit: TimeUnit) -> Result<UnixMicros, DecodeError> {
    let text = pointer::text(found);
    let at = match unit {
        TimeUnit::Rfc3339 => text.parse::<Timestamp>().ok().map(|at| UnixMicros(at.as_microsecond())),
        TimeUnit::Since1970 { per_second } => micros(&text, per_second),
    };
    at.ok_or_else(|| malformed(&format!("{:?} is no time", text.chars().take(40).collect::<String>())))
}

/// Exact; what is finer than a microsecond is cut off.
fn micros(text: &str, per_second: u32) -> Option<UnixMicros> {
    let moment = Decimal::from_str_exact(text).or_else(|_| Decimal::from_scientific(text)).ok()?;
    let micros = moment.checked_mul(1_000_000.into())?.checked_div(per_second.into())?;
    micros.to_i64().map(UnixMicros)
}

fn malformed(problem: &impl ToString) -> DecodeError {
    DecodeError::Malformed { kind: KIND.into(), problem: problem.to_string() }
}
