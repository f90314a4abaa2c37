//! Fyers symbols: the exchange's own trading symbol behind the exchange's name.
//!
//! ```text
//! symbol := EXCH ":" ( NAME "-" SERIES | NAME "-INDEX" | contract )     EXCH = NSE | BSE | MCX
//! ```
//!
//! A name may hold dashes, so the series stands behind the last one: `NSE:BAJAJ-AUTO-EQ`. Contracts are read by
//! [`contract`]. A monthly contract names no day: its expiry is year and month until a symbol master tells the day.

pub(in crate::market) mod contract;

use crate::feed::SymbolError;
use crate::market::symbol::{Problem, check_length, refusal};
use crate::market::{Instrument, Kind};

/// The feed's name in errors.
const FEED: &str = "fyers";

/// The exchanges that Fyers serves.
const EXCHANGES: [&str; 3] = ["NSE", "BSE", "MCX"];

/// The series under which indices are listed.
const INDEX: &str = "INDEX";

/// Most characters of an exchange's series, e.g. `EQ`, `N0`, `A`.
const SERIES_CHARS_MAX: usize = 2;

/// Reads a Fyers symbol, e.g. `NSE:RELIANCE25JULFUT`.
///
/// # Errors
/// When the symbol does not follow the grammar, or when only a symbol master could tell what it means.
pub fn parse(symbol: &str) -> Result<Instrument, SymbolError> {
    read(symbol).map_err(|problem| refusal(FEED, symbol, problem))
}

fn read(symbol: &str) -> Result<Instrument, Problem> {
    check_length(symbol)?;
    let (exchange, local) = symbol.split_once(':').ok_or("no exchange and colon in front, as in `NSE:`")?;
    if !EXCHANGES.contains(&exchange) {
        return Err(format!("unknown exchange {exchange:?}; there are {}", EXCHANGES.join(", ")).into());
    }
    // From here on every character is one byte: slicing cannot hit the middle of one.
    if let Some(odd) = local.chars().find(|&c| !may_occur(c)) {
        return Err(format!("{odd:?} does not occur in symbols").into());
    }
    match local.rsplit_once('-') {
        Some((name, series)) if is_series(series) => cash(exchange, name, series),
        _ => contract::read(local).map(|contract| contract.on(exchange)),
    }
}

/// Shares, bonds, funds and indices: everything with a series.
fn cash(exchange: &str, name: &str, series: &str) -> Result<Instrument, Problem> {
    let kind = kind_of(series);
    if name.trim_ascii().len() != name.len() || name.is_empty() {
        return Err("no name, or a space at its edge".into());
    }
    if name.contains(' ') && kind != Kind::Index {
        return Err("a space inside the name, which only indices have".into());
    }
    Ok(Instrument {
        exchange: exchange.into(),
        underlying: name.into(),
        kind,
        expiry: None,
        option: None,
        series: Some(series.into()),
    })
}

/// Names hold capitals, digits and signs; what BSE puts into its names beside `&-.` is not documented, so all signs
/// pass but the colon.
pub(super) fn may_occur(c: char) -> bool {
    c == ' ' || (c.is_ascii_graphic() && !c.is_ascii_lowercase() && c != ':')
}

fn is_series(text: &str) -> bool {
    text == INDEX
        || (1..=SERIES_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// What a series holds. Exchanges add series freely, so one that is not listed here is no error.
pub(in crate::market) fn kind_of(series: &str) -> Kind {
    match series.as_bytes() {
        b"INDEX" => Kind::Index,
        // NSE: normal, trade-to-trade (BE, BZ), small companies (SM, ST). BSE: A and B.
        b"EQ" | b"BE" | b"BZ" | b"SM" | b"ST" | b"A" | b"B" => Kind::Eq,
        // NSE: government stock, gold bonds, state loans, bills, and corporate debt N0..NZ, Y0..YZ. BSE: F and G.
        b"GS" | b"GB" | b"SG" | b"TB" | b"F" | b"G" | [b'N' | b'Y', _] => Kind::Debt,
        b"MF" => Kind::Fund,
        _ => Kind::Misc,
    }
}

#[cfg(test)]
mod tests;
