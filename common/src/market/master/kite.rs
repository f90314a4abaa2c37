//! Kite's instruments: CSV with a head. <https://kite.trade/docs/connect/v3/market-quotes/#instruments>
//!
//! A symbol is spelled as Kite's quotes spell it, `EXCHANGE:TRADINGSYMBOL`, e.g. `NSE:INFY`, `NFO:NIFTY25DECFUT`.

use super::{Columns, MasterRows, Problem, column, each_record};
use crate::market::alias::index_name;
use crate::market::symbol::fyers::kind_of;
use crate::market::{Expiry, Instrument, Kind, MasterRow, Right};

pub(super) const EXPECTED: &str = "CSV whose first line names instrument_token, tradingsymbol, name, expiry, strike, instrument_type, segment and exchange";

/// Characters of an exchange's series behind a dash, as NSE writes them.
const SERIES_CHARS: usize = 2;

/// The segment that lists indices.
const INDICES: &str = "INDICES";

pub(super) fn read(text: &str, found: &mut MasterRows) -> Result<(), Problem> {
    let head = csv::ReaderBuilder::new().from_reader(text.as_bytes()).headers().map(Columns::new);
    let head = head.map_err(|error| error.to_string())?;
    let places = Places {
        token: head.find("instrument_token")?,
        symbol: head.find("tradingsymbol")?,
        name: head.find("name")?,
        expiry: head.find("expiry")?,
        strike: head.find("strike")?,
        class: head.find("instrument_type")?,
        segment: head.find("segment")?,
        exchange: head.find("exchange")?,
    };
    each_record(text, true, found, |record| {
        let (token, symbol) = (column(record, places.token), column(record, places.symbol));
        let listed = column(record, places.exchange);
        if token.is_empty() || symbol.is_empty() || listed.is_empty() {
            return Err("no token, symbol or exchange".into());
        }
        let instrument = match column(record, places.class) {
            "EQ" if column(record, places.segment) == INDICES => index(listed, symbol),
            "EQ" => cash(listed, symbol),
            "FUT" => contract(record, &places, None)?,
            "CE" => contract(record, &places, Some(Right::Call))?,
            "PE" => contract(record, &places, Some(Right::Put))?,
            other => return Err(format!("{other:?} is neither EQ nor FUT nor CE nor PE").into()),
        };
        Ok(MasterRow { symbol: format!("{listed}:{symbol}").into(), key: token.into(), instrument })
    });
    Ok(())
}

/// Where the columns are.
struct Places {
    token: usize,
    symbol: usize,
    name: usize,
    expiry: usize,
    strike: usize,
    class: usize,
    segment: usize,
    exchange: usize,
}

/// The exchange behind a segment of its own name.
fn exchange(listed: &str) -> &str {
    match listed {
        "NFO" | "CDS" | "NCO" => "NSE",
        "BFO" | "BCD" => "BSE",
        other => other,
    }
}

fn index(listed: &str, symbol: &str) -> Instrument {
    instrument(listed, index_name(symbol).unwrap_or(symbol), Kind::Index)
}

/// Only NSE puts a series behind a dash, and none behind shares of its normal series.
fn cash(listed: &str, symbol: &str) -> Instrument {
    match symbol.rsplit_once('-') {
        Some((name, series)) if listed == "NSE" && series.len() == SERIES_CHARS && !name.is_empty() => {
            Instrument { series: Some(series.into()), ..instrument(listed, name, kind_of(series)) }
        }
        _ => instrument(listed, symbol, Kind::Eq),
    }
}

fn contract(record: &csv::StringRecord, places: &Places, right: Option<Right>) -> Result<Instrument, Problem> {
    let underlying = column(record, places.name);
    if underlying.is_empty() {
        return Err("no name of its underlying".into());
    }
    let expiry = column(record, places.expiry).parse().map_err(|_no_day| "no expiry (YYYY-MM-DD)")?;
    let option = right.map(|right| Ok::<_, Problem>((super::strike(column(record, places.strike))?, right)));
    let option = option.transpose()?;
    let kind = if option.is_some() { Kind::Opt } else { Kind::Fut };
    let listed = column(record, places.exchange);
    Ok(Instrument { expiry: Some(Expiry::Day(expiry)), option, ..instrument(listed, underlying, kind) })
}

fn instrument(listed: &str, underlying: &str, kind: Kind) -> Instrument {
    Instrument {
        exchange: exchange(listed).into(),
        underlying: underlying.into(),
        kind,
        expiry: None,
        option: None,
        series: None,
    }
}
