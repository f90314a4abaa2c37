//! Symbol masters in their providers' formats. The fixtures are ours, written from the documented formats; the
//! instruments of `upstox.json` are those of the table of symbols.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;

use common::market::master::{self, MasterError};
use common::market::{Catalog, MasterRow};

use crate::captures;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/masters").join(name);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Symbol, key and canonical form of each row; and how many rows were skipped.
fn read(feed: &str, name: &str) -> (Vec<(String, String, String)>, u64) {
    let found = master::read(feed, &fixture(name)).unwrap();
    let shown = |row: &MasterRow| (row.symbol.to_string(), row.key.to_string(), row.instrument.to_string());
    (found.rows.iter().map(shown).collect(), found.skipped)
}

fn holds(feed: &str, name: &str, expected: &[(&str, &str, &str)]) {
    let (rows, skipped) = read(feed, name);
    let expected: Vec<_> =
        expected.iter().map(|&(symbol, key, form)| (symbol.to_owned(), key.to_owned(), form.to_owned())).collect();
    assert_eq!(rows, expected);
    assert_eq!(skipped, u64::from(name == "binance_usdm.json"), "{name}");
}

#[test]
fn every_upstox_key_of_the_table_is_found_in_a_catalog() {
    let Some(table) = captures::read("symbols.csv") else { return };
    let mut catalog = Catalog::default();
    catalog.add("upstox", master::read("upstox", &fixture("upstox.json")).unwrap().rows);
    let mut keys = 0;
    for line in table.lines().filter(|line| line.starts_with("upstox_key,")) {
        let columns: Vec<&str> = line.split(',').collect();
        let found = catalog.find("upstox", columns[1]).unwrap_or_else(|| panic!("{} is not found", columns[1]));
        let shown = (found.instrument.to_string(), found.instrument.ticker_symbol());
        assert_eq!(shown, (columns[11].to_owned(), columns[12].to_owned()), "{}", columns[1]);
        assert!(catalog.find("upstox", &found.symbol).is_some_and(|same| same == found), "{}", found.symbol);
        keys += 1;
    }
    assert_eq!(keys, 16);
}

#[test]
fn every_json_symbol_of_the_table_is_spelled_so_in_the_catalog() {
    let Some(table) = captures::read("symbols.csv") else { return };
    let mut catalog = Catalog::default();
    catalog.add("upstox", master::read("upstox", &fixture("upstox.json")).unwrap().rows);
    for line in table.lines().filter(|line| line.starts_with("upstox_json_symbol,")) {
        let columns: Vec<&str> = line.split(',').collect();
        let found = catalog.find("upstox", columns[1]).unwrap_or_else(|| panic!("{} is not found", columns[1]));
        assert_eq!(found.instrument.to_string(), columns[11]);
    }
}

#[test]
fn upstox_older_csv_is_read_too() {
    holds(
        "upstox",
        "upstox.csv",
        &[
            ("NSE_EQ:M&M", "NSE_EQ|INE000A00000", "NSE:M&M:EQ"),
            ("NSE_INDEX:Nifty Bank", "NSE_INDEX|Nifty Bank", "NSE:BANKNIFTY:INDEX"),
            ("NSE_FO:NIFTYNXT5025OCT68200CE", "NSE_FO|1", "NSE:NIFTYNXT50:OPT:2025-10-28:68200:C"),
            ("BSE_FO:SENSEX502590474000PE", "BSE_FO|2", "BSE:SENSEX50:OPT:2025-09-04:74000:P"),
            ("NSE_FO:360ONE25AUGFUT", "NSE_FO|3", "NSE:360ONE:FUT:2025-08-28"),
            ("BCD_FO:JPYINR25O2460.25PE", "BCD_FO|4", "BSE:JPYINR:OPT:2025-10-24:60.25:P"),
            ("MCX_FO:COTTON25DECFUT", "MCX_FO|5", "MCX:COTTON:FUT:2026-01-02"),
        ],
    );
}

