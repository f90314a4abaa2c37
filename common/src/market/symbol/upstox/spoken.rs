//! Contracts in words: `NIFTY 24450 CE 28 AUG 25`, `360ONE FUT 28 AUG 25`. Read from the right.

use jiff::civil::Date;

use crate::market::symbol::fyers::contract::{Contract, MONTHS, read_strike};
use crate::market::symbol::{Problem, real_day, two_digits};
use crate::market::{Expiry, Right};

/// Whether it ends as such a contract does, in a year behind a space.
pub(super) fn looks_spoken(symbol: &str) -> bool {
    symbol.rsplit_once(' ').is_some_and(|(_, end)| two_digits(end).is_some())
        && [" FUT ", " CE ", " PE "].iter().any(|term| symbol.contains(term))
}

/// Reads what stands behind the segment.
pub(super) fn read(local: &str) -> Result<Contract<'_>, Problem> {
    let form = || Problem::from("neither UNDERLYING FUT DD MMM YY nor UNDERLYING STRIKE CE|PE DD MMM YY");
    let mut words = local.rsplitn(5, ' ');
    let mut next = || words.next().ok_or_else(form);
    let (year, month, date, term, rest) = (next()?, next()?, next()?, next()?, next()?);
    let day = read_day(year, month, date).ok_or_else(|| format!("{date} {month} {year} is no day (DD MMM YY)"))?;
    let right = match term {
        "FUT" => None,
        "CE" => Some(Right::Call),
        "PE" => Some(Right::Put),
        _ => return Err(form()),
    };
    let (underlying, option) = match right {
        None => (rest, None),
        Some(right) => {
            let (underlying, strike) = rest.rsplit_once(' ').ok_or_else(form)?;
            (underlying, Some((read_strike(strike)?, right)))
        }
    };
    if underlying.is_empty() || underlying.trim_ascii().len() != underlying.len() {
        return Err("no underlying, or more than one space".into());
    }
    Ok(Contract { underlying, expiry: Expiry::Day(day), option })
}

fn read_day(year: &str, month: &str, day: &str) -> Option<Date> {
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month)?.1;
    real_day(two_digits(year)?, month, two_digits(day)?)
}
