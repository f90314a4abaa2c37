//! Splits symbols over connections. Pure.

use std::collections::{BTreeMap, HashSet};

use common::feed::{Feed, FeedError, Topic};

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
pub fn plan(feed: &dyn Feed, symbols: &[String], channels: &[String], limits: ShardLimits) -> Result<Plan, FeedError> {
    let streams_max = feed.limits().streams_per_connection;
    let mut plan = Plan::default();
    let mut known = HashSet::new();
    let (mut carried, mut symbols_here) = (0, usize::MAX);
    for symbol in symbols {
        let topics = match feed.topics(std::slice::from_ref(symbol), channels) {
            Ok(topics) => topics,
            Err(FeedError::Symbol(error)) => {
                plan.refuse(symbol, &error.problem);
                continue;
            }
            Err(error @ FeedError::UnknownChannel { .. }) => return Err(error),
        };
        if topics.iter().all(|topic| known.contains(&topic.stream)) {
            continue;
        }
        if limits.symbols_max <= carried {
            plan.refuse(symbol, &format!("more symbols than the limit of {}", limits.symbols_max));
            continue;
        }
        if streams_max < topics.len() {
            let needed = topics.len();
            plan.refuse(symbol, &format!("needs {needed} streams and a connection carries {streams_max}"));
            continue;
        }
        known.extend(topics.iter().map(|topic| topic.stream.clone()));
        carried += 1;
        match plan.shards.last_mut() {
            Some(shard)
                if symbols_here < limits.symbols_per_connection && shard.len() + topics.len() <= streams_max =>
            {
                shard.extend(topics);
                symbols_here += 1;
            }
            Some(_) | None => {
                plan.shards.push(topics);
                symbols_here = 1;
            }
        }
    }
    Ok(plan)
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
