//! Prices and ticks as they come back from a table.

use super::columns::{self, VALUES};
use super::{HistoryRow, InstrumentId, PriceRow, Slot, StoredPrice};
use crate::BoxError;
use crate::clock::UnixMicros;
use crate::market::{BadNumber, Fields, OrderKey, Price};

/// The columns of a tick of the history, still as the table has them.
#[derive(Debug)]
pub(super) struct TickedColumns {
    pub(super) instrument: i64,
    pub(super) order: i64,
    pub(super) index: i16,
    pub(super) received_at: UnixMicros,
    pub(super) exchange_at: Option<UnixMicros>,
    pub(super) trade_id: Option<i64>,
    /// By `VALUES`, as text.
    pub(super) values: Vec<Option<String>>,
}

impl TryFrom<TickedColumns> for HistoryRow {
    type Error = BoxError;

    fn try_from(ticked: TickedColumns) -> Result<Self, BoxError> {
        Ok(Self {
            instrument: InstrumentId(ticked.instrument),
            order: OrderKey::from_i64(ticked.order).ok_or("an order key that is not positive")?,
            index: ticked.index,
            received_at: ticked.received_at,
            exchange_at: ticked.exchange_at,
            trade_id: ticked.trade_id,
            fields: fields(ticked.values)?,
        })
    }
}

/// By `VALUES`, as text.
fn fields(values: Vec<Option<String>>) -> Result<Fields, BoxError> {
    let number = |text: Option<String>| text.map(|text| text.parse().map(Price::get)).transpose();
    let values = values.into_iter().map(number).collect::<Result<Vec<_>, BadNumber>>()?;
    let values: [_; VALUES.len()] = values.try_into().map_err(|_other| "not twelve values")?;
    Ok(columns::fields(values)?)
}

/// The columns of a stored price, still as the table has them.
#[derive(Debug)]
pub(super) struct StoredColumns {
    pub(super) id: i64,
    pub(super) instrument: String,
    pub(super) feed: String,
    pub(super) ticker_symbol: String,
    /// By `VALUES`, as text: PostgreSQL's decimals read as numbers lose the zeros of 0.00.
    pub(super) values: Vec<Option<String>>,
    /// By `Slot::ALL`.
    pub(super) orders: Vec<i64>,
    /// `trade_at`, `quote_at`, `day_at`, `received_at`, `stored_at`.
    pub(super) times: Vec<Option<UnixMicros>>,
}

impl TryFrom<StoredColumns> for StoredPrice {
    type Error = BoxError;

    fn try_from(stored: StoredColumns) -> Result<Self, BoxError> {
        let StoredColumns { id, instrument, feed, ticker_symbol, values, orders, times } = stored;
        let orders: [_; Slot::ALL.len()] = orders.try_into().map_err(|_other| "not ten orders")?;
        let &[trade_at, quote_at, day_at, received_at, stored_at] = times.as_slice() else {
            return Err("not five times".into());
        };
        let row = PriceRow {
            instrument: InstrumentId(id),
            fields: fields(values)?,
            orders: orders.map(OrderKey::from_i64),
            trade_at,
            quote_at,
            day_at,
            received_at: received_at.unwrap_or_default(),
        };
        Ok(Self { instrument, feed, ticker_symbol, row, stored_at: stored_at.unwrap_or_default() })
    }
}
