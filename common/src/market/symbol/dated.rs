//! Indian contracts that write their whole day: `DDMMMYY`. Angel One, Shoonya, `OpenAlgo` and Global Data Feeds do.
//!
//! ```text
//! symbol := [ EXCH ":" ] local                       EXCH = NSE | NFO | CDS | BSE | BFO | BCD | MCX | ...
//! local  := UND DD MMM YY ( "FUT" | STRIKE ("CE" | "PE") )
//!         | TYPE "_" UND "_" DD MMM YYYY "_" ("XX" | "CE" | "PE") "_" STRIKE
//!         | NAME [ "-" SERIES ]                      shares; an index behind NSE_INDEX and BSE_INDEX
//! ```
//!
//! Examples: `NIFTY06JAN2217200CE`, `NFO:NIFTY28APR2625000CE`, `OPTSTK_RELIANCE_27JAN2022_PE_2300`. Without an
//! exchange in front it is NSE, or MCX for commodities that say so. The day is part of the symbol, so no master is
//! needed.

use jiff::civil::Date;
use rust_decimal::Decimal;

use crate::feed::SymbolError;
use crate::market::symbol::fyers::contract::{MONTHS, read_strike, terms};
use crate::market::symbol::fyers::kind_of;
use crate::market::symbol::{Problem, check_length, real_day, refusal, two_digits};
use crate::market::{Expiry, Instrument, Kind, Right};

/// What stands behind an exchange's name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Segment {
    Any,
    Contracts,
    Indices,
}

/// The names that stand in front of a colon, the exchange they mean, and what it lists under that name.
const EXCHANGES: [(&str, &str, Segment); 12] = [
    ("NSE", "NSE", Segment::Any),
    ("BSE", "BSE", Segment::Any),
    ("NFO", "NSE", Segment::Contracts),
    ("CDS", "NSE", Segment::Contracts),
    ("NCO", "NSE", Segment::Contracts),
    ("BFO", "BSE", Segment::Contracts),
    ("BCD", "BSE", Segment::Contracts),
    ("MCX", "MCX", Segment::Contracts),
    ("NCDEX", "NCDEX", Segment::Contracts),
    ("NSE_INDEX", "NSE", Segment::Indices),
    ("BSE_INDEX", "BSE", Segment::Indices),
    ("MCX_INDEX", "MCX", Segment::Indices),
];

/// Reads such a symbol for `feed`, whose name stands in errors.
///
/// # Errors
/// When it follows none of the forms, or names a day that is not in the calendar.
pub fn parse(feed: &'static str, symbol: &str) -> Result<Instrument, SymbolError> {
    read(symbol).map_err(|problem| refusal(feed, symbol, problem))
}

fn read(symbol: &str) -> Result<Instrument, Problem> {
    check_length(symbol)?;
    let (place, local) = symbol.split_once(':').map_or((None, symbol), |(place, local)| (Some(place), local));
    let (exchange, segment) = match place {
        None => (None, Segment::Any),
        Some(place) => {
            let known = EXCHANGES.iter().find(|(name, ..)| *name == place);
            let (_, exchange, segment) = known.ok_or_else(|| format!("unknown exchange {place:?}"))?;
            (Some(*exchange), *segment)
        }
    };
    // From here on every character is one byte: slicing cannot hit the middle of one.
    if let Some(odd) = local.chars().find(|c| !(c.is_ascii_graphic() || *c == ' ') || *c == ':') {
        return Err(format!("{odd:?} does not occur in symbols").into());
    }
    if segment == Segment::Indices {
        return cash(exchange.unwrap_or("NSE"), local, Kind::Index, None);
    }
    if let Some((class, rest)) = local.split_once('_').filter(|(class, _)| is_class(class)) {
        return underscored(exchange.unwrap_or(if is_commodity(class) { "MCX" } else { "NSE" }), rest);
    }
    let exchange = exchange.unwrap_or("NSE");
    let is_contract = terms(local).is_ok() && local.bytes().any(|b| b.is_ascii_digit());
    if segment == Segment::Contracts || is_contract {
        return joined(exchange, local);
    }
    // Only NSE's series stand behind a dash, and they have two characters: `BAJAJ-AUTO` has none.
    match local.rsplit_once('-') {
        Some((_, "I" | "II" | "III")) => Err("a continuous contract names no expiry".into()),
        Some((name, series)) if series.len() == 2 && exchange == "NSE" => {
            cash(exchange, name, kind_of(series), Some(series))
        }
        _ => cash(exchange, local, Kind::Eq, None),
    }
}

fn cash(exchange: &str, name: &str, kind: Kind, series: Option<&str>) -> Result<Instrument, Problem> {
    if name.is_empty() || name.trim_ascii().len() != name.len() {
        return Err("no name, or a space at its edge".into());
    }
    let series = series.map(Into::into);
    Ok(Instrument { exchange: exchange.into(), underlying: name.into(), kind, expiry: None, option: None, series })
}

/// `NIFTY06JAN2217200CE`, `NIFTY27JAN22FUT`.
fn joined(exchange: &str, local: &str) -> Result<Instrument, Problem> {
    let (terms, right) = terms(local)?;
    let head = terms.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.');
    let (year, strike) = terms[head.len()..].split_at_checked(2).ok_or("no year behind the month")?;
    let (underlying, day) = day_at_end(head, year).ok_or("no day (DDMMMYY) before the strike")?;
    match right {
        Some(right) => contract(exchange, underlying, day, Some((read_strike(strike)?, right))),
        None if strike.is_empty() => contract(exchange, underlying, day, None),
        None => Err(format!("{strike:?} between the expiry and FUT").into()),
    }
}

