//! From a provider's symbols to rows of the store: a cache makes this a hash look-up.
//!
//! What a symbol means depends on the catalog of its time. When that is replaced, the cache forgets the symbols that
//! mean something else now, and nothing that was found out with the earlier one is remembered any more.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, PoisonError, RwLock};

use common::feed::SymbolError;
use common::market::Catalog;
use common::store::{InstrumentId, Listing, Registration};
use foldhash::fast::RandomState;

use crate::decode::Sighting;

/// Most symbols that are remembered; beyond it the cache starts afresh rather than grow.
const SYMBOLS_MAX: usize = 1_000_000;

/// What a symbol stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Meaning {
    /// A row of the store, or a ticker that the store does not know.
    Listed(Registration),
    /// The feed's grammar does not read it.
    Unreadable,
}

type BySymbol = HashMap<Box<str>, Meaning, RandomState>;

/// Symbols that were met before, per feed. Shared by all loops of a process.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    // A std lock, never held across an await: look-ups outnumber insertions by far.
    known: RwLock<Known>,
}

/// Meanings, and the catalog that they were found out with.
#[derive(Debug, Default)]
struct Known {
    catalog: Arc<Catalog>,
    by_feed: HashMap<&'static str, BySymbol, RandomState>,
}

impl Symbols {
    /// From now on `catalog` counts: what means something else in it is forgotten.
    pub(crate) fn follow(&self, catalog: &Arc<Catalog>) {
        let is_followed = |known: &Known| Arc::ptr_eq(&known.catalog, catalog);
        if is_followed(&self.known.read().unwrap_or_else(PoisonError::into_inner)) {
            return;
        }
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if is_followed(&known) {
            return;
        }
        let earlier = std::mem::replace(&mut known.catalog, Arc::clone(catalog));
        for (feed, symbols) in &mut known.by_feed {
            symbols.retain(|symbol, _| !catalog.differs(&earlier, feed, symbol));
        }
    }

    /// The meaning of each sighting's symbol, in their order; `None` where it is not known yet.
    pub(crate) fn look_up(&self, sightings: &[Sighting<'_>]) -> Vec<Option<Meaning>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let mut feed = ("", None);
        let find = |sighting: &Sighting<'_>| {
            let name = sighting.origin.feed.name();
            if feed.0 != name {
                feed = (name, known.by_feed.get(name));
            }
            feed.1?.get(&*sighting.observation.symbol).copied()
        };
        sightings.iter().map(find).collect()
    }

    /// Remembers what a symbol stands for in `catalog`. Nothing, if another one counts by now.
    pub(crate) fn learn(&self, catalog: &Arc<Catalog>, feed: &'static str, symbol: Box<str>, meaning: Meaning) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&known.catalog, catalog) {
            return;
        }
        let symbols = known.by_feed.entry(feed).or_default();
        if SYMBOLS_MAX <= symbols.len() {
            symbols.clear();
        }
        symbols.insert(symbol, meaning);
    }

    /// Whether `catalog` is the one that counts.
    pub(crate) fn follows(&self, catalog: &Arc<Catalog>) -> bool {
        Arc::ptr_eq(&self.known.read().unwrap_or_else(PoisonError::into_inner).catalog, catalog)
    }

    /// Forgets rows that are gone from the table: they are registered again when next met.
    pub(crate) fn forget(&self, vanished: &[InstrumentId]) {
        let gone = |meaning: &Meaning| match meaning {
            Meaning::Listed(Registration::Row(id)) => vanished.contains(id),
            Meaning::Listed(Registration::UnknownTicker) | Meaning::Unreadable => false,
        };
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        for symbols in known.by_feed.values_mut() {
            symbols.retain(|_, meaning| !gone(meaning));
        }
    }
}

