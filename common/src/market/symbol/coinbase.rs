//! Coinbase products: `BTC-USD`. <https://docs.cdp.coinbase.com/exchange/reference/exchangerestapi_getproducts>

use crate::feed::SymbolError;
use crate::market::Instrument;
use crate::market::symbol::{pair, refusal};

/// Reads a spot product, e.g. `BTC-USD`, in any case.
///
/// # Errors
/// When it is not two assets with one dash between them.
pub fn parse(symbol: &str) -> Result<Instrument, SymbolError> {
    pair::read(symbol, '-', "COINBASE", |_| None).map_err(|problem| refusal("coinbase", symbol, problem))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_a_pair_with_a_dash() {
        for (symbol, canonical) in [("BTC-USD", "COINBASE:BTC/USD:SPOT"), ("1inch-eur", "COINBASE:1INCH/EUR:SPOT")] {
            assert_eq!(parse(symbol).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn anything_else_is_refused_with_its_reason() {
        for (symbol, reason) in [
            ("", "empty"),
            ("BTCUSD", "no '-'"),
            ("BTC/USD", "no '-'"),
            ("-USD", "missing"),
            ("BTC-", "missing"),
            ("BTC-PERP-INTX", "'-' does not occur"),
        ] {
            let problem = parse(symbol).unwrap_err().problem;
            assert!(problem.contains(reason), "{symbol}: {problem}");
        }
    }
}
