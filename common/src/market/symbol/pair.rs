//! Pairs of assets with a mark between them, as most crypto exchanges write them.

use crate::market::symbol::{Problem, check_length};
use crate::market::{Instrument, Kind};

/// Reads `BASE<mark>QUOTE`, in any case, as a spot instrument of `exchange`. `rename` gives an asset its usual name.
pub(super) fn read(
    symbol: &str,
    mark: char,
    exchange: &str,
    rename: fn(&str) -> Option<&'static str>,
) -> Result<Instrument, Problem> {
    check_length(symbol)?;
    let (base, quote) = symbol.split_once(mark).ok_or_else(|| format!("no {mark:?} between two assets"))?;
    let underlying = format!("{}/{}", asset(base, rename)?, asset(quote, rename)?);
    Ok(Instrument {
        exchange: exchange.into(),
        underlying: underlying.into(),
        kind: Kind::Spot,
        expiry: None,
        option: None,
        series: None,
    })
}

fn asset(text: &str, rename: fn(&str) -> Option<&'static str>) -> Result<String, Problem> {
    if text.is_empty() {
        return Err("an asset is missing beside the mark".into());
    }
    // Names need not be ASCII, but they are words; a few carry a dot, e.g. staked assets.
    if let Some(odd) = text.chars().find(|&c| !c.is_alphanumeric() && c != '.') {
        return Err(format!("{odd:?} does not occur in assets").into());
    }
    let upper = text.to_uppercase();
    Ok(rename(&upper).map_or(upper, ToOwned::to_owned))
}
