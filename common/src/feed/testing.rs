//! For the tests of feeds.

use crate::clock::UnixMicros;
use crate::market::{Fields, Observation, Price, Quantity};

/// Symbol, exchange time in milliseconds, trade id, and the fields that are there, in the digits they came in.
pub(super) fn shown(observation: &Observation<'_>) -> String {
    let Observation { symbol, exchange_at, trade_id, fields } = observation;
    let Fields { last_price, last_size, bid_price, bid_size, ask_price, ask_size, .. } = *fields;
    let Fields { open_price, high_price, low_price, previous_close, volume, open_interest, .. } = *fields;
    let prices = [last_price, bid_price, ask_price, open_price, high_price, low_price, previous_close];
    let sizes = [last_size, bid_size, ask_size, volume, open_interest];
    let digits = prices.map(|price| price.map(Price::get)).into_iter().chain(sizes.map(|size| size.map(Quantity::get)));
    let names = "last bid ask open high low before size bid-size ask-size volume interest".split(' ');
    let present = names.zip(digits).filter_map(|(name, digits)| Some(format!(" {name} {}", digits?)));
    let at = exchange_at.map_or_else(|| "-".to_owned(), |UnixMicros(micros)| (micros / 1_000).to_string());
    let id = trade_id.map_or_else(|| "-".to_owned(), |id| id.to_string());
    format!("{symbol} at {at} id {id}:{}", present.collect::<String>())
}
