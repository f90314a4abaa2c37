//! Upstox' instruments in their older form: CSV with a head.
//!
//! It names no underlying, so contracts are read by the grammar of the trading symbol as far as underlying goes; day,
//! strike and right are the file's own columns.

use jiff::civil::Date;

use super::{Columns, MasterRows, Problem, column, each_record, upstox};
use crate::market::symbol::fyers::contract;
use crate::market::{MasterRow, Right};

pub(super) fn read(text: &str, found: &mut MasterRows) -> Result<(), Problem> {
    let head = csv::ReaderBuilder::new().from_reader(text.as_bytes()).headers().map(Columns::new);
    let head = head.map_err(|error| error.to_string())?;
    let key = head.find("instrument_key")?;
    let symbol = head.find("tradingsymbol")?;
    let (expiry, strike) = (head.find("expiry")?, head.find("strike")?);
    let (class, right) = (head.find("instrument_type")?, head.find("option_type")?);
    let segment = head.find("exchange")?;
    each_record(text, true, found, |record| {
        let text = |place| column(record, place);
        if text(key).is_empty() || text(symbol).is_empty() {
            return Err("an empty instrument_key or tradingsymbol".into());
        }
        let right = match text(right) {
            "CE" => Some(Right::Call),
            "PE" => Some(Right::Put),
            _ => None,
        };
        let instrument = if right.is_some() || text(class).starts_with("FUT") {
            let day: Date = text(expiry).parse().map_err(|_no_day| "no expiry (YYYY-MM-DD)")?;
            let underlying = underlying(text(symbol), day)?;
            let option = right.map(|right| Ok::<_, Problem>((super::strike(text(strike))?, right))).transpose()?;
            upstox::contract(text(segment), underlying, day, option)
        } else {
            upstox::spot(text(segment), text(symbol), text(class))
        };
        let symbol = format!("{}:{}", text(segment), text(symbol)).into();
        Ok(MasterRow { symbol, key: text(key).into(), instrument })
    });
    Ok(())
}

/// What stands before the expiry. `day` tells both forms of it, so digits at the end of an underlying do no harm; where
/// a contract is called after another month than it ends in, the grammar has to tell.
fn underlying(symbol: &str, day: Date) -> Result<&str, Problem> {
    let year = day.year().rem_euclid(100);
    let month = usize::try_from(day.month() - 1).ok().and_then(|month| contract::MONTHS.get(month));
    let monthly = month.map(|month| format!("{year:02}{month}"));
    let weekly = match day.month() {
        10 => format!("{year:02}O{:02}", day.day()),
        11 => format!("{year:02}N{:02}", day.day()),
        12 => format!("{year:02}D{:02}", day.day()),
        month => format!("{year:02}{month}{:02}", day.day()),
    };
    let place = monthly.and_then(|form| symbol.find(&form)).or_else(|| symbol.find(&weekly));
    match place.map(|place| &symbol[..place]) {
        Some(underlying) if !underlying.is_empty() => Ok(underlying),
        _ if symbol.is_ascii() => contract::read(symbol).map(|contract| contract.underlying),
        _ => Err(format!("no underlying before {day} in {symbol:?}").into()),
    }
}
