//! Futures and options as Indian exchanges spell them.
//!
//! ```text
//! future := UND expiry "FUT"
//! option := UND expiry STRIKE ("CE" | "PE")          STRIKE = 24000 | 86.625 | .965
//! expiry := YY MMM                                   monthly, and the last week of a month
//!         | YY M DD                                  weekly; M = 1..9 | O | N | D
//! ```
//!
//! Nothing separates the parts, so a contract is read from the right, the monthly form first. Where a weekly contract
//! writes its month as a digit, its expiry can be told from the underlying only if that ends in a non-digit.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::market::symbol::{Problem, full_year, real_day, two_digits};
use crate::market::{Expiry, Instrument, Kind, Right};

/// The months of the monthly form, January first.
pub(in crate::market) const MONTHS: [&str; 12] =
    ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];

/// What a future's or an option's symbol says.
#[derive(Clone, Copy)]
pub(in crate::market) struct Contract<'a> {
    pub underlying: &'a str,
    pub expiry: Expiry,
    pub option: Option<(Decimal, Right)>,
}

impl Contract<'_> {
    /// This contract at `exchange`.
    pub(in crate::market::symbol) fn on(self, exchange: &str) -> Instrument {
        Instrument {
            exchange: exchange.into(),
            underlying: self.underlying.into(),
            kind: if self.option.is_some() { Kind::Opt } else { Kind::Fut },
            expiry: Some(self.expiry),
            option: self.option,
            series: None,
        }
    }
}

/// Reads `local`, which must be ASCII.
pub(in crate::market) fn read(local: &str) -> Result<Contract<'_>, Problem> {
    let (terms, right) = terms(local)?;
    let (underlying, expiry, strike) = split(terms)?;
    if underlying.is_empty() {
        return Err("no underlying before the expiry".into());
    }
    if underlying.contains(' ') {
        return Err("a space inside the underlying".into());
    }
    let option = match right {
        Some(right) => Some((read_strike(strike)?, right)),
        None if strike.is_empty() => None,
        None => return Err(format!("{strike:?} between the expiry and FUT").into()),
    };
    Ok(Contract { underlying, expiry, option })
}

/// Takes the ending off: no right means a future.
pub(in crate::market) fn terms(local: &str) -> Result<(&str, Option<Right>), Problem> {
    if let Some(terms) = local.strip_suffix("FUT") {
        return Ok((terms, None));
    }
    if let Some(terms) = local.strip_suffix("CE") {
        return Ok((terms, Some(Right::Call)));
    }
    if let Some(terms) = local.strip_suffix("PE") {
        return Ok((terms, Some(Right::Put)));
    }
    Err("neither a series behind a dash nor FUT, CE or PE at the end".into())
}

/// Underlying, expiry, and the strike's text.
fn split(terms: &str) -> Result<(&str, Expiry, &str), Problem> {
    let head = terms.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let digits = &terms[head.len()..];
    if let Some((underlying, expiry)) = monthly(head) {
        return Ok((underlying, expiry, digits));
    }
    if let Some((underlying, day)) = lettered_month(head, digits) {
        // The letter marks the place: what stands before it may end in digits.
        return Ok((underlying, Expiry::Day(day), &digits[2..]));
    }
    let week = digits
        .get(..5)
        .filter(|week| !week.contains('.'))
        .ok_or_else(|| format!("no expiry before {digits:?}: neither YYMMM nor YYMDD"))?;
    // Government stock is named by its rate and year, e.g. 718GS2037.
    if head.strip_suffix("GS").is_some_and(|rate| rate.bytes().all(|b| b.is_ascii_digit())) {
        return Err("the name of a bond ends in its year: only the symbol master tells it from the expiry".into());
    }
    let day = numbered_month(week).ok_or_else(|| {
        format!("{week:?} is no day (YYMDD); if the underlying ends in digits, only the symbol master can tell")
    })?;
    Ok((head, Expiry::Day(day), &digits[5..]))
}

/// `RELIANCE25JUL` -> `RELIANCE`, 2025-07.
fn monthly(head: &str) -> Option<(&str, Expiry)> {
    let (rest, month) = head.split_at_checked(head.len().checked_sub(3)?)?;
    let (underlying, year) = rest.split_at_checked(rest.len().checked_sub(2)?)?;
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month)?.1;
    let year = full_year(two_digits(year)?);
    Some((underlying, Expiry::Month { year, month }))
}

/// `SENSEX25D` and `0479800` -> `SENSEX`, 2025-12-04.
fn lettered_month<'a>(head: &'a str, digits: &str) -> Option<(&'a str, Date)> {
    let (rest, letter) = head.split_at_checked(head.len().checked_sub(1)?)?;
    let (underlying, year) = rest.split_at_checked(rest.len().checked_sub(2)?)?;
    let month = match letter {
        "O" => 10,
        "N" => 11,
        "D" => 12,
        _ => return None,
    };
    let day = real_day(two_digits(year)?, month, two_digits(digits.get(..2)?)?)?;
    Some((underlying, day))
}

/// `25710` -> 2025-07-10; the month is 1 to 9.
fn numbered_month(week: &str) -> Option<Date> {
    let month = week.get(2..3)?.parse().ok()?;
    real_day(two_digits(week.get(..2)?)?, month, two_digits(week.get(3..)?)?)
}

pub(in crate::market) fn read_strike(text: &str) -> Result<Decimal, Problem> {
    let odd = || format!("{text:?} is no strike");
    if text.is_empty() {
        return Err("no strike between the expiry and the right".into());
    }
    if text.ends_with('.') {
        return Err(odd().into());
    }
    let strike = Decimal::from_str_exact(text).ok().filter(|strike| !strike.is_zero());
    Ok(strike.ok_or_else(odd)?.normalize())
}
