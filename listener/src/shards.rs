//! Splits symbols over connections. Pure.

use std::collections::{BTreeMap, HashSet};

use common::feed::{Feed, FeedError, Topic};
use common::market::Catalog;

use crate::options::ShardLimits;

#[cfg(test)]
mod tests;

/// Which connection carries what, and what none carries. Symbols keep their connection while others come and go: whoever
/// adds and removes the same symbols in the same order has the same plan.
#[derive(Debug)]
pub(crate) struct Plan {
    shards: Vec<Slot>,
    refused: BTreeMap<Box<str>, Box<str>>,
    known: HashSet<Box<str>>,
    carried: usize,
    /// No connection of the lane before this one has room.
    first_open: BTreeMap<&'static str, usize>,
    channels: Vec<String>,
    limits: ShardLimits,
    /// The provider's limit, where it is lower than ours.
    account_max: Option<usize>,
    streams_max: usize,
    connections_max: usize,
}

/// One connection.
#[derive(Debug)]
struct Slot {
    lane: &'static str,
    topics: Vec<Topic>,
    symbols: usize,
}

impl Plan {
    /// Nothing yet.
    pub(crate) fn new(feed: &dyn Feed, channels: Vec<String>, limits: ShardLimits) -> Self {
        Self {
            shards: Vec::new(),
            refused: BTreeMap::new(),
            known: HashSet::new(),
            carried: 0,
            first_open: BTreeMap::new(),
            limits,
            account_max: feed.limits().symbols_max.filter(|account| *account < limits.symbols_max),
            streams_max: feed.streams_per_connection(&channels),
            connections_max: feed.limits().connections_max.unwrap_or(usize::MAX),
            channels,
        }
    }

    /// The topics of each connection. The streams of one symbol and lane share a connection.
    pub(crate) fn shards(&self) -> impl ExactSizeIterator<Item = &[Topic]> {
        self.shards.iter().map(|slot| slot.topics.as_slice())
    }

    /// Symbols that are not subscribed, with the reason.
    pub(crate) fn refused(&self) -> &BTreeMap<Box<str>, Box<str>> {
        &self.refused
    }

    /// Carries a symbol. One that the feed does not read, or that passes a limit, is refused by name and the others are
    /// carried. Symbols that mean the same streams count once.
    ///
    /// # Errors
    /// When the feed has no such channel.
    pub(crate) fn add(&mut self, feed: &dyn Feed, symbol: &str, catalog: &Catalog) -> Result<(), FeedError> {
        let placed = match feed.topics(&[symbol.to_owned()], &self.channels, catalog) {
            Ok(topics) => self.place(topics),
            Err(FeedError::Symbol(error)) => Err(error.problem.into()),
            Err(error @ FeedError::UnknownChannel { .. }) => return Err(error),
        };
        match placed {
            Ok(()) => drop(self.refused.remove(symbol)),
            Err(reason) => drop(self.refused.insert(symbol.into(), reason.into())),
        }
        Ok(())
    }

    /// Carries a symbol no longer.
    pub(crate) fn remove(&mut self, symbol: &str) {
        self.refused.remove(symbol);
        let mut was_carried = false;
        for (place, slot) in self.shards.iter_mut().enumerate() {
            let before = slot.topics.len();
            slot.topics.retain(|topic| {
                let stays = &*topic.symbol != symbol;
                if !stays {
                    self.known.remove(&topic.stream);
                }
                stays
            });
            if slot.topics.len() < before {
                slot.symbols -= 1;
                was_carried = true;
                let first_open = self.first_open.entry(slot.lane).or_insert(place);
                *first_open = place.min(*first_open);
            }
        }
        self.carried -= usize::from(was_carried);
    }

    /// Places the topics of one symbol, or says why none carries them.
    fn place(&mut self, topics: Vec<Topic>) -> Result<(), String> {
        if topics.iter().all(|topic| self.known.contains(&topic.stream)) {
            return Ok(());
        }
        match self.account_max {
            Some(most) if most <= self.carried => {
                return Err(format!("more symbols than the {most} that the provider allows an account"));
            }
            None if self.limits.symbols_max <= self.carried => {
                return Err(format!("more symbols than the limit of {}", self.limits.symbols_max));
            }
            Some(_) | None => {}
        }
        let mut lanes = BTreeMap::<_, Vec<Topic>>::new();
        for topic in topics {
            lanes.entry(topic.lane).or_default().push(topic);
        }
        let needed = lanes.values().map(Vec::len).max().unwrap_or(0);
        if self.streams_max < needed {
            return Err(format!("needs {needed} streams and a connection carries {}", self.streams_max));
        }
        let missing = |places: &[Option<usize>]| places.iter().filter(|place| place.is_none()).count();
        let mut places: Vec<_> = lanes.iter().map(|(lane, topics)| self.find_room(lane, topics.len())).collect();
        if self.connections_max < self.shards.len() + missing(&places) {
            // Our number of symbols is a wish, the provider's number of connections is not.
            places = lanes.iter().map(|(lane, topics)| self.find_emptiest(lane, topics.len())).collect();
        }
        let new = missing(&places);
        if self.connections_max < self.shards.len() + new {
            return Err(format!("the provider allows {} connections, and they are full", self.connections_max));
        }
        self.carried += 1;
        for ((lane, topics), place) in lanes.into_iter().zip(places) {
            self.known.extend(topics.iter().map(|topic| topic.stream.clone()));
            let place = place.unwrap_or_else(|| {
                self.shards.push(Slot { lane, topics: Vec::new(), symbols: 0 });
                self.shards.len() - 1
            });
            self.first_open.insert(lane, place);
            self.shards[place].topics.extend(topics);
            self.shards[place].symbols += 1;
        }
        Ok(())
    }

    /// The first connection of the lane with room.
    fn find_room(&self, lane: &str, streams: usize) -> Option<usize> {
        let first = self.first_open.get(lane).copied().unwrap_or(0);
        let has_room = |slot: &Slot| {
            slot.symbols < self.limits.symbols_per_connection && slot.can_carry(lane, streams, self.streams_max)
        };
        self.shards.iter().skip(first).position(has_room).map(|found| first + found)
    }

    /// The connection of the lane with the fewest symbols of those that can carry so many streams more.
    fn find_emptiest(&self, lane: &str, streams: usize) -> Option<usize> {
        let fits = self.shards.iter().enumerate().filter(|(_, slot)| slot.can_carry(lane, streams, self.streams_max));
        fits.min_by_key(|(_, slot)| slot.symbols).map(|(place, _)| place)
    }
}

impl Slot {
    fn can_carry(&self, lane: &str, streams: usize, streams_max: usize) -> bool {
        self.lane == lane && self.topics.len() + streams <= streams_max
    }
}

/// Different symbols among the topics of one connection.
pub(crate) fn symbols_in(topics: &[Topic]) -> usize {
    topics.iter().map(|topic| &topic.symbol).collect::<HashSet<_>>().len()
}
