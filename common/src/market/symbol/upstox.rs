//! Upstox symbols: instrument keys, and two spellings of names.
//!
//! ```text
//! key     := SEG "|" ( ISIN | token | index name )         NSE_EQ|INE002A01018, NSE_FO|71952, NSE_INDEX|Nifty 50
//! trading := SEG ":" local                                 NSE_FO:NIFTY25AUG24450CE, NSE_EQ:BAJAJ-AUTO
//! spoken  := SEG ":" UND ( STRIKE ("CE"|"PE") | "FUT" ) DD MMM YY      NSE_FO:NIFTY 24450 CE 28 AUG 25
//! ```
//!
//! Messages carry keys. A key by itself tells what an index is; of a share it tells the ISIN, which then serves as the
//! underlying; of a contract it tells nothing. Only Upstox' instruments file, read as symbol master, tells the rest.

mod spoken;

use crate::feed::SymbolError;
use crate::market::alias::index_name;
use crate::market::symbol::fyers::contract;
use crate::market::symbol::{Problem, check_length, refusal};
use crate::market::{Instrument, Kind};

/// The feed's name in errors.
const FEED: &str = "upstox";

/// Characters of an ISIN: country, nine of the country's own, check digit.
const ISIN_CHARS: usize = 12;

/// What a segment trades.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trades {
    Shares,
    Contracts,
    /// Commodities themselves, and contracts of them.
    Commodities,
    Indices,
}

/// Every segment, its exchange, and what it trades. NCD and BCD are currencies at NSE and BSE.
const SEGMENTS: [(&str, &str, Trades); 11] = [
    ("NSE_EQ", "NSE", Trades::Shares),
    ("BSE_EQ", "BSE", Trades::Shares),
    ("NSE_FO", "NSE", Trades::Contracts),
    ("BSE_FO", "BSE", Trades::Contracts),
    ("MCX_FO", "MCX", Trades::Contracts),
    ("NCD_FO", "NSE", Trades::Contracts),
    ("BCD_FO", "BSE", Trades::Contracts),
    ("NSE_COM", "NSE", Trades::Commodities),
    ("NSE_INDEX", "NSE", Trades::Indices),
    ("BSE_INDEX", "BSE", Trades::Indices),
    ("MCX_INDEX", "MCX", Trades::Indices),
];

/// Reads any of the three forms.
///
/// # Errors
/// When the symbol follows none of them, or when only a symbol master could tell what it means.
pub fn parse(symbol: &str) -> Result<Instrument, SymbolError> {
    if symbol.contains('|') {
        parse_key(symbol)
    } else if spoken::looks_spoken(symbol) {
        parse_json_symbol(symbol)
    } else {
        parse_trading(symbol)
    }
}

/// Reads an instrument key as far as it tells something by itself, e.g. `NSE_INDEX|Nifty 50` -> `NSE:NIFTY:INDEX`.
///
/// # Errors
/// When it is no key, or one of a contract or a commodity: only a symbol master knows those.
pub fn parse_key(key: &str) -> Result<Instrument, SymbolError> {
    read_key(key).map_err(|problem| refusal(FEED, key, problem))
}

/// Reads a trading symbol behind its segment, e.g. `NSE_FO:NIFTY25AUG24450CE`. A monthly contract names no day.
///
/// # Errors
/// When it does not follow the grammar, or when only a symbol master could tell what it means.
pub fn parse_trading(symbol: &str) -> Result<Instrument, SymbolError> {
    read_trading(symbol).map_err(|problem| refusal(FEED, symbol, problem))
}

/// Reads the name that the JSON instruments file gives a contract, behind its segment, e.g.
/// `NSE_FO:NIFTY 22600 PE 09 SEP 25`.
///
/// # Errors
/// When it does not follow the grammar.
pub fn parse_json_symbol(symbol: &str) -> Result<Instrument, SymbolError> {
    read_json_symbol(symbol).map_err(|problem| refusal(FEED, symbol, problem))
}

