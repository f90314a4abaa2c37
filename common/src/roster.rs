//! What operators asked for at run time, on top of the settings: more symbols, fewer symbols, a pause. Pure.
//!
//! The roster of a group is a list of events in the broker. Whoever replays the same events over the same base list (the
//! settings' symbols) gets the same symbols in the same places, so that listeners which never talk to each other make
//! the same plan. A symbol keeps its place while it is subscribed; the place of one that left is a hole until the next
//! new symbol fills it. So one change touches one connection, and no other.
//!
//! Subscriptions are counted: two `subscribe` need two `unsubscribe`. A base symbol counts one.

use std::collections::{BTreeMap, BTreeSet, HashSet};

mod event;
#[cfg(test)]
mod tests;

pub use event::{BadEvent, RosterAction, RosterEvent, RosterNews, RosterState, RosterSymbol};

/// The symbols of a group, as far as they are known.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roster {
    base: Vec<Box<str>>,
    base_set: HashSet<Box<str>>,
    revision: u64,
    is_paused: bool,
    counts: BTreeMap<Box<str>, Counts>,
    /// Places behind the base list, with who has them.
    places: BTreeMap<u32, Box<str>>,
    /// Places that somebody left, below the last one taken.
    holes: BTreeSet<u32>,
}

/// How often a symbol is subscribed. Two numbers, because a snapshot must not depend on anybody's base list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counts {
    /// Where it is no base symbol.
    alone: u32,
    /// Where it is one.
    based: u32,
    /// Its place behind the base list, while `alone` is not zero.
    place: Option<u32>,
}

impl Counts {
    const UNTOUCHED: Self = Self { alone: 0, based: 1, place: None };
}

/// What an event did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Applied {
    /// A count, or nothing at all.
    Unchanged,
    /// Nothing: there are [`Roster::SYMBOLS_MAX`] symbols.
    Full,
    /// Something a listener sees.
    Changed,
}

impl Roster {
    /// Symbols that events may speak of at once.
    pub const SYMBOLS_MAX: usize = 100_000;

    /// The settings' symbols before any event, each once.
    pub fn new<S: AsRef<str>>(base: &[S]) -> Self {
        let mut roster = Self::default();
        for symbol in base {
            if roster.base_set.insert(symbol.as_ref().into()) {
                roster.base.push(symbol.as_ref().into());
            }
        }
        roster
    }

    /// What was replayed so far, to ask for what came after.
    pub fn revision(&self) -> u64 {
        self.revision
    }

    /// Whether the whole feed is paused.
    pub fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// How often `symbol` is subscribed.
    pub fn count(&self, symbol: &str) -> u32 {
        let counts = self.counts.get(symbol).copied().unwrap_or(Counts::UNTOUCHED);
        if self.base_set.contains(symbol) { counts.based } else { counts.alone }
    }

    /// The subscribed symbols in their order, which is the order of their places.
    pub fn symbols(&self) -> Vec<&str> {
        self.places().into_iter().flatten().collect()
    }

    /// The places with their symbols, `None` for a hole; the last one is taken. Places `n * k` to `n * k + n - 1` make
    /// shard `k` of `n` symbols: then a change of one symbol changes one shard.
    pub fn places(&self) -> Vec<Option<&str>> {
        let base = self.base.iter().map(|symbol| (0 < self.count(symbol)).then_some(&**symbol));
        let mut places: Vec<Option<&str>> = base.collect();
        for (place, symbol) in self.places.iter().filter(|(_, symbol)| !self.base_set.contains(*symbol)) {
            places.resize(self.base.len() + *place as usize, None);
            places.push(Some(symbol));
        }
        let used = places.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        places.truncate(used);
        places
    }

    /// Replays what the broker answered.
    pub fn catch_up(&mut self, news: &RosterNews) -> Applied {
        let before =
            news.is_restart.then(|| (self.is_paused, self.places().into_iter().map(owned).collect::<Vec<_>>()));
        if news.is_restart {
            *self = Self::new(&self.base);
        }
        let mut applied = Applied::Unchanged;
        for event in &news.events {
            applied = applied.max(self.apply(event));
        }
        self.revision = news.revision;
        match before {
            Some(before) if before == (self.is_paused, self.places().into_iter().map(owned).collect()) => {
                Applied::Unchanged
            }
            Some(_) => Applied::Changed,
            None => applied,
        }
    }