/// `RELIANCE_27JAN2022_PE_2300`, what follows `OPTSTK_`.
fn underscored(exchange: &str, rest: &str) -> Result<Instrument, Problem> {
    let form = || Problem::from("not UNDERLYING_DDMMMYYYY_RIGHT_STRIKE behind the instrument's class");
    let mut parts = rest.rsplitn(4, '_');
    let (strike, right) = (parts.next().ok_or_else(form)?, parts.next().ok_or_else(form)?);
    let (day, underlying) = (parts.next().ok_or_else(form)?, parts.next().ok_or_else(form)?);
    let (head, year) = day.split_at_checked(5).ok_or_else(form)?;
    let year = year.strip_prefix("20").filter(|year| year.len() == 2).ok_or("no year of this century in its day")?;
    let day = day_at_end(head, year).filter(|(before, _)| before.is_empty());
    let (_, day) = day.ok_or("no day (DDMMMYYYY) before the right")?;
    match right {
        "XX" => contract(exchange, underlying, day, None),
        "CE" => contract(exchange, underlying, day, Some((read_strike(strike)?, Right::Call))),
        "PE" => contract(exchange, underlying, day, Some((read_strike(strike)?, Right::Put))),
        _ => Err(format!("{right:?} is neither XX nor CE nor PE").into()),
    }
}

fn contract(
    exchange: &str,
    underlying: &str,
    day: Date,
    option: Option<(Decimal, Right)>,
) -> Result<Instrument, Problem> {
    if underlying.is_empty() || underlying.contains(' ') {
        return Err("no underlying before the expiry, or a space in it".into());
    }
    Ok(Instrument {
        exchange: exchange.into(),
        underlying: underlying.into(),
        kind: if option.is_some() { Kind::Opt } else { Kind::Fut },
        expiry: Some(Expiry::Day(day)),
        option,
        series: None,
    })
}

/// `NIFTY06JAN` and `22` -> `NIFTY`, 2022-01-06.
fn day_at_end<'a>(head: &'a str, year: &str) -> Option<(&'a str, Date)> {
    let (rest, month) = head.split_at_checked(head.len().checked_sub(3)?)?;
    let (underlying, day) = rest.split_at_checked(rest.len().checked_sub(2)?)?;
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month)?.1;
    Some((underlying, real_day(two_digits(year)?, month, two_digits(day)?)?))
}

/// The exchanges' classes of contracts, e.g. `FUTIDX`, `OPTSTK`.
fn is_class(text: &str) -> bool {
    matches!(text, "FUTIDX" | "FUTSTK" | "OPTIDX" | "OPTSTK" | "FUTCUR" | "OPTCUR") || is_commodity(text)
}

fn is_commodity(class: &str) -> bool {
    matches!(class, "FUTCOM" | "OPTCOM" | "OPTFUT")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (symbol, canonical) in [
            ("NIFTY06JAN2217200CE", "NSE:NIFTY:OPT:2022-01-06:17200:C"),
            ("NIFTY27JAN22FUT", "NSE:NIFTY:FUT:2022-01-27"),
            ("NFO:NIFTY28APR2625000CE", "NSE:NIFTY:OPT:2026-04-28:25000:C"),
            ("BFO:SENSEX5028APR2625000.5PE", "BSE:SENSEX50:OPT:2026-04-28:25000.5:P"),
            ("MCX:CRUDEOIL19AUG25FUT", "MCX:CRUDEOIL:FUT:2025-08-19"),
            ("M&M27JAN22800PE", "NSE:M&M:OPT:2022-01-27:800:P"),
            ("FUTIDX_NIFTY_27JAN2022_XX_0", "NSE:NIFTY:FUT:2022-01-27"),
            ("OPTSTK_RELIANCE_27JAN2022_PE_2300", "NSE:RELIANCE:OPT:2022-01-27:2300:P"),
            ("FUTCOM_GOLD_05FEB2022_XX_0", "MCX:GOLD:FUT:2022-02-05"),
            ("RELIANCE", "NSE:RELIANCE:EQ"),
            ("SBIN-EQ", "NSE:SBIN:EQ"),
            ("BAJAJ-AUTO", "NSE:BAJAJ-AUTO:EQ"),
            ("BSE:M&M", "BSE:M&M:EQ"),
            ("NSE_INDEX:NIFTY", "NSE:NIFTY:INDEX"),
        ] {
            assert_eq!(parse("openalgo", symbol).map(|read| read.to_string()), Ok(canonical.to_owned()), "{symbol}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_its_reason() {
        for (symbol, reason) in [
            ("", "empty"),
            ("XYZ:NIFTY27JAN22FUT", "unknown exchange"),
            ("NIFTY31FEB22FUT", "no day"),
            ("NIFTY27JANFUT", "no year"),
            ("NIFTY27JAN2217200FUT", "between the expiry and FUT"),
            ("NIFTY27JAN22CE", "no strike"),
            ("27JAN22FUT", "no underlying"),
            ("NIFTY-I", "continuous"),
            ("NFO:NIFTY", "neither a series"),
            ("FUTIDX_NIFTY_27JAN2022", "not UNDERLYING_"),
            ("FUTIDX_NIFTY_27JAN1922_XX_0", "no year of this century"),
            ("OPTIDX_NIFTY_27JAN2022_XE_17000", "neither XX nor CE"),
            ("NIFTY\u{e9}27JAN22FUT", "does not occur"),
        ] {
            let problem = parse("openalgo", symbol).unwrap_err().problem;
            assert!(problem.contains(reason), "{symbol}: {problem}");
        }
    }
}