fn read_key(key: &str) -> Result<Instrument, Problem> {
    let (exchange, trades, name) = split(key, '|')?;
    match trades {
        Trades::Indices => Ok(plain(exchange, &index_underlying(name), Kind::Index)),
        Trades::Shares if is_isin(name) => Ok(plain(exchange, name, Kind::Eq)),
        Trades::Shares => Err(format!("{name:?} is no ISIN (12 characters, as INE002A01018)").into()),
        Trades::Contracts | Trades::Commodities => {
            let what = "the number of a contract says nothing by itself: name Upstox' instruments file under `masters` \
                        in `[instruments]`";
            Err(what.into())
        }
    }
}

fn read_trading(symbol: &str) -> Result<Instrument, Problem> {
    let (exchange, trades, local) = split(symbol, ':')?;
    match trades {
        Trades::Indices => Ok(plain(exchange, &index_underlying(local), Kind::Index)),
        Trades::Shares if local.contains(' ') => Err("a space inside the name, which only indices have".into()),
        Trades::Shares => Ok(plain(exchange, local, Kind::Eq)),
        Trades::Commodities if !is_contract(local) => Ok(plain(exchange, local, Kind::Commodity)),
        Trades::Contracts | Trades::Commodities => contract::read(local).map(|contract| contract.on(exchange)),
    }
}

fn read_json_symbol(symbol: &str) -> Result<Instrument, Problem> {
    let (exchange, trades, local) = split(symbol, ':')?;
    match trades {
        Trades::Contracts | Trades::Commodities => spoken::read(local).map(|contract| contract.on(exchange)),
        Trades::Shares | Trades::Indices => Err("its segment trades no contracts".into()),
    }
}

/// Exchange, what the segment trades, and the rest.
fn split(symbol: &str, mark: char) -> Result<(&'static str, Trades, &str), Problem> {
    check_length(symbol)?;
    let (segment, name) =
        symbol.split_once(mark).ok_or_else(|| format!("no segment and {mark:?} in front, as in NSE_EQ{mark}"))?;
    let known = SEGMENTS.iter().find(|(known, ..)| *known == segment).ok_or_else(|| {
        let all = SEGMENTS.map(|(known, ..)| known).join(", ");
        format!("unknown segment {segment:?}; there are {all}")
    })?;
    // From here on every character is one byte: slicing cannot hit the middle of one.
    if let Some(odd) = name.chars().find(|&c| c != ' ' && (!c.is_ascii_graphic() || matches!(c, '|' | ':'))) {
        return Err(format!("{odd:?} does not occur in symbols").into());
    }
    if name.trim_ascii().len() != name.len() || name.is_empty() {
        return Err("no name, or a space at its edge".into());
    }
    let is_upper = known.2 == Trades::Indices || !name.bytes().any(|byte| byte.is_ascii_lowercase());
    is_upper.then_some((known.1, known.2, name)).ok_or_else(|| "small letters, which only indices have".into())
}

fn is_isin(text: &str) -> bool {
    let is = |from: usize, to: usize, test: fn(&u8) -> bool| text.as_bytes()[from..to].iter().all(test);
    text.len() == ISIN_CHARS
        && is(0, 2, u8::is_ascii_uppercase)
        && is(2, ISIN_CHARS - 1, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && is(ISIN_CHARS - 1, ISIN_CHARS, u8::is_ascii_digit)
}

/// A commodity's own name may end like a contract's, but holds no expiry: `RICE`.
fn is_contract(local: &str) -> bool {
    ["FUT", "CE", "PE"].iter().any(|end| local.ends_with(end)) && local.bytes().any(|byte| byte.is_ascii_digit())
}

fn plain(exchange: &str, underlying: &str, kind: Kind) -> Instrument {
    Instrument {
        exchange: exchange.into(),
        underlying: underlying.into(),
        kind,
        expiry: None,
        option: None,
        series: None,
    }
}

/// `Nifty Bank` -> `BANKNIFTY`, `India VIX` -> `INDIA VIX`: what contracts of the index go by.
fn index_underlying(name: &str) -> String {
    index_name(name).map_or_else(|| name.to_ascii_uppercase(), str::to_owned)
}

#[cfg(test)]
mod tests;
