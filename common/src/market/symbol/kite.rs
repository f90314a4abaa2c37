//! Kite symbols: the exchange's own trading symbol, the exchange's name in front if one likes.
//!
//! ```text
//! symbol := [ EXCH ":" ] ( NAME [ "-" SERIES ] | contract )    EXCH = NSE | BSE | NFO | BFO | CDS | BCD | MCX | NCO
//! ```
//!
//! A share of the series EQ has no series behind it; names may hold dashes (`BAJAJ-AUTO`, `MCDOWELL-N`), so only two
//! characters behind the last one are a series. Contracts are spelled as the exchanges spell them, and so as Fyers
//! does. Kite itself names instruments by numbers, which only its instruments list can turn into symbols.

use crate::feed::SymbolError;
use crate::market::symbol::fyers::{contract, kind_of, may_occur};
use crate::market::symbol::{Problem, check_length, refusal};
use crate::market::{Instrument, Kind};

/// The feed's name in errors.
const FEED: &str = "kite";

/// What an exchange's segment lists.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lists {
    Cash,
    Contracts,
    /// No segment was named.
    Either,
}

/// Kite's names of segments, and the exchange that each belongs to.
const SEGMENTS: [(&str, &str, Lists); 8] = [
    ("NSE", "NSE", Lists::Cash),
    ("BSE", "BSE", Lists::Cash),
    ("NFO", "NSE", Lists::Contracts),
    ("BFO", "BSE", Lists::Contracts),
    ("CDS", "NSE", Lists::Contracts),
    ("BCD", "BSE", Lists::Contracts),
    ("MCX", "MCX", Lists::Contracts),
    ("NCO", "NSE", Lists::Contracts),
];

/// Indices that are one word, as a share is.
const ONE_WORD_INDICES: [&str; 3] = ["SENSEX", "BANKEX", "SENSEX50"];

/// Characters of a series, e.g. `BE`, `N5`.
const SERIES_CHARS: usize = 2;

/// Reads a Kite symbol, e.g. `NSE:INFY`, `NFO:NIFTY26AUG24500CE`, `CENTRALBK-BE`.
///
/// # Errors
/// When the symbol does not follow the grammar, or is an instrument's number.
pub fn parse(symbol: &str) -> Result<Instrument, SymbolError> {
    read(symbol).map_err(|problem| refusal(FEED, symbol, problem))
}

fn read(symbol: &str) -> Result<Instrument, Problem> {
    check_length(symbol)?;
    let (exchange, local, lists) = match symbol.split_once(':') {
        None => ("NSE", symbol, Lists::Either),
        Some((segment, local)) => {
            let known = SEGMENTS.iter().find(|(name, ..)| *name == segment);
            let (_, exchange, lists) = known.ok_or_else(|| unknown_segment(segment))?;
            (*exchange, local, *lists)
        }
    };
    if !local.is_empty() && local.bytes().all(|b| b.is_ascii_digit()) {
        return Err("an instrument's number; only Kite's instruments list tells what it stands for".into());
    }
    // From here on every character is one byte: slicing cannot hit the middle of one.
    if let Some(odd) = local.chars().find(|&c| !may_occur(c)) {
        return Err(format!("{odd:?} does not occur in symbols").into());
    }
    match (lists, contract::read(local)) {
        (Lists::Contracts | Lists::Either, Ok(contract)) => Ok(contract.on(exchange)),
        (Lists::Contracts, Err(problem)) => Err(problem),
        // `RELIANCE` ends as a call does.
        (Lists::Cash, _) | (Lists::Either, Err(_)) => cash(exchange, local),
    }
}

fn unknown_segment(segment: &str) -> Problem {
    let known: Vec<&str> = SEGMENTS.iter().map(|(name, ..)| *name).collect();
    format!("unknown exchange {segment:?}; there are {}", known.join(", ")).into()
}

/// Shares, bonds, funds and indices.
fn cash(exchange: &str, local: &str) -> Result<Instrument, Problem> {
    if local.trim_ascii().len() != local.len() || local.is_empty() {
        return Err("no name, or a space at its edge".into());
    }
    let is_index = local.contains(' ') || ONE_WORD_INDICES.contains(&local);
    let (underlying, kind) = match local.rsplit_once('-') {
        _ if is_index => (local, Kind::Index),
        Some((name, series)) if !name.is_empty() && is_series(series) => (name, kind_of(series)),
        _ => (local, Kind::Eq),
    };
    let (exchange, underlying) = (exchange.into(), underlying.into());
    Ok(Instrument { exchange, underlying, kind, expiry: None, option: None, series: None })
}

fn is_series(text: &str) -> bool {
    text.len() == SERIES_CHARS
        && text.starts_with(|c: char| c.is_ascii_uppercase())
        && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

#[cfg(test)]
mod tests;
