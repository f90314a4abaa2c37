//! Two pure steps of a batch on prepared input, for `benches/batch.rs`. No part of the interface.

use std::sync::Arc;

use common::clock::UnixMicros;
use common::market::Catalog;
use common::store::{InstrumentId, Registration};

use crate::coalesce::{Coalesced, Tick};
use crate::decode::{Decoded, Sighting, decode};
use crate::docket::Docket;
use crate::normalise::{Meaning, Symbols};
use crate::writer::tick;

/// A decoded batch, and a cache that has met all of its symbols.
#[derive(Debug)]
pub struct Batch<'b> {
    decoded: Decoded<'b>,
    symbols: Symbols,
}

/// A normalised batch.
#[derive(Debug)]
pub struct Ticks<'b>(Vec<Tick<'b>>);

impl<'b> Batch<'b> {
    /// Decodes elements of a queue. What cannot be read is left out.
    pub fn prepare(elements: &'b [Vec<u8>]) -> Self {
        let (catalog, symbols) = (Arc::new(Catalog::default()), Symbols::default());
        symbols.follow(&catalog);
        let mut docket = Docket::with_capacity(elements.len());
        let tasks = elements.iter().map(Vec::as_slice).enumerate();
        let decoded = decode(tasks, UnixMicros(0), None, &mut docket);
        for (row, sighting) in (1..).zip(&decoded.sightings()) {
            let symbol = &*sighting.observation.symbol;
            if symbols.look_up(std::slice::from_ref(sighting)) == [None] {
                let meaning = Meaning::Listed(Registration::Row(InstrumentId(row)));
                symbols.learn(&catalog, sighting.origin.feed.name(), symbol.into(), meaning);
            }
        }
        Self { decoded, symbols }
    }

    /// Replaces symbols by rows of the store, as for every batch whose symbols are known.
    pub fn normalise(&self) -> Ticks<'_> {
        let sightings = self.decoded.sightings();
        let meanings = self.symbols.look_up(&sightings);
        let known = sightings.iter().zip(meanings);
        Ticks(known.filter_map(|(sighting, meaning)| row(sighting, meaning)).collect())
    }
}

impl Ticks<'_> {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// Folds them to one row per instrument; the number of rows.
    pub fn coalesce(&self) -> usize {
        Coalesced::fold(&self.0, false, Vec::new()).batch.rows.len()
    }
}

fn row<'s>(sighting: &Sighting<'s>, meaning: Option<Meaning>) -> Option<Tick<'s>> {
    match meaning? {
        Meaning::Listed(Registration::Row(instrument)) => Some(tick(sighting, instrument)),
        Meaning::Listed(Registration::UnknownTicker) | Meaning::Unreadable => None,
    }
}
