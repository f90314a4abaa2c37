//! What a session wants and what the provider carries. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use common::feed::Topic;

/// The wanted streams of one session.
#[derive(Debug)]
pub(crate) struct Subscription {
    /// The streams of each symbol that are neither confirmed nor refused.
    pending: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    symbol_of: BTreeMap<Box<str>, Box<str>>,
    refused: BTreeMap<Box<str>, Box<str>>,
    symbols: usize,
    confirm_max: Duration,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The opening messages are not all sent.
    Asking { again: bool },
    /// They are; the provider has until then.
    Waiting { until: Instant, again: bool },
    /// Asked twice; what is pending stays visible.
    Resigned,
}

/// What the passing of time asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Due {
    Nothing,
    /// Send the opening messages again.
    AskAgain,
    /// Tell people: these streams stay unconfirmed.
    Resign(Vec<Box<str>>),
}

impl Subscription {
    pub(crate) fn new(topics: &[Topic], confirm_max: Duration) -> Self {
        let mut pending = BTreeMap::<_, BTreeSet<_>>::new();
        for topic in topics {
            pending.entry(topic.symbol.clone()).or_default().insert(topic.stream.clone());
        }
        Self {
            symbols: pending.len(),
            pending,
            symbol_of: topics.iter().map(|topic| (topic.stream.clone(), topic.symbol.clone())).collect(),
            refused: BTreeMap::new(),
            confirm_max,
            stage: Stage::Asking { again: false },
        }
    }

    /// Other streams are wanted from now on; asked for by messages that are still to be sent.
    pub(crate) fn change(&mut self, added: &[Topic], removed: &[Topic]) {
        for topic in removed {
            self.settle(std::slice::from_ref(&topic.stream));
            self.symbol_of.remove(&topic.stream);
            if !self.symbol_of.values().any(|symbol| *symbol == topic.symbol) {
                self.refused.remove(&topic.symbol);
            }
        }
        for topic in added {
            self.pending.entry(topic.symbol.clone()).or_default().insert(topic.stream.clone());
            self.symbol_of.insert(topic.stream.clone(), topic.symbol.clone());
        }
        self.symbols = self.symbol_of.values().collect::<BTreeSet<_>>().len();
        if !added.is_empty() {
            self.stage = Stage::Asking { again: false };
        }
    }

    /// Different symbols that are wanted.
    pub(crate) fn symbols(&self) -> usize {
        self.symbols
    }

    /// All messages that ask for streams are sent.
    pub(crate) fn asked(&mut self, now: Instant) {
        if let Stage::Asking { again } = self.stage {
            self.stage = Stage::Waiting { until: now + self.confirm_max, again };
        }
    }

    /// The provider has answered for some streams: it has its time anew. Where one stream is asked for after the other,
    /// all of them together take longer than an answer may.
    pub(crate) fn heard(&mut self, now: Instant) {
        if let Stage::Waiting { again, .. } = self.stage {
            self.stage = Stage::Waiting { until: now + self.confirm_max, again };
        }
    }

    /// The provider carries these.
    pub(crate) fn confirm(&mut self, streams: &[Box<str>]) {
        self.settle(streams);
    }

    /// The provider refuses these.
    pub(crate) fn refuse(&mut self, streams: &[Box<str>], reason: &str) {
        for stream in streams {
            let symbol = self.symbol_of.get(stream).unwrap_or(stream);
            self.refused.insert(symbol.clone(), reason.into());
        }
        self.settle(streams);
    }

    /// When to ask [`due`](Self::due).
    pub(crate) fn deadline(&self) -> Option<Instant> {
        match self.stage {
            Stage::Waiting { until, .. } if !self.is_settled() => Some(until),
            Stage::Waiting { .. } | Stage::Asking { .. } | Stage::Resigned => None,
        }
    }

    /// What is to be done at `now`. Each answer but [`Due::Nothing`] is given once.
    pub(crate) fn due(&mut self, now: Instant) -> Due {
        let Some(until) = self.deadline().filter(|until| *until <= now) else { return Due::Nothing };
        if self.stage == (Stage::Waiting { until, again: false }) {
            self.stage = Stage::Asking { again: true };
            return Due::AskAgain;
        }
        self.stage = Stage::Resigned;
        Due::Resign(self.pending.values().flatten().cloned().collect())
    }

    /// Whether the provider has answered for every stream.
    pub(crate) fn is_settled(&self) -> bool {
        self.pending.is_empty()
    }

    /// Symbols all of whose streams are carried.
    pub(crate) fn confirmed(&self) -> usize {
        let refused_only = self.refused.keys().filter(|symbol| !self.pending.contains_key(*symbol)).count();
        self.symbols.saturating_sub(self.pending.len() + refused_only)
    }

