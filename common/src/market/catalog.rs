//! What symbol masters tell of instruments beyond what a symbol's grammar can: keys, exact days, names. Pure.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::feed::{Feed, SymbolError};
use crate::market::Instrument;

/// The instruments of each feed whose master was read. Empty where none was.
#[derive(Debug, Default)]
pub struct Catalog {
    feeds: HashMap<Box<str>, MasterRows, RandomState>,
}

/// One row of a symbol master.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MasterRow {
    /// The symbol, as people and settings spell it, e.g. `NSE:SBIN-EQ`.
    pub symbol: Box<str>,
    /// What the provider calls it on the wire: Fyers' token number, Upstox' instrument key, Kite's instrument token.
    /// The symbol again where there is nothing else.
    pub key: Box<str>,
    /// What it is, with the exact day of its expiry.
    pub instrument: Instrument,
}

/// The rows of one feed.
#[derive(Debug, Default)]
struct MasterRows {
    rows: Vec<MasterRow>,
    by_name: HashMap<Box<str>, usize, RandomState>,
}

impl Catalog {
    /// Adds rows of a feed's master. Of two rows with one symbol or key the later one counts.
    pub fn add(&mut self, feed: &str, rows: impl IntoIterator<Item = MasterRow>) {
        let master = self.feeds.entry(feed.into()).or_default();
        for row in rows {
            let place = master.rows.len();
            master.by_name.insert(row.symbol.clone(), place);
            master.by_name.insert(row.key.clone(), place);
            master.rows.push(row);
        }
    }

    /// The row of a symbol or key.
    pub fn find(&self, feed: &str, symbol_or_key: &str) -> Option<&MasterRow> {
        let master = self.feeds.get(feed)?;
        master.by_name.get(symbol_or_key).and_then(|place| master.rows.get(*place))
    }

    /// What a symbol means: by the master where it knows it, else by the feed's grammar.
    pub fn instrument(&self, feed: &dyn Feed, symbol: &str) -> Result<Instrument, SymbolError> {
        match self.find(feed.name(), symbol) {
            Some(row) => Ok(row.instrument.clone()),
            None => feed.instrument(symbol),
        }
    }

    /// Rows of a feed.
    pub fn len(&self, feed: &str) -> usize {
        self.feeds.get(feed).map_or(0, |master| master.rows.len())
    }

    /// Whether no master was read at all.
    pub fn is_empty(&self) -> bool {
        self.feeds.values().all(|master| master.rows.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::Kind;

    fn share(symbol: &str, key: &str) -> MasterRow {
        let instrument = Instrument {
            exchange: "NSE".into(),
            underlying: symbol.into(),
            kind: Kind::Eq,
            expiry: None,
            option: None,
            series: None,
        };
        MasterRow { symbol: symbol.into(), key: key.into(), instrument }
    }

    #[test]
    fn a_row_is_found_by_its_symbol_and_by_its_key_and_only_in_its_feed() {
        let mut catalog = Catalog::default();
        catalog.add("upstox", [share("SBIN", "NSE_EQ|INE062A01020")]);
        for name in ["SBIN", "NSE_EQ|INE062A01020"] {
            assert_eq!(catalog.find("upstox", name).map(|row| &*row.symbol), Some("SBIN"));
            assert_eq!(catalog.find("fyers", name), None);
        }
    }

    #[test]
    fn the_later_of_two_rows_counts() {
        let mut catalog = Catalog::default();
        catalog.add("kite", [share("SBIN", "1"), share("SBIN", "2")]);
        assert_eq!(catalog.find("kite", "SBIN").map(|row| &*row.key), Some("2"));
    }
}