/// The listings that must be registered before these sightings can be stored, each once; and the symbols that no
/// grammar reads, each once with what is wrong with it.
pub(crate) fn unknown(
    catalog: &Catalog,
    sightings: &[Sighting<'_>],
    meanings: &[Option<Meaning>],
) -> (Vec<(&'static str, Listing)>, Vec<SymbolError>) {
    let mut listings: Vec<(&'static str, Listing)> = Vec::new();
    let mut unreadable: Vec<SymbolError> = Vec::new();
    let mut met: HashSet<(&'static str, &str), RandomState> = HashSet::default();
    for (sighting, _) in sightings.iter().zip(meanings).filter(|(_, meaning)| meaning.is_none()) {
        let (feed, symbol) = (sighting.origin.feed.name(), &*sighting.observation.symbol);
        if !met.insert((feed, symbol)) {
            continue;
        }
        match catalog.instrument(sighting.origin.feed, symbol) {
            Ok(instrument) => listings.push((feed, Listing { feed: feed.into(), symbol: symbol.into(), instrument })),
            Err(error) => unreadable.push(SymbolError { symbol: symbol.into(), ..error }),
        }
    }
    (listings, unreadable)
}

#[cfg(test)]
mod tests {
    use common::clock::UnixMicros;
    use common::feed;
    use common::market::{Epoch, Fields, Instrument, Kind, MasterRow, Observation, OrderKey};

    use super::*;
    use crate::decode::Origin;

    const ROW: Meaning = Meaning::Listed(Registration::Row(InstrumentId(7)));

    fn catalog(rows: &[(&str, &str)]) -> Arc<Catalog> {
        let row = |&(symbol, underlying): &(&str, &str)| {
            let instrument = Instrument {
                exchange: "BINANCE".into(),
                underlying: underlying.into(),
                kind: Kind::Spot,
                expiry: None,
                option: None,
                series: None,
            };
            MasterRow { symbol: symbol.into(), key: symbol.into(), instrument }
        };
        let mut catalog = Catalog::default();
        catalog.add("binance", rows.iter().map(row));
        Arc::new(catalog)
    }

    fn observation(symbol: &str) -> Observation<'_> {
        Observation { symbol: symbol.into(), exchange_at: None, trade_id: None, fields: Fields::default() }
    }

    fn sighting<'b>(observation: &'b Observation<'b>) -> Sighting<'b> {
        let origin = Origin {
            task: 0,
            index: 0,
            feed: feed::by_name("binance").unwrap(),
            order: OrderKey::new(Epoch::new(7).unwrap(), 1).unwrap(),
            received_at: UnixMicros(1),
        };
        Sighting { origin, observation }
    }

    fn meaning(symbols: &Symbols, symbol: &str) -> Option<Meaning> {
        symbols.look_up(&[sighting(&observation(symbol))])[0]
    }

    #[test]
    fn a_new_catalog_makes_it_forget_only_what_means_something_else() {
        let (symbols, first) = (Symbols::default(), catalog(&[("AB", "A/B"), ("CD", "C/D")]));
        symbols.follow(&first);
        for symbol in ["AB", "CD", "BTCUSDT"] {
            symbols.learn(&first, "binance", symbol.into(), ROW);
        }
        let second = catalog(&[("AB", "A/B"), ("CD", "CD/X")]);
        symbols.follow(&second);
        assert_eq!(["AB", "CD", "BTCUSDT"].map(|symbol| meaning(&symbols, symbol)), [Some(ROW), None, Some(ROW)]);
        assert!(symbols.follows(&second));
    }

    #[test]
    fn what_was_found_out_with_an_earlier_catalog_is_not_remembered() {
        let (symbols, earlier, now) = (Symbols::default(), catalog(&[("AB", "A/B")]), catalog(&[("AB", "AB/C")]));
        symbols.follow(&now);
        symbols.learn(&earlier, "binance", "AB".into(), ROW);
        assert_eq!(meaning(&symbols, "AB"), None);
    }

    #[test]
    fn the_catalog_speaks_before_the_grammar() {
        let observations = ["USDTDAI", "ETHBTC"].map(observation);
        let sightings = observations.each_ref().map(sighting);
        let (listings, unreadable) = unknown(&catalog(&[("USDTDAI", "USDT/DAI")]), &sightings, &[None, None]);
        let forms: Vec<String> = listings.iter().map(|(_, listing)| listing.instrument.to_string()).collect();
        assert_eq!(forms, ["BINANCE:USDT/DAI:SPOT", "BINANCE:ETH/BTC:SPOT"]);
        assert!(unreadable.is_empty());
    }
}
