//! Kraken pairs: `XBT/USD`, with Kraken's own names for two coins. <https://docs.kraken.com/api/docs/websocket-v1/ticker>

use crate::feed::SymbolError;
use crate::market::Instrument;
use crate::market::symbol::{pair, refusal};

/// Reads a spot pair, e.g. `XBT/USD`, in any case: bitcoin's and dogecoin's usual names are given to them.
///
/// # Errors
/// When it is not two assets with one slash between them.
pub fn parse(symbol: &str) -> Result<Instrument, SymbolError> {
    pair::read(symbol, '/', "KRAKEN", usual_name).map_err(|problem| refusal("kraken", symbol, problem))
}

/// What the rest of the world calls a coin.
fn usual_name(asset: &str) -> Option<&'static str> {
    match asset {
        "XBT" => Some("BTC"),
        "XDG" => Some("DOGE"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn krakens_own_names_become_the_usual_ones_on_both_sides() {
        for (symbol, canonical) in [
            ("XBT/USD", "KRAKEN:BTC/USD:SPOT"),
            ("BTC/USD", "KRAKEN:BTC/USD:SPOT"),
            ("XDG/XBT", "KRAKEN:DOGE/BTC:SPOT"),
            ("grt/eth", "KRAKEN:GRT/ETH:SPOT"),
        ] {
            assert_eq!(parse(symbol).unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn what_is_no_pair_is_refused() {
        for symbol in ["XBTUSD", "/", "XBT/", "XBT/USD/EUR", "X T/USD"] {
            assert!(parse(symbol).is_err(), "{symbol}");
        }
    }
}