    /// Whether the provider carries a whole symbol, or may yet.
    pub(crate) fn carries(&self) -> bool {
        !self.is_settled() || 0 < self.confirmed()
    }

    /// Symbols with a refused stream, and the provider's reason.
    pub(crate) fn refused(&self) -> &BTreeMap<Box<str>, Box<str>> {
        &self.refused
    }

    fn settle(&mut self, streams: &[Box<str>]) {
        for stream in streams {
            let Some(symbol) = self.symbol_of.get(stream) else { continue };
            if let Some(waiting) = self.pending.get_mut(symbol) {
                waiting.remove(stream);
                if waiting.is_empty() {
                    self.pending.remove(symbol);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    fn subscription() -> Subscription {
        let topic = |symbol: &str, kind: &str| Topic {
            symbol: symbol.into(),
            stream: format!("{symbol}@{kind}").into(),
            lane: "",
        };
        Subscription::new(&[topic("a", "t"), topic("a", "q"), topic("b", "t")], PATIENCE)
    }

    fn streams(names: &[&str]) -> Vec<Box<str>> {
        names.iter().map(|name| (*name).into()).collect()
    }

    #[test]
    fn a_symbol_is_confirmed_with_its_last_stream() {
        let mut subscription = subscription();
        subscription.confirm(&streams(&["a@t", "b@t"]));
        assert_eq!((subscription.confirmed(), subscription.is_settled()), (1, false));
        subscription.confirm(&streams(&["a@q", "a@q", "unknown"]));
        assert_eq!((subscription.confirmed(), subscription.is_settled()), (2, true));
    }

    #[test]
    fn a_refused_symbol_is_settled_but_not_confirmed() {
        let mut subscription = subscription();
        subscription.refuse(&streams(&["b@t"]), "no such stream");
        subscription.confirm(&streams(&["a@t", "a@q"]));
        assert_eq!((subscription.confirmed(), subscription.is_settled()), (1, true));
        assert_eq!(&*subscription.refused()["b"], "no such stream");
        assert!(subscription.carries());
    }

    #[test]
    fn nothing_is_carried_once_every_symbol_is_refused() {
        let mut subscription = subscription();
        subscription.refuse(&streams(&["a@t", "a@q"]), "no such stream");
        assert!(subscription.carries(), "there is no answer for b yet");
        subscription.refuse(&streams(&["b@t"]), "no such stream");
        assert!(!subscription.carries());
    }

    #[test]
    fn silence_is_asked_again_once_and_then_told() {
        let start = common::clock::monotonic();
        let mut subscription = subscription();
        assert_eq!(subscription.deadline(), None);
        subscription.asked(start);
        subscription.confirm(&streams(&["a@t", "b@t"]));
        assert_eq!(subscription.due(start + PATIENCE / 2), Due::Nothing);
        assert_eq!(subscription.due(start + PATIENCE), Due::AskAgain);
        assert_eq!(subscription.due(start + PATIENCE), Due::Nothing);
        subscription.asked(start + PATIENCE);
        assert_eq!(subscription.due(start + 2 * PATIENCE), Due::Resign(streams(&["a@q"])));
        assert_eq!(subscription.due(start + 9 * PATIENCE), Due::Nothing);
    }

    #[test]
    fn a_provider_that_answers_one_by_one_has_its_time_anew_with_each_answer() {
        let start = common::clock::monotonic();
        let mut subscription = subscription();
        subscription.asked(start);
        subscription.confirm(&streams(&["a@t"]));
        subscription.heard(start + PATIENCE / 2);
        assert_eq!(subscription.due(start + PATIENCE), Due::Nothing);
        assert_eq!(subscription.due(start + PATIENCE / 2 + PATIENCE), Due::AskAgain);
        subscription.heard(start + 2 * PATIENCE);
        assert_eq!(subscription.deadline(), None, "what is asked for again is still to be sent");
    }

    #[test]
    fn wishes_may_change_while_connected() {
        let topic = |symbol: &str| Topic { symbol: symbol.into(), stream: format!("{symbol}@t").into(), lane: "" };
        let mut subscription = subscription();
        subscription.confirm(&streams(&["a@t", "a@q", "b@t"]));
        subscription.change(&[topic("c")], &[topic("b")]);
        assert_eq!((subscription.symbols(), subscription.confirmed(), subscription.is_settled()), (2, 1, false));
        subscription.confirm(&streams(&["c@t"]));
        assert_eq!((subscription.symbols(), subscription.confirmed(), subscription.is_settled()), (2, 2, true));
    }

    #[test]
    fn a_settled_subscription_has_nothing_due() {
        let start = common::clock::monotonic();
        let mut subscription = subscription();
        subscription.asked(start);
        subscription.confirm(&streams(&["a@t", "b@t", "a@q"]));
        assert_eq!((subscription.deadline(), subscription.due(start + PATIENCE)), (None, Due::Nothing));
    }
}
