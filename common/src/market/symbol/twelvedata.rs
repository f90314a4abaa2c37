//! Twelve Data's symbols: `TICKER`, `TICKER:EXCHANGE` (the reverse order of most), or `BASE/QUOTE`.
//!
//! A ticker alone means its listing in the United States. What kind of thing it is the symbol does not say: a few
//! indices are known by name, everything else counts as a share.

use crate::feed::SymbolError;
use crate::market::symbol::{Problem, check_length, refusal};
use crate::market::{Instrument, Kind};

/// What Twelve Data calls the venues of the United States, by name and by market identifier code. A ticker is unique
/// among them.
const US_VENUES: [&str; 21] = [
    "US",
    "NASDAQ",
    "NYSE",
    "NYSE ARCA",
    "NYSE AMERICAN",
    "ARCA",
    "AMEX",
    "CBOE",
    "BATS",
    "IEX",
    "OTC",
    "XNAS",
    "XNGS",
    "XNMS",
    "XNCM",
    "XNYS",
    "ARCX",
    "XASE",
    "IEXG",
    "PINX",
    "OTCM",
];

/// Indices that Twelve Data lists under a bare ticker.
const INDICES: [&str; 9] = ["IXIC", "SPX", "GSPC", "DJI", "NDX", "RUT", "VIX", "NYA", "OEX"];

/// Currencies, by their ISO 4217 codes. A pair of two of them is foreign exchange.
#[rustfmt::skip]
const CURRENCIES: [&str; 54] = [
    "USD", "EUR", "GBP", "JPY", "CHF", "AUD", "CAD", "NZD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "BGN",
    "ISK", "TRY", "RUB", "UAH", "ZAR", "ILS", "AED", "SAR", "QAR", "KWD", "BHD", "OMR", "JOD", "EGP", "MAD", "NGN",
    "KES", "INR", "PKR", "BDT", "LKR", "CNY", "CNH", "HKD", "TWD", "KRW", "SGD", "MYR", "THB", "IDR", "PHP", "VND",
    "MXN", "BRL", "ARS", "CLP", "COP", "PEN",
];

/// Metals, quoted like currencies.
const METALS: [&str; 4] = ["XAU", "XAG", "XPT", "XPD"];

/// Reads a symbol; case does not matter.
///
/// # Errors
/// When it has none of the three forms.
pub fn parse(symbol: &str) -> Result<Instrument, SymbolError> {
    read(symbol).map_err(|problem| refusal("twelvedata", symbol, problem))
}

/// Whether Twelve Data calls a venue of the United States so. Case does not matter.
pub fn is_us_venue(exchange: &str) -> bool {
    US_VENUES.iter().any(|venue| venue.eq_ignore_ascii_case(exchange))
}

fn read(symbol: &str) -> Result<Instrument, Problem> {
    check_length(symbol)?;
    if let Some((base, quote)) = symbol.split_once('/') {
        return pair(base, quote);
    }
    let (ticker, exchange) = symbol.split_once(':').map_or((symbol, None), |(ticker, venue)| (ticker, Some(venue)));
    if ticker.is_empty() || exchange.is_some_and(str::is_empty) {
        return Err("nothing on one side of the colon".into());
    }
    if let Some(odd) = ticker.chars().find(|c| !c.is_ascii_alphanumeric() && !".-_&".contains(*c)) {
        return Err(format!("{odd:?} does not occur in tickers").into());
    }
    if let Some(odd) = exchange.and_then(|venue| venue.chars().find(|c| !c.is_ascii_alphanumeric() && *c != ' ')) {
        return Err(format!("{odd:?} does not occur in names of exchanges").into());
    }
    let exchange = exchange.filter(|venue| !is_us_venue(venue)).map_or("US".into(), str::to_ascii_uppercase);
    let ticker = ticker.to_ascii_uppercase();
    let kind = if INDICES.contains(&&*ticker) { Kind::Index } else { Kind::Eq };
    Ok(instrument(&exchange, ticker, kind))
}

fn pair(base: &str, quote: &str) -> Result<Instrument, Problem> {
    if quote.contains(':') {
        return Err("a pair is taken without an exchange: its events do not tell which one was asked for".into());
    }
    let is_plain = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_plain(base) || !is_plain(quote) {
        return Err("a pair is two names of letters and digits, e.g. EUR/USD".into());
    }
    let (base, quote) = (base.to_ascii_uppercase(), quote.to_ascii_uppercase());
    let kind = match CURRENCIES.contains(&&*quote) {
        true if CURRENCIES.contains(&&*base) => Kind::Fx,
        true if METALS.contains(&&*base) => Kind::Commodity,
        true | false => Kind::Spot,
    };
    Ok(instrument("GLOBAL", format!("{base}/{quote}"), kind))
}

fn instrument(exchange: &str, underlying: String, kind: Kind) -> Instrument {
    let underlying = underlying.into();
    Instrument { exchange: exchange.into(), underlying, kind, expiry: None, option: None, series: None }
}

#[cfg(test)]
mod tests;
