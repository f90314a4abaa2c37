//! From a provider's symbols to rows of the store: a cache makes this a hash look-up.

use std::collections::{HashMap, HashSet};
use std::sync::{PoisonError, RwLock};

use common::feed::SymbolError;
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
    by_feed: RwLock<HashMap<&'static str, BySymbol, RandomState>>,
}

impl Symbols {
    /// The meaning of each sighting's symbol, in their order; `None` where it is not known yet.
    pub(crate) fn look_up(&self, sightings: &[Sighting<'_>]) -> Vec<Option<Meaning>> {
        let by_feed = self.by_feed.read().unwrap_or_else(PoisonError::into_inner);
        let find = |sighting: &Sighting<'_>| {
            by_feed.get(sighting.feed.name()).and_then(|symbols| symbols.get(&*sighting.observation.symbol)).copied()
        };
        sightings.iter().map(find).collect()
    }

    /// Remembers what a symbol stands for.
    pub(crate) fn learn(&self, feed: &'static str, symbol: Box<str>, meaning: Meaning) {
        let mut by_feed = self.by_feed.write().unwrap_or_else(PoisonError::into_inner);
        let symbols = by_feed.entry(feed).or_default();
        if SYMBOLS_MAX <= symbols.len() {
            symbols.clear();
        }
        symbols.insert(symbol, meaning);
    }

    /// Forgets rows that are gone from the table: they are registered again when next met.
    pub(crate) fn forget(&self, vanished: &[InstrumentId]) {
        let gone = |meaning: &Meaning| match meaning {
            Meaning::Listed(Registration::Row(id)) => vanished.contains(id),
            Meaning::Listed(Registration::UnknownTicker) | Meaning::Unreadable => false,
        };
        let mut by_feed = self.by_feed.write().unwrap_or_else(PoisonError::into_inner);
        for symbols in by_feed.values_mut() {
            symbols.retain(|_, meaning| !gone(meaning));
        }
    }
}

/// The listings that must be registered before these sightings can be stored, each once; and the symbols that no
/// grammar reads, each once with what is wrong with it.
pub(crate) fn unknown(
    sightings: &[Sighting<'_>],
    meanings: &[Option<Meaning>],
) -> (Vec<(&'static str, Listing)>, Vec<SymbolError>) {
    let mut listings: Vec<(&'static str, Listing)> = Vec::new();
    let mut unreadable: Vec<SymbolError> = Vec::new();
    let mut met: HashSet<(&'static str, &str), RandomState> = HashSet::default();
    for (sighting, _) in sightings.iter().zip(meanings).filter(|(_, meaning)| meaning.is_none()) {
        let (feed, symbol) = (sighting.feed.name(), &*sighting.observation.symbol);
        if !met.insert((feed, symbol)) {
            continue;
        }
        match sighting.feed.instrument(symbol) {
            Ok(instrument) => listings.push((feed, Listing { feed: feed.into(), symbol: symbol.into(), instrument })),
            Err(error) => unreadable.push(SymbolError { symbol: symbol.into(), ..error }),
        }
    }
    (listings, unreadable)
}
