use proptest::prelude::*;

use super::parse;

#[test]
fn the_exchange_in_front_is_optional() {
    for (symbol, canonical) in [
        ("NSE:INFY", "NSE:INFY:EQ"),
        ("INFY", "NSE:INFY:EQ"),
        ("BSE:RELIANCE", "BSE:RELIANCE:EQ"),
        ("RELIANCE", "NSE:RELIANCE:EQ"),
        ("NFO:RELIANCE26AUGFUT", "NSE:RELIANCE:FUT:2026-08"),
        ("NIFTY2681824500CE", "NSE:NIFTY:OPT:2026-08-18:24500:C"),
        ("BFO:SENSEX26D0385000PE", "BSE:SENSEX:OPT:2026-12-03:85000:P"),
        ("CDS:USDINR26AUG86.5CE", "NSE:USDINR:OPT:2026-08:86.5:C"),
        ("MCX:CRUDEOIL26AUGFUT", "MCX:CRUDEOIL:FUT:2026-08"),
    ] {
        assert_eq!(parse(symbol).unwrap().to_string(), canonical);
    }
}

#[test]
fn two_characters_behind_a_dash_are_a_series_and_more_or_less_are_the_name() {
    for (symbol, canonical) in [
        ("CENTRALBK-BE", "NSE:CENTRALBK:EQ"),
        ("NSE:BAJAJ-AUTO", "NSE:BAJAJ-AUTO:EQ"),
        ("NSE:MCDOWELL-N", "NSE:MCDOWELL-N:EQ"),
        ("NSE:SBIN-N5", "NSE:SBIN:DEBT"),
        ("NSE:M&M", "NSE:M&M:EQ"),
    ] {
        assert_eq!(parse(symbol).unwrap().to_string(), canonical);
    }
}

#[test]
fn an_index_has_a_space_or_is_known() {
    for (symbol, canonical) in [
        ("NSE:NIFTY 50", "NSE:NIFTY 50:INDEX"),
        ("INDIA VIX", "NSE:INDIA VIX:INDEX"),
        ("BSE:SENSEX", "BSE:SENSEX:INDEX"),
    ] {
        assert_eq!(parse(symbol).unwrap().to_string(), canonical);
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_reason() {
    for (symbol, part) in [
        ("", "empty"),
        ("408065", "instruments list"),
        ("NSE:408065", "instruments list"),
        ("NYSE:IBM", "there are NSE, BSE"),
        ("NFO:RELIANCE", "no expiry"),
        ("NSE:infy", "'i' does not occur"),
        ("NSE:", "no name"),
        (" INFY", "space at its edge"),
        (&"A".repeat(200), "200 bytes"),
    ] {
        let said = parse(symbol).expect_err(symbol).to_string();
        assert!(said.contains(part), "{said:?} does not say {part:?}");
    }
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), segment in prop::sample::select(vec!["NSE", "NFO", "MCX", "é"])) {
        for symbol in [text.clone(), format!("{segment}:{text}"), format!("{segment}:{text}26AUGFUT"), format!("{text}-BE")] {
            if let Ok(read) = parse(&symbol) {
                prop_assert!(!read.underlying.is_empty());
            }
        }
    }
}
