//! Binance symbols: base and quote asset, joined without a mark.
//!
//! Only the exchange's own list can split them for certain. Without it the quote is the longest known quote asset that
//! the symbol ends in: Binance adds bases daily and quotes a few times a year.

use jiff::civil::Date;

use crate::feed::SymbolError;
use crate::market::symbol::{Problem, check_length, real_day, refusal, two_digits};
use crate::market::{Expiry, Instrument, Kind};

/// What others are priced in on Binance, now or earlier. Order does not matter: the longest match counts.
#[rustfmt::skip]
const QUOTES: [&str; 41] = [
    // Dollar coins.
    "USDT", "USDC", "FDUSD", "TUSD", "BUSD", "USDP", "USD1", "USDS", "PAX", "DAI", "VAI", "UST",
    // Coins.
    "BTC", "ETH", "BNB", "TRX", "XRP", "DOGE", "DOT", "SOL",
    // Currencies, and coins that stand for one.
    "EUR", "EURI", "GBP", "TRY", "BRL", "AUD", "RUB", "UAH", "NGN", "ZAR", "IDRT", "BIDR", "BVND", "BKRW", "ARS", "MXN",
    "PLN", "RON", "CZK", "JPY", "COP",
];

/// Where dated futures name their day: `BTCUSDT_210924`.
const DATE_DIGITS: usize = 6;

/// Reads a spot symbol, e.g. `BTCUSDT`, in any case.
///
/// # Errors
/// When it ends in no known quote asset, or has nothing before it.
pub fn parse_spot(symbol: &str) -> Result<Instrument, SymbolError> {
    spot(symbol).map_err(|problem| refusal("binance", symbol, problem))
}

/// Reads a symbol of the USD-M futures market, e.g. `BTCUSDT` (perpetual) or `BTCUSDT_210924`.
///
/// # Errors
/// As [`parse_spot`], and when what follows the underscore is no day.
pub fn parse_usdm(symbol: &str) -> Result<Instrument, SymbolError> {
    usdm(symbol).map_err(|problem| refusal("binance_usdm", symbol, problem))
}

fn spot(symbol: &str) -> Result<Instrument, Problem> {
    Ok(instrument("BINANCE", pair(symbol)?, (Kind::Spot, None)))
}

fn usdm(symbol: &str) -> Result<Instrument, Problem> {
    let (name, term) = match symbol.split_once('_') {
        None => (symbol, (Kind::Perp, None)),
        Some((name, digits)) => (name, (Kind::Fut, Some(Expiry::Day(delivery(digits)?)))),
    };
    Ok(instrument("BINANCE_USDM", pair(name)?, term))
}

fn instrument(exchange: &str, pair: String, (kind, expiry): (Kind, Option<Expiry>)) -> Instrument {
    Instrument { exchange: exchange.into(), underlying: pair.into(), kind, expiry, option: None, series: None }
}

/// `btcusdt` -> `BTC/USDT`.
fn pair(symbol: &str) -> Result<String, Problem> {
    check_length(symbol)?;
    // Symbols need not be ASCII, but they are words.
    if let Some(odd) = symbol.chars().find(|&c| !c.is_alphanumeric()) {
        return Err(format!("{odd:?} does not occur in symbols").into());
    }
    let (base, quote) = QUOTES
        .iter()
        .filter_map(|quote| Some((strip_quote(symbol, quote)?, *quote)))
        .max_by_key(|(_, quote)| quote.len())
        .ok_or("it ends in no known quote asset")?;
    if base.is_empty() {
        return Err("nothing before the quote asset".into());
    }
    let mut pair = String::with_capacity(symbol.len() + 1);
    pair.extend(base.chars().map(|c| c.to_ascii_uppercase()));
    pair.push('/');
    pair.push_str(quote);
    Ok(pair)
}

/// What stands before `quote` at the end, in any case.
fn strip_quote<'a>(symbol: &'a str, quote: &str) -> Option<&'a str> {
    let (base, end) = symbol.split_at_checked(symbol.len().checked_sub(quote.len())?)?;
    end.eq_ignore_ascii_case(quote).then_some(base)
}

/// `210924` -> 2021-09-24.
fn delivery(digits: &str) -> Result<Date, Problem> {
    let part = |from: usize| two_digits(digits.get(from..from + 2)?);
    let day = if digits.len() == DATE_DIGITS { (|| real_day(part(0)?, part(2)?, part(4)?))() } else { None };
    day.ok_or_else(|| format!("{digits:?} behind the underscore is no day (YYMMDD)").into())
}

#[cfg(test)]
mod tests;
