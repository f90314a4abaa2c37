use proptest::prelude::*;

use super::{QUOTES, parse_spot, parse_usdm};

#[test]
fn a_spot_symbol_is_split_at_its_quote_asset() {
    for (symbol, canonical) in [
        ("BTCUSDT", "BINANCE:BTC/USDT:SPOT"),
        ("btcusdt", "BINANCE:BTC/USDT:SPOT"),
        ("BTCBUSD", "BINANCE:BTC/BUSD:SPOT"),
        ("USDTTRY", "BINANCE:USDT/TRY:SPOT"),
        ("TUSDUSDT", "BINANCE:TUSD/USDT:SPOT"),
        ("BTTTUSD", "BINANCE:BTT/TUSD:SPOT"),
        ("BTCFDUSD", "BINANCE:BTC/FDUSD:SPOT"),
        ("USDSBUSDS", "BINANCE:USDSB/USDS:SPOT"),
        ("BETHETH", "BINANCE:BETH/ETH:SPOT"),
        ("WBTCBTC", "BINANCE:WBTC/BTC:SPOT"),
        ("USDTBIDR", "BINANCE:USDT/BIDR:SPOT"),
        ("1INCHUSDT", "BINANCE:1INCH/USDT:SPOT"),
        ("币安人生USDT", "BINANCE:币安人生/USDT:SPOT"),
    ] {
        assert_eq!(parse_spot(symbol).unwrap().to_string(), canonical);
    }
}

#[test]
fn a_futures_symbol_without_a_day_is_perpetual() {
    for (symbol, canonical) in [
        ("BTCUSDT", "BINANCE_USDM:BTC/USDT:PERP"),
        ("1000SHIBUSDT", "BINANCE_USDM:1000SHIB/USDT:PERP"),
        ("ETHBTC", "BINANCE_USDM:ETH/BTC:PERP"),
        ("BTCUSDT_210924", "BINANCE_USDM:BTC/USDT:FUT:2021-09-24"),
        ("BTCUSDC_250926", "BINANCE_USDM:BTC/USDC:FUT:2025-09-26"),
    ] {
        assert_eq!(parse_usdm(symbol).unwrap().to_string(), canonical);
    }
}

#[test]
fn what_cannot_be_split_is_refused() {
    for (symbol, part) in [
        ("", "empty"),
        ("USDT", "nothing before"),
        ("BTCQQQ", "no known quote asset"),
        ("BTC/USDT", "'/' does not occur"),
        ("BTC USDT", "' ' does not occur"),
        ("BTCUSDT_210924", "'_' does not occur"),
        ("\"USDT", "does not occur"),
        (&"A".repeat(200), "200 bytes"),
    ] {
        let said = parse_spot(symbol).expect_err(symbol).to_string();
        assert!(said.contains(part), "{said:?} does not say {part:?}");
    }
}

#[test]
fn a_future_whose_day_is_none_is_refused() {
    for symbol in ["BTCUSDT_", "BTCUSDT_210931", "BTCUSDT_2109", "BTCUSDT_PERP", "BTCUSDT_21०9", "BTCUSDT_+10924"] {
        let said = parse_usdm(symbol).expect_err(symbol).to_string();
        assert!(said.contains("is no day"), "{said}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), quote in prop::sample::select(QUOTES.to_vec())) {
        for symbol in [text.clone(), format!("{text}{quote}"), format!("{text}{quote}_{text}"), format!("é{quote}_2é092")] {
            for read in [parse_spot(&symbol), parse_usdm(&symbol)].into_iter().flatten() {
                let (base, _) = read.underlying.split_once('/').expect("a pair has a stroke");
                prop_assert!(!base.is_empty());
            }
        }
    }
}
