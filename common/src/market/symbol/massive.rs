//! Massive's tickers (Polygon.io's, before it changed its name).
//!
//! ```text
//! stock  := TICKER [ "." CLASS ]              AAPL  BRK.B  KIMpL (case tells apart: a small p is a preferred share)
//! option := "O:" ROOT YYMMDD ("C" | "P") STRIKE   STRIKE = 8 digits, thousandths; read from the right
//! index  := "I:" NAME                         I:SPX
//! crypto := "X:" BASE QUOTE                   in REST: X:BTCUSD
//!         | ["X:"] BASE "-" QUOTE             over WebSocket: BTC-USD
//! forex  := "C:" BASE QUOTE                   in REST: C:EURUSD
//!         | ["C:"] BASE ("/" | "-") QUOTE     over WebSocket: EUR/USD
//! ```

mod option;

use crate::feed::SymbolError;
use crate::market::symbol::{Problem, check_length, refusal};
use crate::market::{Instrument, Kind};

/// Massive's markets. Each has a WebSocket of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the field's standard terms")]
pub enum Cluster {
    Stocks,
    Options,
    Indices,
    Crypto,
    Forex,
}

/// Currencies and coins that crypto pairs are quoted in. Only the joined form needs them; the longest match counts.
const CRYPTO_QUOTES: [&str; 17] = [
    "USD", "EUR", "GBP", "JPY", "AUD", "CAD", "CHF", "BRL", "KRW", "TRY", "MXN", "USDT", "USDC", "DAI", "BTC", "ETH",
    "BUSD",
];

/// A currency's ISO 4217 code, metals included: three letters.
const CURRENCY_LETTERS: usize = 3;

impl Cluster {
    /// The market that a symbol's form belongs to, whether or not the rest of it can be read.
    pub fn of(symbol: &str) -> Self {
        match symbol.split_once(':').map(|(market, _)| market) {
            Some("O") => Self::Options,
            Some("I") => Self::Indices,
            Some("X") => Self::Crypto,
            Some("C") => Self::Forex,
            Some(_) | None if symbol.contains('/') => Self::Forex,
            Some(_) | None if symbol.contains('-') => Self::Crypto,
            Some(_) | None => Self::Stocks,
        }
    }

    /// The last part of its WebSocket's URL.
    pub fn name(self) -> &'static str {
        match self {
            Self::Stocks => "stocks",
            Self::Options => "options",
            Self::Indices => "indices",
            Self::Crypto => "crypto",
            Self::Forex => "forex",
        }
    }
}

/// Reads a symbol in any of its spellings. Pairs come out as `BASE/QUOTE`.
///
/// # Errors
/// When it has none of the forms above.
pub fn parse(symbol: &str) -> Result<Instrument, SymbolError> {
    read(symbol).map_err(|problem| refusal("massive", symbol, problem))
}

/// How the WebSocket spells a symbol: `X:BTCUSD` -> `BTC-USD`, `C:EURUSD` -> `EUR/USD`, the others as they are.
///
/// # Errors
/// As [`parse`].
pub fn streamed(symbol: &str) -> Result<String, SymbolError> {
    let instrument = parse(symbol)?;
    Ok(match Cluster::of(symbol) {
        Cluster::Stocks | Cluster::Options | Cluster::Indices => symbol.to_owned(),
        Cluster::Crypto => instrument.underlying.replace('/', "-"),
        Cluster::Forex => instrument.underlying.into(),
    })
}

fn read(symbol: &str) -> Result<Instrument, Problem> {
    check_length(symbol)?;
    match Cluster::of(symbol) {
        Cluster::Stocks => Ok(instrument("US", stock(symbol)?, Kind::Eq)),
        Cluster::Options => {
            let (root, expiry, option) = option::read(behind_mark(symbol))?;
            Ok(Instrument { expiry: Some(expiry), option: Some(option), ..instrument("US", root.into(), Kind::Opt) })
        }
        Cluster::Indices => Ok(instrument("GLOBAL", name(behind_mark(symbol))?, Kind::Index)),
        Cluster::Crypto => Ok(instrument("GLOBAL", crypto(behind_mark(symbol))?, Kind::Spot)),
        Cluster::Forex => Ok(instrument("GLOBAL", forex(behind_mark(symbol))?, Kind::Fx)),
    }
}

fn instrument(exchange: &str, underlying: String, kind: Kind) -> Instrument {
    let underlying = underlying.into();
    Instrument { exchange: exchange.into(), underlying, kind, expiry: None, option: None, series: None }
}

/// What follows the market's letter and colon, or all of it.
fn behind_mark(symbol: &str) -> &str {
    symbol.split_once(':').map_or(symbol, |(_, rest)| rest)
}

fn stock(symbol: &str) -> Result<String, Problem> {
    if let Some((mark, _)) = symbol.split_once(':') {
        return Err(format!("{mark:?} is no market; there are O, I, X and C").into());
    }
    let name = name(symbol)?;
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    let parts_are_there = name.split('.').all(|part| !part.is_empty());
    if starts_well && parts_are_there { Ok(name) } else { Err("a stock's ticker is letters, then .CLASS".into()) }
}

/// Letters, digits and dots, at least one, as they are spelled.
fn name(text: &str) -> Result<String, Problem> {
    if text.is_empty() {
        return Err("nothing behind the colon".into());
    }
    match text.chars().find(|c| !c.is_ascii_alphanumeric() && *c != '.') {
        Some(odd) => Err(format!("{odd:?} does not occur in tickers").into()),
        None => Ok(text.to_owned()),
    }
}

fn crypto(pair: &str) -> Result<String, Problem> {
    let (base, quote) = match pair.split_once(['-', '/']) {
        Some(parts) => parts,
        None => joined(pair)?,
    };
    joined_by_slash(base, quote)
}

/// `1INCHUSD` -> `1INCH`, `USD`.
fn joined(pair: &str) -> Result<(&str, &str), Problem> {
    let split = |quote: &&str| pair.strip_suffix(*quote).map(|base| (base, &pair[base.len()..]));
    let splits = CRYPTO_QUOTES.iter().filter_map(split).filter(|(base, _)| !base.is_empty());
    splits
        .max_by_key(|(_, quote)| quote.len())
        .ok_or_else(|| "it ends in no known quote currency; write it with a dash, e.g. BTC-USD".into())
}

fn forex(pair: &str) -> Result<String, Problem> {
    let parts = pair.split_once(['/', '-']).or_else(|| pair.split_at_checked(CURRENCY_LETTERS));
    match parts {
        Some((base, quote)) if is_currency(base) && is_currency(quote) => joined_by_slash(base, quote),
        Some(_) | None => Err("not two currencies of three letters, e.g. EUR/USD".into()),
    }
}

fn is_currency(text: &str) -> bool {
    text.len() == CURRENCY_LETTERS && text.bytes().all(|b| b.is_ascii_uppercase())
}

fn joined_by_slash(base: &str, quote: &str) -> Result<String, Problem> {
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if is_plain(base) && is_plain(quote) {
        Ok(format!("{base}/{quote}"))
    } else {
        Err("a pair is two names of letters and digits".into())
    }
}

#[cfg(test)]
mod tests;
