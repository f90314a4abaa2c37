use proptest::prelude::*;

use super::parse;

/// Symbol, canonical form, ticker symbol.
const READ: [(&str, &str, &str); 26] = [
    ("NSE:RELIANCE-EQ", "NSE:RELIANCE:EQ", "reliance"),
    ("NSE:BAJAJ-AUTO-EQ", "NSE:BAJAJ-AUTO:EQ", "bajajauto"),
    ("NSE:ARE&M-EQ", "NSE:ARE&M:EQ", "arem"),
    ("NSE:63MOONS-EQ", "NSE:63MOONS:EQ", "63moons"),
    ("BSE:8.9JSWSL30-F", "BSE:8.9JSWSL30:DEBT", "89jswsl30"),
    ("BSE:SOMECO-XT", "BSE:SOMECO:MISC", "someco"),
    ("NSE:EMBASSY-RR", "NSE:EMBASSY:MISC", "embassy"),
    ("NSE:182D201124-TB", "NSE:182D201124:DEBT", "182d201124"),
    ("NSE:SOMECO-YX", "NSE:SOMECO:DEBT", "someco"),
    ("NSE:NIFTY100 LOWVOL30-INDEX", "NSE:NIFTY100 LOWVOL30:INDEX", "nifty100lowvol30"),
    ("NSE:TV18BRDCST18NOVFUT", "NSE:TV18BRDCST:FUT:2018-11", "tv18brdcst"),
    ("NSE:BAJAJ-AUTO25JULFUT", "NSE:BAJAJ-AUTO:FUT:2025-07", "bajajauto"),
    ("MCX:GOLD1G25SEPFUT", "MCX:GOLD1G:FUT:2025-09", "gold1g"),
    ("NSE:NIFTYNXT5025JULFUT", "NSE:NIFTYNXT50:FUT:2025-07", "niftynxt50"),
    ("NSE:USDINR25O10FUT", "NSE:USDINR:FUT:2025-10-10", "usdinr"),
    ("NSE:USDINR26109FUT", "NSE:USDINR:FUT:2026-01-09", "usdinr"),
    ("NSE:NIFTY27DEC30000CE", "NSE:NIFTY:OPT:2027-12:30000:C", "nifty"),
    ("NSE:718GS203725DEC99.75PE", "NSE:718GS2037:OPT:2025-12:99.75:P", "718gs2037"),
    ("NSE:EURUSD25DEC.9650CE", "NSE:EURUSD:OPT:2025-12:0.965:C", "eurusd"),
    ("NSE:USDINR2571186.625CE", "NSE:USDINR:OPT:2025-07-11:86.625:C", "usdinr"),
    ("NSE:EURUSD25711.965PE", "NSE:EURUSD:OPT:2025-07-11:0.965:P", "eurusd"),
    ("NSE:EURUSD25N28.965PE", "NSE:EURUSD:OPT:2025-11-28:0.965:P", "eurusd"),
    ("NSE:NIFTY2422924000CE", "NSE:NIFTY:OPT:2024-02-29:24000:C", "nifty"),
    ("BSE:SENSEX25D0479800CE", "BSE:SENSEX:OPT:2025-12-04:79800:C", "sensex"),
    ("BSE:SENSEX5025D0426000CE", "BSE:SENSEX50:OPT:2025-12-04:26000:C", "sensex50"),
    ("NSE:360ONE25JUL1200PE", "NSE:360ONE:OPT:2025-07:1200:P", "360one"),
];

