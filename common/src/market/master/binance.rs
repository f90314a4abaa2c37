//! Binance's `exchangeInfo`, which alone splits a symbol into base and quote for certain.
//! <https://api.binance.com/api/v3/exchangeInfo>, <https://fapi.binance.com/fapi/v1/exchangeInfo>

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{MasterRows, Problem};
use crate::market::day::day_of_utc;
use crate::market::{Expiry, Instrument, Kind, MasterRow};

pub(super) const EXPECTED: &str = "JSON, an object whose `symbols` have symbol, baseAsset and quoteAsset";

#[derive(Deserialize)]
struct ExchangeInfo<'a> {
    #[serde(borrow)]
    symbols: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Symbol {
    #[serde(rename = "symbol")]
    name: Box<str>,
    base_asset: Box<str>,
    quote_asset: Box<str>,
    contract_type: Option<Box<str>>,
    delivery_date: Option<i64>,
}

pub(super) fn read_spot(text: &str, found: &mut MasterRows) -> Result<(), Problem> {
    each_symbol(text, found, |symbol| Ok(instrument("BINANCE", symbol, Kind::Spot, None)))
}

pub(super) fn read_usdm(text: &str, found: &mut MasterRows) -> Result<(), Problem> {
    each_symbol(text, found, |symbol| {
        // Perpetual contracts carry a day of delivery in the year 2100, so the type decides, and there are several.
        let class = symbol.contract_type.as_deref().unwrap_or_default();
        if class.ends_with("PERPETUAL") {
            return Ok(instrument("BINANCE_USDM", symbol, Kind::Perp, None));
        }
        if class.is_empty() {
            return Err(format!("{}: no contractType, so it is not traded yet", symbol.name).into());
        }
        let day = symbol.delivery_date.and_then(day_of_utc).ok_or("no deliveryDate in milliseconds")?;
        Ok(instrument("BINANCE_USDM", symbol, Kind::Fut, Some(Expiry::Day(day))))
    })
}

fn each_symbol(
    text: &str,
    found: &mut MasterRows,
    mut read: impl FnMut(&Symbol) -> Result<Instrument, Problem>,
) -> Result<(), Problem> {
    let info: ExchangeInfo<'_> = serde_json::from_str(text).map_err(|error| error.to_string())?;
    for (number, raw) in info.symbols.iter().enumerate() {
        let symbol: Result<Symbol, _> = serde_json::from_str(raw.get());
        let row = symbol.map_err(|error| error.to_string().into()).and_then(|symbol| {
            if symbol.name.is_empty() || symbol.base_asset.is_empty() || symbol.quote_asset.is_empty() {
                return Err("an empty name".into());
            }
            let instrument = read(&symbol)?;
            Ok(MasterRow { key: symbol.name.clone(), symbol: symbol.name, instrument })
        });
        found.take(row, || format!("symbol {}", number + 1));
    }
    Ok(())
}

fn instrument(exchange: &str, symbol: &Symbol, kind: Kind, expiry: Option<Expiry>) -> Instrument {
    let underlying = format!("{}/{}", symbol.base_asset, symbol.quote_asset).into();
    Instrument { exchange: exchange.into(), underlying, kind, expiry, option: None, series: None }
}
