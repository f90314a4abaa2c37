//! A listing as the tables name it.

use super::{HistoryRow, Listing, PriceRow, WriteBatch};
use std::collections::HashMap;

/// Longest text of a listing that is stored; the index over feed and instrument takes 2,700 bytes at most.
const TEXT_BYTES_MAX: usize = 256;

/// The texts of a listing's rows.
#[derive(Debug)]
pub(super) struct NamedListing<'a> {
    pub(super) feed: &'a str,
    pub(super) symbol: &'a str,
    pub(super) instrument: String,
    pub(super) kind: String,
    pub(super) expiry: Option<String>,
    pub(super) ticker_symbol: String,
    pub(super) name: &'a str,
    pub(super) exchange: &'a str,
}

impl Listing {
    /// `None` for a listing that no table can hold, so that it does not fail its neighbours: no letter or digit in its
    /// name, a text that is too long, or a NUL in it.
    pub(super) fn named(&self) -> Option<NamedListing<'_>> {
        let named = NamedListing {
            feed: &self.feed,
            symbol: &self.symbol,
            instrument: self.instrument.to_string(),
            kind: self.instrument.kind.to_string(),
            expiry: self.instrument.expiry.map(|expiry| expiry.to_string()),
            ticker_symbol: self.instrument.ticker_symbol(),
            name: &self.instrument.underlying,
            exchange: &self.instrument.exchange,
        };
        let fits = |text: &str| text.len() <= TEXT_BYTES_MAX && !text.contains('\0');
        let fit = fits(named.feed) && fits(named.symbol) && fits(&named.instrument);
        (fit && !named.ticker_symbol.is_empty()).then_some(named)
    }
}

/// For each tick of the history the row of the batch that it stands or falls with: the row that carries its order key,
/// else the first row of its instrument, else none.
pub(super) fn rows_of_ticks(batch: &WriteBatch) -> Vec<Option<usize>> {
    let mut by_order = HashMap::new();
    let mut by_instrument = HashMap::new();
    for (place, row) in batch.rows.iter().enumerate() {
        by_instrument.entry(row.instrument).or_insert(place);
        for order in row.orders.into_iter().flatten() {
            by_order.entry((row.instrument, order)).or_insert(place);
        }
    }
    let row_of = |tick: &HistoryRow| {
        by_order.get(&(tick.instrument, tick.order)).or_else(|| by_instrument.get(&tick.instrument)).copied()
    };
    batch.history.iter().map(row_of).collect()
}

/// The ticks of the history whose instrument has no row in the batch.
pub(super) fn loose_ticks(batch: &WriteBatch) -> Vec<HistoryRow> {
    let rows = rows_of_ticks(batch);
    batch.history.iter().zip(rows).filter(|(_, row)| row.is_none()).map(|(tick, _)| tick.clone()).collect()
}

/// Why such a batch is refused: of two rows of one instrument a single statement would lose one without a word.
pub(super) const NOT_ASCENDING: &str = "the batch must hold one row per instrument, ascending";

/// Whether a batch is as [`super::PriceStore::write`] wants it: one row per instrument, ascending.
pub(super) fn ascends(rows: &[PriceRow]) -> bool {
    rows.is_sorted_by(|left, right| left.instrument < right.instrument)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::{Instrument, Kind};

    fn listing(underlying: &str, symbol: &str) -> Listing {
        let instrument = Instrument {
            exchange: "NSE".into(),
            underlying: underlying.into(),
            kind: Kind::Eq,
            expiry: None,
            option: None,
            series: None,
        };
        Listing { feed: "fyers".into(), symbol: symbol.into(), instrument }
    }

    #[test]
    fn a_listing_is_named_by_its_instrument() {
        let listing = listing("M&M", "NSE:M&M-EQ");
        let named = listing.named().unwrap();
        assert_eq!((named.ticker_symbol.as_str(), named.instrument.as_str()), ("mm", "NSE:M&M:EQ"));
    }

    #[test]
    fn what_no_table_can_hold_is_not_named() {
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        for (underlying, symbol) in [("&&", "NSE:X"), (long.as_str(), "NSE:X"), ("X", long.as_str()), ("X", "a\0b")] {
            assert!(listing(underlying, symbol).named().is_none(), "{underlying:?} {symbol:?}");
        }
    }
}
