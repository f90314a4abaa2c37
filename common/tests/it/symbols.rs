//! Every symbol of the table that a feed's grammar can read comes out as the table says.

use common::feed::SymbolError;
use common::market::Instrument;
use common::market::symbol::{binance, coinbase, dated, fyers, kite, kraken, massive, twelvedata, upstox};

use crate::captures;

/// The columns that are compared; none before `seed_code_output` holds a comma or a quote.
#[derive(Debug)]
struct Row<'a> {
    provider: &'a str,
    raw: &'a str,
    expiry_in_symbol: &'a str,
    expiry_exact: &'a str,
    strike: &'a str,
    right: &'a str,
    series: &'a str,
    canonical: &'a str,
    processed: &'a str,
}

impl<'a> Row<'a> {
    fn new(line: &'a str) -> Self {
        let columns: Vec<&str> = line.split(',').collect();
        Self {
            provider: columns[0],
            raw: columns[1],
            expiry_in_symbol: columns[6],
            expiry_exact: columns[7],
            strike: columns[8],
            right: columns[9],
            series: columns[10],
            canonical: columns[11],
            processed: columns[12],
        }
    }

    /// The canonical form as far as the symbol itself tells it: the symbol of a monthly contract names no day, that
    /// comes from a symbol master.
    fn canonical_without_master(&self) -> String {
        if self.expiry_exact.is_empty() {
            return self.canonical.to_owned();
        }
        self.canonical.replacen(self.expiry_exact, self.expiry_in_symbol, 1)
    }
}

type Parse = fn(&str) -> Result<Instrument, SymbolError>;

#[test]
fn fyers_symbols_read_as_the_table_says() {
    every_row_reads("fyers", fyers::parse);
}

#[test]
fn kite_symbols_read_as_the_table_says() {
    every_row_reads("kite", kite::parse);
}

#[test]
fn binance_spot_symbols_read_as_the_table_says() {
    every_row_reads("binance_spot", binance::parse_spot);
}

#[test]
fn binance_futures_symbols_read_as_the_table_says() {
    every_row_reads("binance_usdm", binance::parse_usdm);
}

#[test]
fn massive_symbols_read_as_the_table_says() {
    every_row_reads("massive", massive::parse);
}

#[test]
fn twelvedata_symbols_read_as_the_table_says() {
    every_row_reads("twelvedata", twelvedata::parse);
}

#[test]
fn upstox_trading_symbols_read_as_the_table_says() {
    every_row_reads("upstox_tradingsymbol", upstox::parse_trading);
}

#[test]
fn upstox_symbols_in_words_read_as_the_table_says() {
    every_row_reads("upstox_json_symbol", upstox::parse_json_symbol);
}

#[test]
fn upstox_symbols_of_both_forms_are_told_apart() {
    every_row_reads("upstox_tradingsymbol", upstox::parse);
    every_row_reads("upstox_json_symbol", upstox::parse);
}

#[test]
fn crypto_pairs_read_as_the_table_says() {
    every_row_reads("coinbase", coinbase::parse);
    every_row_reads("kraken", kraken::parse);
}

#[test]
fn contracts_with_their_whole_day_read_as_the_table_says() {
    every_row_reads("globaldatafeeds", |symbol| dated::parse("globaldatafeeds", symbol));
    every_row_reads("openalgo", |symbol| dated::parse("openalgo", symbol));
}

fn every_row_reads(provider: &str, parse: Parse) {
    let Some(table) = captures::read("symbols.csv") else { return };
    let rows: Vec<Row<'_>> = table.lines().skip(1).map(Row::new).filter(|row| row.provider == provider).collect();
    assert!(!rows.is_empty(), "the table has no row of {provider}");
    let wrong: Vec<String> = rows.iter().filter_map(|row| differs(row, parse).err()).collect();
    assert!(wrong.is_empty(), "{} of {} rows differ:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

fn differs(row: &Row<'_>, parse: Parse) -> Result<(), String> {
    let read = parse(row.raw).map_err(|refused| refused.to_string())?;
    let found = (read.to_string(), read.ticker_symbol(), read.series.as_deref().unwrap_or_default());
    let wanted = (row.canonical_without_master(), row.processed.to_owned(), row.series);
    let (strike, right) = read.option.map(|(s, r)| (s.to_string(), r.to_string())).unwrap_or_default();
    if found == wanted && (&*strike, &*right) == (row.strike, row.right) {
        Ok(())
    } else {
        Err(format!("{found:?} is not {row:?}"))
    }
}
