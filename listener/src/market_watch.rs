//! Whether the markets of a connection trade now: the provider's word first, else the calendar. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use common::clock::UnixMicros;
use common::feed::{Feed, Topic};
use common::market::{Calendar, Catalog, Segment};

/// Segments that a provider may name; no provider has more.
const TOLD_MAX: usize = 256;

/// The markets of one connection.
#[derive(Debug)]
pub(crate) struct MarketWatch {
    calendar: Arc<Calendar>,
    segments: BTreeSet<Segment>,
    /// By the provider's name of a segment that we carry something of.
    told: BTreeMap<Box<str>, bool>,
}

impl MarketWatch {
    /// For what a connection carries.
    pub(crate) fn new(calendar: Arc<Calendar>, feed: &dyn Feed, topics: &[Topic], catalog: &Catalog) -> Self {
        let of = |topic: &Topic| Segment::of(&catalog.instrument(feed, &topic.symbol).ok()?);
        Self { calendar, segments: topics.iter().filter_map(of).collect(), told: BTreeMap::new() }
    }

    /// The provider says whether `segment` trades. What is said of segments that none of `topics` names is nothing to us.
    pub(crate) fn tell(&mut self, segment: &str, is_open: bool, topics: &[Topic]) {
        let is_ours = topics.iter().any(|topic| topic.stream.contains(segment));
        if is_ours && (self.told.len() < TOLD_MAX || self.told.contains_key(segment)) {
            self.told.insert(segment.into(), is_open);
        }
    }

    /// Whether any of the markets trades; `None` when nobody knows.
    pub(crate) fn is_open(&self, at: UnixMicros) -> Option<bool> {
        if !self.told.is_empty() {
            return Some(self.told.values().any(|is_open| *is_open));
        }
        let trades = |segment: &Segment| self.calendar.state(*segment, at).is_trading();
        (!self.segments.is_empty()).then(|| self.segments.iter().any(trades))
    }
}

#[cfg(test)]
mod tests {
    use common::feed::by_name;

    use super::*;

    fn topics(streams: &[&str]) -> Vec<Topic> {
        streams.iter().map(|stream| Topic { symbol: "BTCUSDT".into(), stream: (*stream).into(), lane: "" }).collect()
    }

    fn watch(topics: &[Topic]) -> MarketWatch {
        let binance = by_name("binance").unwrap();
        MarketWatch::new(Arc::new(Calendar::builtin()), binance, topics, &Catalog::default())
    }

    #[test]
    fn the_provider_s_word_beats_the_calendar() {
        let topics = topics(&["full:NSE_EQ|A"]);
        let mut watch = watch(&topics);
        assert_eq!(watch.is_open(UnixMicros(0)), Some(true), "crypto trades always");
        watch.tell("MCX_FO", true, &topics);
        watch.tell("NSE_EQ", false, &topics);
        assert_eq!(watch.is_open(UnixMicros(0)), Some(false));
        watch.tell("NSE_EQ", true, &topics);
        assert_eq!(watch.is_open(UnixMicros(0)), Some(true));
    }

    #[test]
    fn nobody_knows_the_hours_of_nothing() {
        assert_eq!(watch(&[]).is_open(UnixMicros(0)), None);
    }
}