#[test]
fn fyers_csv_gives_tokens_and_the_exact_day() {
    holds(
        "fyers",
        "fyers.csv",
        &[
            ("NSE:BAJAJ-AUTO-EQ", "101000000010001", "NSE:BAJAJ-AUTO:EQ"),
            ("NSE:NIFTY50-INDEX", "101000000026000", "NSE:NIFTY50:INDEX"),
            ("NSE:RELIANCE25JULFUT", "101125073153001", "NSE:RELIANCE:FUT:2025-07-31"),
            ("NSE:RELIANCE25AUGFUT", "101125082853002", "NSE:RELIANCE:FUT:2025-08-28"),
            ("NSE:NIFTYNXT5025OCT68200CE", "101125102853003", "NSE:NIFTYNXT50:OPT:2025-10-28:68200:C"),
            ("NSE:718GS203725DEC99.75PE", "101225122953004", "NSE:718GS2037:OPT:2025-12-26:99.75:P"),
            ("MCX:GOLDM25AUGFUT", "112025080553005", "MCX:GOLDM:FUT:2025-08-05"),
        ],
    );
}

#[test]
fn kite_csv_is_spelled_as_kites_quotes_are() {
    holds(
        "kite",
        "kite.csv",
        &[
            ("NSE:NIFTY 50", "256265", "NSE:NIFTY:INDEX"),
            ("NSE:INFY", "256266", "NSE:INFY:EQ"),
            ("NSE:CENTRALBK-BE", "256267", "NSE:CENTRALBK:EQ"),
            ("NSE:BAJAJ-AUTO", "256268", "NSE:BAJAJ-AUTO:EQ"),
            ("BSE:KLBRENG-B", "256269", "BSE:KLBRENG-B:EQ"),
            ("NFO:NIFTY25DECFUT", "256270", "NSE:NIFTY:FUT:2025-12-30"),
            ("NFO:BANKNIFTY18JAN23500CE", "256271", "NSE:BANKNIFTY:OPT:2018-01-25:23500:C"),
            ("CDS:USDINR2610986.625PE", "256272", "NSE:USDINR:OPT:2026-01-09:86.625:P"),
            ("BFO:SENSEX25DECFUT", "256273", "BSE:SENSEX:FUT:2025-12-24"),
        ],
    );
}

#[test]
fn binances_exchange_info_splits_base_and_quote_for_certain() {
    holds(
        "binance",
        "binance.json",
        &[
            ("BTCSTUSDT", "BTCSTUSDT", "BINANCE:BTCST/USDT:SPOT"),
            ("USDTTRY", "USDTTRY", "BINANCE:USDT/TRY:SPOT"),
            ("AAAUSDNEW", "AAAUSDNEW", "BINANCE:AAA/USDNEW:SPOT"),
        ],
    );
    holds(
        "binance_usdm",
        "binance_usdm.json",
        &[
            ("1000SHIBUSDT", "1000SHIBUSDT", "BINANCE_USDM:1000SHIB/USDT:PERP"),
            ("TSLAUSDT", "TSLAUSDT", "BINANCE_USDM:TSLA/USDT:PERP"),
            ("BTCUSDT_251226", "BTCUSDT_251226", "BINANCE_USDM:BTC/USDT:FUT:2025-12-26"),
        ],
    );
}

#[test]
fn a_master_of_another_provider_is_no_master() {
    for (feed, name) in [
        ("fyers", "kite.csv"),
        ("kite", "fyers.csv"),
        ("upstox", "kite.csv"),
        ("upstox", "binance.json"),
        ("binance", "upstox.json"),
        ("binance_usdm", "binance.json"),
    ] {
        let error = master::read(feed, &fixture(name)).unwrap_err();
        assert!(matches!(error, MasterError::Nothing { .. }), "{feed} {name}: {error}");
        assert!(error.to_string().contains("expected"), "{error}");
    }
}
