//! The best levels of an order book. Only the very best bid and ask are kept.

use std::borrow::Cow;

use serde::Deserialize;

use crate::feed::DecodeError;
use crate::feed::binance::decode::frame;
use crate::feed::number::{At, Number};
use crate::market::{Fields, Observation};

/// A combined frame of partial depth. Spot names the symbol nowhere but in the stream.
#[derive(Deserialize)]
struct Combined<'a> {
    #[serde(borrow)]
    stream: Cow<'a, str>,
    #[serde(borrow)]
    data: Depth<'a>,
}

/// Spot: `{"lastUpdateId":160,"bids":[["0.0024","10"]],"asks":[["0.0026","100"]]}`. Futures:
/// `{"e":"depthUpdate","E":1571889248277,"T":1571889248276,"s":"BTCUSDT","U":390497796,"u":390497878,"pu":390497794,
/// "b":[["7403.89","0.002"]],"a":[["7405.96","3.340"]]}`. Best level first.
#[derive(Deserialize)]
struct Depth<'a> {
    #[serde(borrow, rename = "s")]
    symbol: Option<Cow<'a, str>>,
    #[serde(rename = "T")]
    at: Option<At>,
    #[serde(rename = "E")]
    sent_at: Option<At>,
    #[serde(borrow, alias = "b")]
    bids: Vec<[Number<'a>; 2]>,
    #[serde(borrow, alias = "a")]
    asks: Vec<[Number<'a>; 2]>,
}

/// What one event of partial depth says. `body` is the whole combined frame.
pub(super) fn observation<'a>(kind: &str, body: &'a str) -> Result<Observation<'a>, DecodeError> {
    let Combined { stream, data } = frame::<Combined<'a>>(kind, body)?;
    let mut fields = Fields::default();
    if let Some([price, size]) = data.bids.first() {
        fields.bid_price = Some(price.read("bids")?);
        fields.bid_size = Some(size.read("bids")?);
    }
    if let Some([price, size]) = data.asks.first() {
        fields.ask_price = Some(price.read("asks")?);
        fields.ask_size = Some(size.read("asks")?);
    }
    if fields.is_empty() {
        return Err(DecodeError::Skip("empty_book"));
    }
    let symbol = data.symbol.or_else(|| symbol_of(&stream)).ok_or_else(|| DecodeError::Malformed {
        kind: kind.into(),
        problem: "neither the event nor its stream names a symbol".to_owned(),
    })?;
    Ok(Observation { symbol, exchange_at: data.at.or(data.sent_at).map(|at| at.0), trade_id: None, fields })
}

/// `btcusdt@depth5` -> `BTCUSDT`.
fn symbol_of(stream: &str) -> Option<Cow<'static, str>> {
    let (symbol, _channel) = stream.split_once('@')?;
    (!symbol.is_empty()).then(|| Cow::Owned(symbol.to_uppercase()))
}
