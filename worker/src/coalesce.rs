//! From ticks to the one row per instrument that a batch writes. Pure.

use std::collections::HashMap;
use std::sync::Arc;

use common::clock::UnixMicros;
use common::market::{Fields, OrderKey};
use common::store::{GapRow, HistoryRow, InstrumentId, PriceRow, Slots, WriteBatch};
use foldhash::fast::FixedState;

/// One normalised price observation of a batch.
#[derive(Debug, Clone)]
pub(crate) struct Tick<'b> {
    /// The provider's symbol, for people to read.
    pub(crate) symbol: &'b str,
    /// Number of the task in its batch.
    pub(crate) task: usize,
    /// Place within the message.
    pub(crate) index: i16,
    pub(crate) instrument: InstrumentId,
    pub(crate) order: OrderKey,
    pub(crate) received_at: UnixMicros,
    pub(crate) exchange_at: Option<UnixMicros>,
    pub(crate) trade_id: Option<i64>,
    pub(crate) fields: &'b Fields,
}

/// The rows of a batch, and for each tick the row it went into.
#[derive(Debug)]
pub(crate) struct Coalesced {
    pub(crate) batch: Arc<WriteBatch>,
    row_of_tick: Vec<usize>,
}

impl Coalesced {
    /// Folds ticks to one row per instrument, slot by slot the newest, sorted by instrument. The gaps come along.
    pub(crate) fn fold(ticks: &[Tick<'_>], history: bool, gaps: Vec<GapRow>) -> Self {
        let mut instruments: Vec<InstrumentId> = Vec::new();
        let mut met: HashMap<InstrumentId, usize, FixedState> = HashMap::default();
        let mut row_of_tick = Vec::with_capacity(ticks.len());
        for tick in ticks {
            row_of_tick.push(*met.entry(tick.instrument).or_insert_with(|| {
                instruments.push(tick.instrument);
                instruments.len() - 1
            }));
        }

        let mut sorted: Vec<usize> = (0..instruments.len()).collect();
        sorted.sort_unstable_by_key(|&met| instruments[met]);
        let mut row_of_met = vec![0; sorted.len()];
        let mut rows = Vec::with_capacity(sorted.len());
        for (row, &met) in sorted.iter().enumerate() {
            row_of_met[met] = row;
            rows.push(PriceRow::empty(instruments[met]));
        }
        for (tick, row) in ticks.iter().zip(&mut row_of_tick) {
            *row = row_of_met[*row];
            rows[*row].merge(tick.fields, tick.order, tick.exchange_at, tick.received_at);
        }

        let batch = WriteBatch { rows, history: history_of(ticks, history), gaps };
        Self { batch: Arc::new(batch), row_of_tick }
    }

    /// Whether tick number `tick` is part of what the table took, given the slots it stored of each row.
    pub(crate) fn is_stored(&self, tick: usize, order: OrderKey, stored: &[Slots]) -> bool {
        let row = self.row_of_tick[tick];
        let won = self.batch.rows[row].slots_of(order);
        stored.get(row).is_some_and(|stored| stored.meets(won))
    }
}

/// One row per tick, in their order: for the slow path, where every tick gets an outcome of its own.
pub(crate) fn one_by_one(ticks: &[Tick<'_>], history: bool) -> WriteBatch {
    let rows = ticks
        .iter()
        .map(|tick| {
            let mut row = PriceRow::empty(tick.instrument);
            row.merge(tick.fields, tick.order, tick.exchange_at, tick.received_at);
            row
        })
        .collect();
    WriteBatch { rows, history: history_of(ticks, history), gaps: Vec::new() }
}

fn history_of(ticks: &[Tick<'_>], history: bool) -> Vec<HistoryRow> {
    let row = |tick: &Tick<'_>| HistoryRow {
        instrument: tick.instrument,
        order: tick.order,
        index: tick.index,
        received_at: tick.received_at,
        exchange_at: tick.exchange_at,
        trade_id: tick.trade_id,
        fields: *tick.fields,
    };
    if history { ticks.iter().map(row).collect() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use common::market::{Epoch, Price};
    use common::store::Slot;

    use super::*;

    fn tick(task: usize, instrument: i64, fields: &Fields) -> Tick<'_> {
        let order = OrderKey::new(Epoch::new(1).unwrap(), u32::try_from(task).unwrap()).unwrap();
        Tick {
            symbol: "BTCUSDT",
            task,
            index: 0,
            instrument: InstrumentId(instrument),
            order,
            received_at: UnixMicros(1),
            exchange_at: None,
            trade_id: None,
            fields,
        }
    }

    fn trade(price: &str) -> Fields {
        Fields { last_price: Some(price.parse().unwrap()), ..Fields::default() }
    }

    fn quote(bid: &str) -> Fields {
        Fields { bid_price: Some(bid.parse().unwrap()), ..Fields::default() }
    }

    #[test]
    fn a_batch_has_one_row_per_instrument_sorted() {
        let fields = [trade("1"), trade("2"), trade("3")];
        let ticks = [tick(1, 9, &fields[0]), tick(2, 3, &fields[1]), tick(3, 9, &fields[2])];
        let folded = Coalesced::fold(&ticks, false, Vec::new());
        let rows: Vec<i64> = folded.batch.rows.iter().map(|row| row.instrument.0).collect();
        assert_eq!(rows, [3, 9]);
        let last: Option<Price> = folded.batch.rows[1].fields.last_price;
        assert_eq!(last, Some("3".parse().unwrap()));
    }

    #[test]
    fn a_trade_and_a_quote_of_one_instrument_are_both_stored_and_the_older_trade_is_not() {
        let fields = [trade("1"), quote("2"), trade("3")];
        let ticks = [tick(1, 9, &fields[0]), tick(2, 9, &fields[1]), tick(3, 9, &fields[2])];
        let folded = Coalesced::fold(&ticks, true, Vec::new());
        let stored = [Slots::from(Slot::LastPrice) | Slot::Bid.into()];
        let fate: Vec<bool> =
            ticks.iter().enumerate().map(|(n, tick)| folded.is_stored(n, tick.order, &stored)).collect();
        assert_eq!(fate, [false, true, true]);
        assert_eq!(folded.batch.history.len(), 3);
    }

    #[test]
    fn a_tick_the_table_had_a_newer_one_of_is_not_stored() {
        let fields = [trade("1"), quote("2")];
        let ticks = [tick(1, 9, &fields[0]), tick(2, 9, &fields[1])];
        let folded = Coalesced::fold(&ticks, false, Vec::new());
        let only_quote_was_newer = [Slots::from(Slot::Bid)];
        assert!(!folded.is_stored(0, ticks[0].order, &only_quote_was_newer));
        assert!(folded.is_stored(1, ticks[1].order, &only_quote_was_newer));
    }
}
