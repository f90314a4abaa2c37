//! Upstox' instruments: a JSON array. <https://upstox.com/developer/api-documentation/instruments>, complete at
//! `https://assets.upstox.com/market-quote/instruments/exchange/complete.json.gz`; the older CSV is read as well.
//!
//! A symbol is spelled `SEGMENT:TRADING SYMBOL`, e.g. `NSE_FO:NIFTY 24450 CE 28 AUG 25`; the key is what Upstox' stream
//! calls it, e.g. `NSE_FO|71952`.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MasterRows, Problem, upstox_csv};
use crate::market::alias::index_name;
use crate::market::day::day_in_india;
use crate::market::{Expiry, Instrument, Kind, MasterRow, Right};

pub(super) const EXPECTED: &str = "a JSON array of instruments with segment, instrument_key, trading_symbol and instrument_type (or Upstox' older CSV)";

const MILLIS: i64 = 1_000;

/// One instrument, as far as we need it. Numbers are kept as they are written: strikes must stay exact.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow)]
    segment: std::borrow::Cow<'a, str>,
    instrument_key: Box<str>,
    trading_symbol: Box<str>,
    instrument_type: Box<str>,
    underlying_symbol: Option<Box<str>>,
    asset_symbol: Option<Box<str>>,
    name: Option<Box<str>>,
    /// Milliseconds since 1970, at the end of the day in India.
    expiry: Option<i64>,
    #[serde(borrow)]
    strike_price: Option<&'a RawValue>,
}

pub(super) fn read(text: &str, found: &mut MasterRows) -> Result<(), Problem> {
    if !text.trim_start().starts_with('[') {
        return upstox_csv::read(text, found);
    }
    let rows: Vec<&RawValue> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (number, raw) in rows.into_iter().enumerate() {
        let row = serde_json::from_str(raw.get()).map_err(|error| Problem::from(error.to_string()));
        found.take(row.and_then(|row| master_row(&row)), || format!("instrument {}", number + 1));
    }
    Ok(())
}

fn master_row(row: &Row<'_>) -> Result<MasterRow, Problem> {
    let right = match &*row.instrument_type {
        "CE" => Some(Right::Call),
        "PE" => Some(Right::Put),
        _ => None,
    };
    let instrument = match (right, &*row.instrument_type) {
        (Some(_), _) | (None, "FUT") => {
            let named = [&row.underlying_symbol, &row.asset_symbol, &row.name];
            let underlying = named.into_iter().flatten().find(|name| !name.is_empty()).ok_or("no underlying")?;
            let seconds = row.expiry.map(|millis| millis.div_euclid(MILLIS));
            let expiry = seconds.and_then(day_in_india).ok_or("no expiry in milliseconds")?;
            let strike = || super::strike(row.strike_price.map_or("", |raw| raw.get()).trim_matches('"'));
            let option = right.map(|right| Ok::<_, Problem>((strike()?, right))).transpose()?;
            contract(&row.segment, underlying, expiry, option)
        }
        (None, class) => spot(&row.segment, &row.trading_symbol, class),
    };
    if row.instrument_key.is_empty() || row.trading_symbol.is_empty() {
        return Err("an empty instrument_key or trading_symbol".into());
    }
    let symbol = format!("{}:{}", row.segment, row.trading_symbol).into();
    Ok(MasterRow { symbol, key: row.instrument_key.clone(), instrument })
}

/// A future, or with `option` an option.
pub(super) fn contract(
    segment: &str,
    underlying: &str,
    expiry: jiff::civil::Date,
    option: Option<(rust_decimal::Decimal, Right)>,
) -> Instrument {
    let kind = if option.is_some() { Kind::Opt } else { Kind::Fut };
    Instrument { expiry: Some(Expiry::Day(expiry)), option, ..bare(segment, underlying, kind) }
}

/// What is no contract: `class` is the series of a share, or a word of Upstox' own.
pub(super) fn spot(segment: &str, symbol: &str, class: &str) -> Instrument {
    if segment.ends_with("_INDEX") || class == "INDEX" {
        return bare(segment, index_name(symbol).unwrap_or(symbol), Kind::Index);
    }
    if segment.ends_with("_COM") || class == "COM" {
        return bare(segment, symbol, Kind::Commodity);
    }
    match class {
        // A word for shares in general, in the CSV.
        "" | "EQUITY" => bare(segment, symbol, Kind::Eq),
        series => {
            let kind = crate::market::symbol::fyers::kind_of(series);
            Instrument { series: Some(series.into()), ..bare(segment, symbol, kind) }
        }
    }
}

fn bare(segment: &str, underlying: &str, kind: Kind) -> Instrument {
    Instrument {
        exchange: exchange(segment).into(),
        underlying: underlying.into(),
        kind,
        expiry: None,
        option: None,
        series: None,
    }
}

/// `NSE_FO` -> `NSE`. The currency segments are called after their exchanges' letters.
fn exchange(segment: &str) -> &str {
    match segment {
        "NCD_FO" => "NSE",
        "BCD_FO" => "BSE",
        other => other.split_once('_').map_or(other, |(exchange, _)| exchange),
    }
}
