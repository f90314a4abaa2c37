use proptest::prelude::*;

use super::{parse, parse_json_symbol, parse_key, parse_trading};

/// Symbol, canonical form, ticker symbol.
const READ: [(&str, &str, &str); 26] = [
    ("NSE_INDEX|Nifty 50", "NSE:NIFTY:INDEX", "nifty"),
    ("NSE_INDEX|Nifty Bank", "NSE:BANKNIFTY:INDEX", "banknifty"),
    ("NSE_INDEX|Nifty Fin Service", "NSE:FINNIFTY:INDEX", "finnifty"),
    ("NSE_INDEX|NIFTY MID SELECT", "NSE:MIDCPNIFTY:INDEX", "midcpnifty"),
    ("NSE_INDEX|Nifty Next 50", "NSE:NIFTYNXT50:INDEX", "niftynxt50"),
    ("NSE_INDEX|India VIX", "NSE:INDIA VIX:INDEX", "indiavix"),
    ("NSE_INDEX|Nifty100 Qualty30", "NSE:NIFTY100 QUALTY30:INDEX", "nifty100qualty30"),
    ("BSE_INDEX|SENSEX", "BSE:SENSEX:INDEX", "sensex"),
    ("BSE_INDEX|BANKEX", "BSE:BANKEX:INDEX", "bankex"),
    ("MCX_INDEX|MCXBULLDEX", "MCX:MCXBULLDEX:INDEX", "mcxbulldex"),
    ("NSE_EQ|INE002A01018", "NSE:INE002A01018:EQ", "ine002a01018"),
    ("BSE_EQ|INE090A01021", "BSE:INE090A01021:EQ", "ine090a01021"),
    ("NSE_EQ:BAJAJ-AUTO", "NSE:BAJAJ-AUTO:EQ", "bajajauto"),
    ("NSE_INDEX:BANKNIFTY", "NSE:BANKNIFTY:INDEX", "banknifty"),
    ("NSE_INDEX:NIFTY 50", "NSE:NIFTY:INDEX", "nifty"),
    ("NSE_COM:BRENTCRUDEOIL", "NSE:BRENTCRUDEOIL:COMMODITY", "brentcrudeoil"),
    ("NSE_COM:RICE", "NSE:RICE:COMMODITY", "rice"),
    ("NSE_COM:GOLD1G", "NSE:GOLD1G:COMMODITY", "gold1g"),
    ("NSE_COM:GOLD26APR101600CE", "NSE:GOLD:OPT:2026-04:101600:C", "gold"),
    ("NSE_COM:GOLD 101600 CE 28 APR 26", "NSE:GOLD:OPT:2026-04-28:101600:C", "gold"),
    ("BCD_FO:JPYINR25O2460.25PE", "BSE:JPYINR:OPT:2025-10-24:60.25:P", "jpyinr"),
    ("NCD_FO:USDINR25904FUT", "NSE:USDINR:FUT:2025-09-04", "usdinr"),
    ("MCX_FO:CRUDEOIL25AUGFUT", "MCX:CRUDEOIL:FUT:2025-08", "crudeoil"),
    ("MCX_FO:CRUDEOIL FUT 19 AUG 25", "MCX:CRUDEOIL:FUT:2025-08-19", "crudeoil"),
    ("NSE_FO:M&M 3550 PE 30 SEP 25", "NSE:M&M:OPT:2025-09-30:3550:P", "mm"),
    ("NCD_FO:USDINR 86.6250 CE 04 SEP 25", "NSE:USDINR:OPT:2025-09-04:86.625:C", "usdinr"),
];

/// Symbol, and a part of what is said about it.
const REFUSED: [(&str, &str); 25] = [
    ("", "empty"),
    ("RELIANCE", "no segment and ':' in front"),
    ("NSE:RELIANCE", "unknown segment \"NSE\"; there are NSE_EQ, BSE_EQ"),
    ("nse_eq|INE002A01018", "unknown segment"),
    ("NSE_FO|71952", "name Upstox' instruments file under `masters`"),
    ("NSE_COM|4", "`masters`"),
    ("NSE_EQ|RELIANCE", "is no ISIN"),
    ("NSE_EQ|INE002A0101X", "is no ISIN"),
    ("NSE_EQ|ine002a01018", "small letters"),
    ("NSE_EQ|", "no name"),
    ("NSE_INDEX| Nifty 50", "space at its edge"),
    ("NSE_INDEX|Nifty|50", "'|' does not occur"),
    ("NSE_INDEX|निफ्टी", "does not occur"),
    ("NSE_EQ:TATA MOTORS", "only indices"),
    ("NSE_EQ:reliance", "small letters"),
    ("NSE_FO:NIFTY", "neither"),
    ("NSE_FO:NIFTY25AUGCE", "no strike"),
    ("NSE_COM:GOLD26APRCE", "no strike"),
    ("NSE_FO:NIFTY 24450 CE 31 SEP 25", "31 SEP 25 is no day"),
    ("NSE_FO:NIFTY 24450 CE 28 AUGUST 25", "28 AUGUST 25 is no day"),
    ("NSE_FO:NIFTY CE 28 AUG 25", "neither"),
    ("NSE_FO:NIFTY 0 CE 28 AUG 25", "no strike"),
    ("NSE_FO:NIFTY  24450 CE 28 AUG 25", "more than one space"),
    ("NSE_FO: FUT 28 AUG 25", "space at its edge"),
    ("NSE_EQ:RELIANCE FUT 28 AUG 25", "trades no contracts"),
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
fn an_index_is_called_as_its_contracts_are() {
    for (index, contract) in [
        ("NSE_INDEX|Nifty 50", "NSE_FO:NIFTY25AUGFUT"),
        ("NSE_INDEX|Nifty Bank", "NSE_FO:BANKNIFTY25AUGFUT"),
        ("NSE_INDEX|Nifty Fin Service", "NSE_FO:FINNIFTY25AUGFUT"),
        ("BSE_INDEX|SENSEX", "BSE_FO:SENSEX25AUGFUT"),
    ] {
        assert_eq!(parse(index).unwrap().underlying, parse(contract).unwrap().underlying);
    }
}

#[test]
fn a_contract_reads_the_same_in_both_spellings_but_for_its_day() {
    let (written, spoken) = ("NSE_FO:NIFTY2590922600PE", "NSE_FO:NIFTY 22600 PE 09 SEP 25");
    assert_eq!(parse_trading(written), parse_json_symbol(spoken));
}

/// Text that resembles symbols, so that it gets past the first checks.
fn resembling() -> impl Strategy<Value = String> {
    let part = prop::sample::select(vec![
        "NSE_EQ|",
        "NSE_FO:",
        "NSE_COM:",
        "NSE_INDEX|",
        "NIFTY",
        "INE002A01018",
        "25",
        "AUG",
        " ",
        "24450",
        "CE",
        "FUT",
        ".",
        ".965",
        " 28 AUG 25",
        "é",
        "|",
        ":",
    ]);
    prop::collection::vec(part, 0..9).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), resembling in resembling()) {
        for symbol in [text.clone(), format!("NSE_EQ|{text}"), format!("NSE_FO:{text} CE 28 AUG 25"), resembling] {
            for read in [parse(&symbol), parse_key(&symbol), parse_trading(&symbol), parse_json_symbol(&symbol)] {
                prop_assert!(read.is_err() || !read.unwrap().underlying.is_empty());
            }
        }
    }
}
