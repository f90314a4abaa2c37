//! Splits symbols over connections. Pure.

use std::collections::{BTreeMap, HashSet};

use common::feed::{Feed, FeedError, Topic};
use common::market::Catalog;

use crate::options::ShardLimits;

#[cfg(test)]
mod tests;

/// Which connection carries what, and what none carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The topics of each connection. The streams of one symbol share a connection.
    pub shards: Vec<Vec<Topic>>,
    /// Symbols that are not subscribed, with the reason.
    pub refused: BTreeMap<Box<str>, Box<str>>,
}

/// Splits `symbols` in their order. A symbol that the feed does not read, or that passes a limit, is refused by name and
/// the others are carried. Symbols that mean the same streams count once.
///
/// # Errors
/// When the feed has no such channel.
pub fn plan(
    feed: &dyn Feed,
    symbols: &[String],
    channels: &[String],
    limits: ShardLimits,
    catalog: &Catalog,
) -> Result<Plan, FeedError> {
    let mut planner = Planner::new(feed, channels, limits);
    for symbol in symbols {
        let topics = match feed.topics(std::slice::from_ref(symbol), channels, catalog) {
            Ok(topics) => topics,
            Err(FeedError::Symbol(error)) => {
                planner.plan.refuse(symbol, &error.problem);
                continue;
            }
            Err(error @ FeedError::UnknownChannel { .. }) => return Err(error),
        };
        if let Err(reason) = planner.place(topics) {
            planner.plan.refuse(symbol, &reason);
        }
    }
    Ok(planner.plan)
}

/// Fills connections one after the other, each lane its own.
struct Planner {
    plan: Plan,
    known: HashSet<Box<str>>,
    carried: usize,
    limits: ShardLimits,
    symbols_max: SymbolsMax,
    streams_max: usize,
    connections_max: usize,
    /// The connection of each lane that still has room, and its symbols.
    open: BTreeMap<&'static str, (usize, usize)>,
}

/// The lower of our limit and the plan's.
enum SymbolsMax {
    Ours(usize),
    Account(usize),
}

impl Planner {
    fn new(feed: &dyn Feed, channels: &[String], limits: ShardLimits) -> Self {
        let account = feed.limits().symbols_max.filter(|account| *account < limits.symbols_max);
        Self {
            plan: Plan::default(),
            known: HashSet::new(),
            carried: 0,
            limits,
            symbols_max: account.map_or(SymbolsMax::Ours(limits.symbols_max), SymbolsMax::Account),
            streams_max: feed.streams_per_connection(channels),
            connections_max: feed.limits().connections_max.unwrap_or(usize::MAX),
            open: BTreeMap::new(),
        }
    }

    /// Places the topics of one symbol, or says why none carries them.
    fn place(&mut self, topics: Vec<Topic>) -> Result<(), String> {
        if topics.iter().all(|topic| self.known.contains(&topic.stream)) {
            return Ok(());
        }
        match self.symbols_max {
            SymbolsMax::Ours(most) if most <= self.carried => {
                return Err(format!("more symbols than the limit of {most}"));
            }
            SymbolsMax::Account(most) if most <= self.carried => {
                return Err(format!("more symbols than the {most} that the provider allows an account"));
            }
            SymbolsMax::Ours(_) | SymbolsMax::Account(_) => {}
        }
        let mut lanes = BTreeMap::<_, Vec<Topic>>::new();
        for topic in topics {
            lanes.entry(topic.lane).or_default().push(topic);
        }
        let needed = lanes.values().map(Vec::len).max().unwrap_or(0);
        if self.streams_max < needed {
            return Err(format!("needs {needed} streams and a connection carries {}", self.streams_max));
        }
        let new = lanes.iter().filter(|(lane, topics)| !self.has_room(lane, topics.len())).count();
        if self.connections_max < self.plan.shards.len() + new {
            return Err(format!("the provider allows {} connections, and they are full", self.connections_max));
        }
        self.carried += 1;
        for (lane, topics) in lanes {
            self.known.extend(topics.iter().map(|topic| topic.stream.clone()));
            self.append(lane, topics);
        }
        Ok(())
    }

    fn has_room(&self, lane: &str, streams: usize) -> bool {
        self.open.get(lane).is_some_and(|(shard, symbols)| {
            *symbols < self.limits.symbols_per_connection
                && self.plan.shards[*shard].len() + streams <= self.streams_max
        })
    }

    fn append(&mut self, lane: &'static str, topics: Vec<Topic>) {
        if !self.has_room(lane, topics.len()) {
            self.open.insert(lane, (self.plan.shards.len(), 0));
            self.plan.shards.push(Vec::new());
        }
        if let Some((shard, symbols)) = self.open.get_mut(lane) {
            self.plan.shards[*shard].extend(topics);
            *symbols += 1;
        }
    }
}

impl Plan {
    fn refuse(&mut self, symbol: &str, reason: &str) {
        self.refused.insert(symbol.into(), reason.into());
    }
}

/// Different symbols among the topics of one connection.
pub(crate) fn symbols_in(topics: &[Topic]) -> usize {
    topics.iter().map(|topic| &topic.symbol).collect::<HashSet<_>>().len()
}
