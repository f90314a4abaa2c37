//! What symbol masters tell of instruments beyond what a symbol's grammar can: keys, exact days, names. Pure.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::feed::{Feed, SymbolError};
use crate::market::alias::Aliases;
use crate::market::{Instrument, Kind};

mod roll;

/// The instruments of each feed whose master was read. Empty where none was.
#[derive(Debug, Default)]
pub struct Catalog {
    feeds: HashMap<Box<str>, FeedRows, RandomState>,
    aliases: Aliases,
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
struct FeedRows {
    rows: Vec<MasterRow>,
    by_name: HashMap<Box<str>, usize, RandomState>,
    /// Places of the futures: few among many options.
    futures: Vec<usize>,
}

impl Catalog {
    /// An empty catalog with other names of underlyings.
    pub fn with_aliases(aliases: Aliases) -> Self {
        Self { aliases, ..Self::default() }
    }

    /// Adds rows of a feed's master. Of two rows with one symbol or key the later one counts.
    pub fn add(&mut self, feed: &str, rows: impl IntoIterator<Item = MasterRow>) {
        let master = self.feeds.entry(feed.into()).or_default();
        for row in rows {
            let place = master.rows.len();
            master.by_name.insert(row.symbol.clone(), place);
            master.by_name.insert(row.key.clone(), place);
            if row.instrument.kind == Kind::Fut {
                master.futures.push(place);
            }
            master.rows.push(row);
        }
    }

    /// The row of a symbol or key, as the master has it: aliases are not applied.
    pub fn find(&self, feed: &str, symbol_or_key: &str) -> Option<&MasterRow> {
        let master = self.feeds.get(feed)?;
        master.by_name.get(symbol_or_key).and_then(|place| master.rows.get(*place))
    }

    /// What a symbol means: by the master where it knows it, else by the feed's grammar; under the name that counts.
    pub fn instrument(&self, feed: &dyn Feed, symbol: &str) -> Result<Instrument, SymbolError> {
        self.instrument_or(feed.name(), symbol, || feed.instrument(symbol))
    }

    /// As [`instrument`](Self::instrument), for a grammar that belongs to no feed.
    pub fn instrument_or(
        &self,
        feed: &str,
        symbol: &str,
        grammar: impl FnOnce() -> Result<Instrument, SymbolError>,
    ) -> Result<Instrument, SymbolError> {
        let read = self.find(feed, symbol).map_or_else(grammar, |row| Ok(row.instrument.clone()))?;
        Ok(self.aliases.apply(read))
    }

    /// Whether a symbol means something else, or may mean something else, than in `earlier`.
    pub fn differs(&self, earlier: &Self, feed: &str, symbol: &str) -> bool {
        let (now, then) = (self.find(feed, symbol), earlier.find(feed, symbol));
        self.aliases != earlier.aliases || now.map(|row| &row.instrument) != then.map(|row| &row.instrument)
    }

    /// The rows of a feed, in the order of its master.
    pub fn rows(&self, feed: &str) -> &[MasterRow] {
        self.feeds.get(feed).map_or(&[], |master| &master.rows)
    }

    /// The feeds whose masters were read, by name.
    pub fn feeds(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.feeds.keys().map(AsRef::as_ref).collect();
        names.sort_unstable();
        names
    }

    /// Rows of a feed.
    pub fn len(&self, feed: &str) -> usize {
        self.rows(feed).len()
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
