use proptest::prelude::*;

use super::*;

fn canonical(symbol: &str) -> String {
    parse(symbol).unwrap().to_string()
}

#[test]
fn a_ticker_alone_and_one_of_a_us_venue_are_the_same() {
    for symbol in ["RY", "RY:NYSE", "ry:nyse", "RY:XNYS", "RY:US"] {
        assert_eq!(canonical(symbol), "US:RY:EQ");
    }
    assert_eq!(canonical("RY:TSX"), "TSX:RY:EQ");
    assert_eq!(canonical("ry:tsx"), "TSX:RY:EQ");
    assert_eq!(canonical("M&M:NSE"), "NSE:M&M:EQ");
    assert_eq!(canonical("BRK.B"), "US:BRK.B:EQ");
}

#[test]
fn a_pair_is_currency_metal_or_coin() {
    assert_eq!(canonical("EUR/USD"), "GLOBAL:EUR/USD:FX");
    assert_eq!(canonical("XAU/USD"), "GLOBAL:XAU/USD:COMMODITY");
    assert_eq!(canonical("btc/usd"), "GLOBAL:BTC/USD:SPOT");
    assert_eq!(canonical("ETH/BTC"), "GLOBAL:ETH/BTC:SPOT");
}

#[test]
fn what_has_no_known_form_is_refused_with_its_problem() {
    for (symbol, said) in [
        ("", "it is empty"),
        (":", "nothing on one side"),
        ("RY:", "nothing on one side"),
        (":TSX", "nothing on one side"),
        ("A,B", "does not occur in tickers"),
        ("RY:TSX:X", "does not occur in names"),
        ("BTC/USD:Huobi", "without an exchange"),
        ("/USD", "two names"),
        ("EUR/", "two names"),
        ("EUR/USD/GBP", "two names"),
    ] {
        let refused = parse(symbol).unwrap_err().to_string();
        assert!(refused.contains(said), "{symbol}: {refused}");
    }
}

proptest! {
    #[test]
    fn no_symbol_makes_it_panic(text in any::<String>(), near in "[A-Zé&.]{0,6}[:/]?[A-Z ]{0,6}") {
        for symbol in [&text, &near] {
            if let Ok(read) = parse(symbol) {
                prop_assert!(!read.underlying.is_empty() && !read.exchange.is_empty());
            }
        }
    }
}