/// Symbol, and a part of what is said about it.
const REFUSED: [(&str, &str); 25] = [
    ("", "empty"),
    ("RELIANCE", "no exchange"),
    (":RELIANCE-EQ", "unknown exchange \"\"; there are NSE, BSE, MCX"),
    ("nse:RELIANCE-EQ", "unknown exchange"),
    ("NYSE:IBM-EQ", "unknown exchange"),
    ("NSE:", "neither"),
    ("NSE:RELIANCE", "neither"),
    ("NSE:reliance-EQ", "'r' does not occur"),
    ("NSE:RELIANCE-EQ\n", "'\\n' does not occur"),
    ("NSE:रिलायंस-EQ", "does not occur"),
    ("NSE:-EQ", "no name"),
    ("NSE: TCS-EQ", "space at its edge"),
    ("NSE:TATA MOTORS-EQ", "only indices"),
    ("NSE:TATA MOTORS25JULFUT", "a space inside"),
    ("NSE:BAJAJ-AUTO", "neither"),
    ("NSE:25JULFUT", "no underlying"),
    ("NSE:NIFTYFUT", "no expiry"),
    ("NSE:NIFTY25JUL5FUT", "between the expiry and FUT"),
    ("NSE:NIFTY25JULCE", "no strike"),
    ("NSE:NIFTY25JUL24000.CE", "no strike"),
    ("NSE:NIFTY25JUL1.2.3CE", "no strike"),
    ("NSE:NIFTY25JUL0CE", "no strike"),
    ("NSE:NIFTY2523024000CE", "\"25230\" is no day"),
    ("NSE:NIFTYNXT502571070000CE", "only the symbol master"),
    ("NSE:718GS2031251299.75PE", "the name of a bond"),
];

#[test]
fn every_form_of_the_grammar_is_read() {
    for (symbol, canonical, ticker) in READ {
        let instrument = parse(symbol).unwrap_or_else(|refused| panic!("{refused}"));
        assert_eq!((instrument.to_string().as_str(), instrument.ticker_symbol().as_str()), (canonical, ticker));
    }
}

#[test]
fn everything_else_is_refused_with_its_reason() {
    for (symbol, part) in REFUSED {
        let said = parse(symbol).expect_err(symbol).to_string();
        assert!(said.contains(part), "{said:?} does not say {part:?}");
    }
}

#[test]
fn the_series_stays_with_a_share_as_an_attribute() {
    assert_eq!(parse("NSE:SUMEET-RE-BE").unwrap().series.as_deref(), Some("BE"));
}

#[test]
fn an_endless_symbol_is_cut_in_its_error() {
    let refused = parse(&format!("NSE:{}-EQ", "A".repeat(100_000))).unwrap_err();
    assert!(refused.to_string().len() < 200, "{refused}");
}

/// Text that resembles symbols, so that it gets past the first checks.
fn resembling() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "NSE:",
        "BSE:",
        "MCX:",
        "NIFTY",
        "SENSEX50",
        "718GS2037",
        "25",
        "JUL",
        "D",
        "O",
        "7",
        "10",
        "31",
        "24000",
        ".",
        ".965",
        "FUT",
        "CE",
        "PE",
        "-",
        "EQ",
        "INDEX",
        " ",
        "&",
        "é",
        "₹",
        "२",
    ]);
    prop::collection::vec(part, 0..9).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), resembling in resembling()) {
        for symbol in [text.clone(), format!("NSE:{text}"), format!("NSE:{text}25JUL{text}CE"), resembling] {
            if let Ok(read) = parse(&symbol) {
                prop_assert!(!read.underlying.is_empty());
                prop_assert!(symbol.contains(&*read.underlying));
            }
        }
    }

    #[test]
    fn a_written_contract_is_read_back(
        underlying in "[A-Z0-9]{0,4}[A-Z&-]{3,5}[A-Z]", year in 10..50_u8, month in 1..=12_usize, day in 1..=28_u8,
        strike in 1..1_000_000_u32, scale in 0..3_u32,
    ) {
        let strike = rust_decimal::Decimal::new(strike.into(), scale).normalize();
        let expiry = format!("20{year}-{month:02}");
        let letters = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "O", "N", "D"][month - 1];
        let name = super::contract::MONTHS[month - 1];
        for (symbol, rest) in [
            (format!("NSE:{underlying}{year}{name}FUT"), format!("FUT:{expiry}")),
            (format!("NSE:{underlying}{year}{name}{strike}CE"), format!("OPT:{expiry}:{strike}:C")),
            (format!("NSE:{underlying}{year}{letters}{day:02}FUT"), format!("FUT:{expiry}-{day:02}")),
            (format!("NSE:{underlying}{year}{letters}{day:02}{strike}PE"), format!("OPT:{expiry}-{day:02}:{strike}:P")),
        ] {
            prop_assert_eq!(parse(&symbol).unwrap().to_string(), format!("NSE:{}:{}", underlying, rest));
        }
    }
}