    /// Replays one event.
    pub fn apply(&mut self, event: &RosterEvent) -> Applied {
        match &event.action {
            RosterAction::Subscribe { symbol } => self.subscribe(symbol),
            RosterAction::Unsubscribe { symbol } => self.unsubscribe(symbol),
            RosterAction::Pause => self.set_paused(true),
            RosterAction::Resume => self.set_paused(false),
            RosterAction::Snapshot(state) => {
                self.restore(state);
                Applied::Changed
            }
        }
    }

    /// `None` when there is no room for one more symbol.
    fn counts_of(&self, symbol: &str) -> Option<Counts> {
        let known = self.counts.get(symbol).copied();
        known.or_else(|| (self.counts.len() < Self::SYMBOLS_MAX).then_some(Counts::UNTOUCHED))
    }

    fn subscribe(&mut self, symbol: &str) -> Applied {
        let before = self.count(symbol);
        let Some(mut counts) = self.counts_of(symbol) else { return Applied::Full };
        if counts.alone == 0 {
            counts.place = Some(self.take_place(symbol));
        }
        counts.alone = counts.alone.saturating_add(1);
        counts.based = counts.based.saturating_add(1);
        self.counts.insert(symbol.into(), counts);
        seen(before == 0)
    }

    fn unsubscribe(&mut self, symbol: &str) -> Applied {
        let before = self.count(symbol);
        let Some(mut counts) = self.counts_of(symbol) else { return Applied::Full };
        counts.alone = counts.alone.saturating_sub(1);
        counts.based = counts.based.saturating_sub(1);
        if counts.alone == 0
            && let Some(place) = counts.place.take()
        {
            self.leave_place(place);
        }
        if counts == Counts::UNTOUCHED {
            self.counts.remove(symbol);
        } else {
            self.counts.insert(symbol.into(), counts);
        }
        seen(0 < before && self.count(symbol) == 0)
    }

    fn set_paused(&mut self, is_paused: bool) -> Applied {
        let changed = self.is_paused != is_paused;
        self.is_paused = is_paused;
        seen(changed)
    }

    /// The lowest hole, or behind the last place.
    fn take_place(&mut self, symbol: &str) -> u32 {
        let next = self.places.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        let place = self.holes.pop_first().unwrap_or(next);
        self.places.insert(place, symbol.into());
        place
    }

    fn leave_place(&mut self, place: u32) {
        self.places.remove(&place);
        self.holes.insert(place);
        // What is behind the last place is no hole.
        let end = self.places.last_key_value().map_or(0, |(last, _)| last.saturating_add(1));
        drop(self.holes.split_off(&end));
    }

    /// All that the events so far amount to, whatever the base list is.
    pub fn state(&self) -> RosterState {
        let symbols = self.counts.iter().map(|(symbol, counts)| RosterSymbol {
            symbol: symbol.clone(),
            alone: counts.alone,
            based: counts.based,
            place: counts.place,
        });
        RosterState { paused: self.is_paused, symbols: symbols.collect() }
    }

    fn restore(&mut self, state: &RosterState) {
        self.is_paused = state.paused;
        (self.counts, self.places) = (BTreeMap::new(), BTreeMap::new());
        for RosterSymbol { symbol, alone, based, place } in &state.symbols {
            self.counts.insert(symbol.clone(), Counts { alone: *alone, based: *based, place: *place });
            self.places.extend(place.map(|place| (place, symbol.clone())));
        }
        let end = self.places.last_key_value().map_or(0, |(last, _)| *last);
        self.holes = (0..end).filter(|place| !self.places.contains_key(place)).collect();
    }
}

fn owned(symbol: Option<&str>) -> Option<Box<str>> {
    symbol.map(Into::into)
}

fn seen(changed: bool) -> Applied {
    if changed { Applied::Changed } else { Applied::Unchanged }
}
