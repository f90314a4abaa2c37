use proptest::prelude::*;

use super::*;

fn canonical(symbol: &str) -> String {
    parse(symbol).unwrap().to_string()
}

fn problem(symbol: &str) -> String {
    parse(symbol).unwrap_err().to_string()
}

#[test]
fn every_spelling_of_a_pair_is_one_instrument() {
    for symbol in ["X:BTCUSD", "BTC-USD", "X:BTC-USD"] {
        assert_eq!(canonical(symbol), "GLOBAL:BTC/USD:SPOT");
        assert_eq!(streamed(symbol).unwrap(), "BTC-USD");
    }
    for symbol in ["C:EURUSD", "EUR/USD", "C:EUR/USD", "C:EUR-USD"] {
        assert_eq!(canonical(symbol), "GLOBAL:EUR/USD:FX");
        assert_eq!(streamed(symbol).unwrap(), "EUR/USD");
    }
    assert_eq!(canonical("X:USDTUSD"), "GLOBAL:USDT/USD:SPOT");
    assert_eq!(canonical("X:BTCUSDT"), "GLOBAL:BTC/USDT:SPOT");
}

#[test]
fn the_case_of_a_stock_is_kept() {
    assert_eq!(canonical("KIMpL"), "US:KIMpL:EQ");
    assert_eq!(canonical("BRK.B"), "US:BRK.B:EQ");
    assert_eq!(streamed("BRK.B").unwrap(), "BRK.B");
}

#[test]
fn an_option_is_read_from_its_end() {
    assert_eq!(canonical("O:SPY251219C00650000"), "US:SPY:OPT:2025-12-19:650:C");
    // An adjusted root ends in a digit.
    assert_eq!(canonical("O:AAL1251219P00000500"), "US:AAL1:OPT:2025-12-19:0.5:P");
    assert_eq!(canonical("O:SPXW991231P99999999"), "US:SPXW:OPT:2099-12-31:99999.999:P");
}

#[test]
fn what_has_no_known_form_is_refused_with_its_problem() {
    for (symbol, said) in [
        ("", "it is empty"),
        ("*", "does not occur"),
        ("AA PL", "does not occur"),
        (".B", "a stock's ticker"),
        ("BRK.", "a stock's ticker"),
        ("1X", "a stock's ticker"),
        ("Z:AAPL", "no market"),
        ("I:", "nothing behind"),
        ("O:SPY", "shorter than"),
        ("O:251219C00650000", "shorter than"),
        ("O:SPY251319C00650000", "no day"),
        ("O:SPY251219X00650000", "neither C nor P"),
        ("O:SPY251219C0065000a", "no strike"),
        ("O:SPY251219C00000000", "no strike"),
        ("X:BTC", "write it with a dash"),
        ("X:USD", "write it with a dash"),
        ("-USD", "two names"),
        ("EUR/USDT", "not two currencies"),
        ("C:EURUS", "not two currencies"),
        ("eur/usd", "not two currencies"),
    ] {
        assert!(problem(symbol).contains(said), "{symbol}: {}", problem(symbol));
    }
}

proptest! {
    #[test]
    fn no_symbol_makes_it_panic(text in any::<String>(), tail in "[OIXC]:[A-Z0-9é.-]{0,24}") {
        for symbol in [&text, &tail] {
            if let Ok(read) = parse(symbol) {
                prop_assert!(!read.underlying.is_empty());
                prop_assert!(streamed(symbol).is_ok());
            }
        }
    }

    #[test]
    fn an_option_comes_out_as_it_went_in(
        root in "[A-Z]{1,5}[0-9]?", month in 1..=12_u8, day in 1..=28_u8, strike in 1..=99_999_999_u32,
    ) {
        let read = parse(&format!("O:{root}26{month:02}{day:02}C{strike:08}")).unwrap();
        let (found, right) = read.option.unwrap();
        prop_assert_eq!(&*read.underlying, &*root);
        prop_assert_eq!(read.expiry.unwrap().to_string(), format!("2026-{month:02}-{day:02}"));
        prop_assert_eq!((found * rust_decimal::Decimal::from(1_000)).normalize(), strike.into());
        prop_assert_eq!(right, crate::market::Right::Call);
    }
}
