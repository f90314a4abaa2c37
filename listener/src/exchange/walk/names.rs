//! The assets of a walk, real ones and made-up ones. How they are spelled as symbols is the venue's.

/// Ticker and a plausible price in millionths of a dollar.
const ASSETS: [(&str, u64); 96] = [
    ("BTC", 65_000_000_000),
    ("ETH", 3_200_000_000),
    ("SOL", 160_000_000),
    ("BNB", 580_000_000),
    ("XRP", 600_000),
    ("DOGE", 125_000),
    ("ADA", 420_000),
    ("AVAX", 28_000_000),
    ("LINK", 13_500_000),
    ("TRX", 150_000),
    ("DOT", 5_600_000),
    ("LTC", 68_000_000),
    ("BCH", 390_000_000),
    ("NEAR", 4_700_000),
    ("UNI", 7_800_000),
    ("APT", 7_400_000),
    ("ICP", 8_900_000),
    ("ETC", 21_000_000),
    ("FIL", 4_200_000),
    ("ATOM", 5_100_000),
    ("ARB", 630_000),
    ("OP", 1_550_000),
    ("SUI", 1_050_000),
    ("INJ", 19_000_000),
    ("HBAR", 57_000),
    ("VET", 23_000),
    ("XLM", 98_000),
    ("AAVE", 105_000_000),
    ("GRT", 160_000),
    ("ALGO", 130_000),
    ("QNT", 68_000_000),
    ("EGLD", 29_000_000),
    ("SAND", 270_000),
    ("MANA", 290_000),
    ("AXS", 5_000_000),
    ("THETA", 1_300_000),
    ("FLOW", 560_000),
    ("XTZ", 680_000),
    ("CHZ", 58_000),
    ("APE", 720_000),
    ("LDO", 1_150_000),
    ("SNX", 1_400_000),
    ("CRV", 270_000),
    ("COMP", 46_000_000),
    ("ZEC", 33_000_000),
    ("DASH", 25_000_000),
    ("NEO", 10_200_000),
    ("IOTA", 130_000),
    ("KAVA", 320_000),
    ("ZIL", 14_000),
    ("ENJ", 150_000),
    ("BAT", 170_000),
    ("QTUM", 2_400_000),
    ("ZRX", 310_000),
    ("OMG", 250_000),
    ("KSM", 19_000_000),
    ("YFI", 5_200_000_000),
    ("SUSHI", 560_000),
    ("ONE", 12_000),
    ("CELO", 480_000),
    ("ANKR", 24_000),
    ("RVN", 16_000),
    ("ICX", 140_000),
    ("ONT", 190_000),
    ("HOT", 1_600),
    ("SKL", 38_000),
    ("LRC", 140_000),
    ("BAL", 2_100_000),
    ("STORJ", 340_000),
    ("BAND", 1_100_000),
    ("CTSI", 140_000),
    ("OCEAN", 560_000),
    ("NKN", 74_000),
    ("RLC", 1_700_000),
    ("DGB", 6_800),
    ("SC", 4_600),
    ("WIN", 83),
    ("COTI", 93_000),
    ("DENT", 900),
    ("MTL", 1_000_000),
    ("STX", 1_600_000),
    ("RSR", 5_300),
    ("ARPA", 39_000),
    ("CKB", 9_400),
    ("DYDX", 1_050_000),
    ("GALA", 19_000),
    ("IMX", 1_300_000),
    ("GMX", 25_000_000),
    ("MAGIC", 370_000),
    ("FET", 1_100_000),
    ("RNDR", 5_400_000),
    ("SEI", 320_000),
    ("TIA", 5_300_000),
    ("JTO", 2_000_000),
    ("PYTH", 300_000),
    ("WLD", 1_800_000),
];

/// What prices are counted in: 10^-8, while [`ASSETS`] counts 10^-6.
const PER_MILLIONTH: u64 = 100;

/// `count` assets with their first prices in 10^-8: real ones first, then `SIM001` and on.
pub(super) fn list(count: usize) -> impl Iterator<Item = (String, u64)> {
    let real = ASSETS.iter().map(|(ticker, price)| ((*ticker).to_owned(), price * PER_MILLIONTH));
    let made_up = (1_u64..).map(|number| (format!("SIM{number:03}"), made_up_price(number)));
    real.chain(made_up).take(count)
}

/// Spread over five powers of ten, from a cent to some hundred dollars.
fn made_up_price(number: u64) -> u64 {
    let digits = 1_000_000 + number * 7_919 % 9_000_000;
    digits * 10_u64.pow(u32::try_from(number % 5).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_are_unique_and_the_made_up_ones_follow_the_real_ones() {
        let listed: Vec<_> = list(2_000).collect();
        assert_eq!(listed[0], ("BTC".to_owned(), 6_500_000_000_000));
        assert_eq!(listed[ASSETS.len()].0, "SIM001");
        assert_eq!(listed.last().unwrap().0, "SIM1904");
        assert_eq!(listed.iter().map(|(name, _)| name).collect::<HashSet<_>>().len(), 2_000);
        assert!(listed.iter().all(|(_, price)| 0 < *price));
    }
}
