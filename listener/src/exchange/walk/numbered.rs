//! Prices that follow from a symbol and a number: whoever reads them behind can tell a true one from any other.

use crate::exchange::random::Random;

/// What is counted per symbol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbered {
    /// Trades, by their id.
    Trade,
    /// Changes of the best bid and ask, by their update id; it is the size of both, too, in 10^-8.
    Book,
}

/// Lowest price, in 10^-8.
const PRICE_MIN: u64 = 100_000_000_000;
/// Prices there are.
const PRICES: u32 = 100_000_000;
/// Between two of them, in 10^-8.
const PRICE_STEP: u64 = 10_000;

/// The price of the `number`th trade, or the bid of the `number`th change, in 10^-8. The ask is one step of 0.0001
/// above the bid.
pub fn numbered_price(symbol: &str, what: Numbered, number: u64) -> u64 {
    // FNV-1a (Fowler, Noll, Vo 1991) tells symbols apart; the generator spreads the numbers.
    let name = symbol
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    let stream = match what {
        Numbered::Trade => 2 * number,
        Numbered::Book => 2 * number + 1,
    };
    PRICE_MIN + u64::from(Random::new(name, stream).below(PRICES)) * PRICE_STEP
}

/// The ask that belongs to a bid.
pub(super) fn ask_of(bid: u64) -> u64 {
    bid + PRICE_STEP
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_price_tells_its_symbol_its_kind_and_its_number() {
        let price = numbered_price("BTCUSDT", Numbered::Trade, 7);
        assert_eq!(price, numbered_price("BTCUSDT", Numbered::Trade, 7));
        assert_ne!(price, numbered_price("BTCUSDT", Numbered::Trade, 8));
        assert_ne!(price, numbered_price("BTCUSDT", Numbered::Book, 7));
        assert_ne!(price, numbered_price("ETHUSDT", Numbered::Trade, 7));
    }
}
