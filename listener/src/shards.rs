//! Splits symbols over connections. Pure.

use std::collections::{BTreeMap, HashSet};

use common::clock::UnixMicros;
use common::feed::{Feed, FeedError, Topic};
use common::market::Catalog;

use crate::options::ShardLimits;

#[cfg(test)]
mod tests;

/// Which connection carries what, and what none carries.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// The topics of each connection. The streams of one symbol and lane share a connection.
    pub(crate) shards: Vec<Vec<Topic>>,
    /// Symbols that are not subscribed, with the reason.
    pub(crate) refused: BTreeMap<Box<str>, Box<str>>,
}

/// What a plan is made with, besides the symbols.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rules<'a> {
    pub(crate) feed: &'a dyn Feed,
    pub(crate) channels: &'a [String],
    pub(crate) limits: ShardLimits,
    pub(crate) catalog: &'a Catalog,
    /// Contracts that roll are those of this moment.
    pub(crate) now: UnixMicros,
}

impl Plan {
    /// Splits the symbols by their place: the first so many places make the first connection, holes included, so that one
    /// symbol that comes or goes touches one connection. A symbol that the feed does not read, or that passes a limit, is
    /// refused by name and the others are carried. Symbols that mean the same streams count once. Equal places and rules
    /// give equal plans: processes that share a list need not talk to each other.
    ///
    /// # Errors
    /// When the feed has no such channel, or not all of them together.
    pub(crate) fn of(places: &[Option<&str>], rules: Rules<'_>) -> Result<Self, FeedError> {
        let mut planner = Planner::new(rules);
        for (place, symbol) in places.iter().enumerate() {
            let Some(symbol) = symbol else { continue };
            let outcome = match topics(symbol, rules) {
                Ok(topics) => planner.place(place, topics),
                Err(FeedError::Symbol(error)) => Err(error.problem.into()),
                Err(error @ (FeedError::UnknownChannel { .. } | FeedError::OneChannelOnly { .. })) => {
                    return Err(error);
                }
            };
            if let Err(reason) = outcome {
                planner.refused.insert((*symbol).into(), reason.into());
            }
        }
        Ok(Self { shards: planner.connections.into_values().collect(), refused: planner.refused })
    }
}

fn topics(symbol: &str, rules: Rules<'_>) -> Result<Vec<Topic>, FeedError> {
    let meant = rules.catalog.resolve(rules.feed.name(), symbol, rules.now)?.into_owned();
    rules.feed.topics(&[meant], rules.channels, rules.catalog)
}

/// A plan in the making.
struct Planner {
    /// By group of places and lane.
    connections: BTreeMap<(usize, &'static str), Vec<Topic>>,
    refused: BTreeMap<Box<str>, Box<str>>,
    known: HashSet<Box<str>>,
    carried: usize,
    symbols_per_connection: usize,
    /// Our limit, or the provider's where that is lower.
    symbols_max: SymbolsMax,
    streams_max: usize,
    connections_max: usize,
}

/// How many symbols are carried at most, and who says so.
#[derive(Clone, Copy)]
enum SymbolsMax {
    Ours(usize),
    Account(usize),
}

impl Planner {
    fn new(rules: Rules<'_>) -> Self {
        let (limits, plan) = (rules.limits, rules.feed.limits());
        let streams_max = rules.feed.streams_per_connection(rules.channels);
        let account = plan.symbols_max.filter(|account| *account < limits.symbols_max);
        Self {
            connections: BTreeMap::new(),
            refused: BTreeMap::new(),
            known: HashSet::new(),
            carried: 0,
            symbols_per_connection: limits.symbols_per_connection.min(streams_max / rules.channels.len().max(1)).max(1),
            symbols_max: account.map_or(SymbolsMax::Ours(limits.symbols_max), SymbolsMax::Account),
            streams_max,
            connections_max: plan.connections_max.unwrap_or(usize::MAX),
        }
    }

    /// Places the topics of one symbol, or says why no connection carries them.
    fn place(&mut self, place: usize, topics: Vec<Topic>) -> Result<(), String> {
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
        // Our number of symbols is a wish, the provider's number of connections is not: the last one takes the rest.
        let last = self.connections_max.saturating_sub(1);
        let group = (place / self.symbols_per_connection).min(last);
        let mut lanes = BTreeMap::<_, Vec<Topic>>::new();
        for topic in topics {
            lanes.entry((group, topic.lane)).or_default().push(topic);
        }
        let mut new = 0;
        for (connection, topics) in &lanes {
            let here = self.connections.get(connection).map(Vec::len);
            new += usize::from(here.is_none());
            let needed = topics.len();
            if here.is_some() && group == last && self.streams_max < here.unwrap_or(0) + needed {
                return Err(self.full());
            }
            if self.streams_max < here.unwrap_or(0) + needed {
                return Err(format!("needs {needed} streams and a connection carries {}", self.streams_max));
            }
        }
        if self.connections_max < self.connections.len() + new {
            return Err(self.full());
        }
        self.carried += 1;
        for (connection, topics) in lanes {
            self.known.extend(topics.iter().map(|topic| topic.stream.clone()));
            self.connections.entry(connection).or_default().extend(topics);
        }
        Ok(())
    }

    fn full(&self) -> String {
        format!("the provider allows {} connections, and they are full", self.connections_max)
    }
}

/// Different symbols among the topics of one connection.
pub(crate) fn symbols_in(topics: &[Topic]) -> usize {
    topics.iter().map(|topic| &topic.symbol).collect::<HashSet<_>>().len()
}
