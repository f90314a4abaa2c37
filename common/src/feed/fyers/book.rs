//! What one connection knows: its streams, which topic a number stands for, and each topic's last values.

use std::borrow::Cow;
use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::feed::fyers::answer::{Entry, Values};
use crate::feed::fyers::channel::Family;
use crate::feed::fyers::message::{self, Last, Scale, VALUES_MAX};
use crate::feed::fyers::request::Mode;
use crate::feed::{Reading, Topic};

/// A stream and what the wire calls it.
#[derive(Debug)]
pub(super) struct Stream {
    /// Our name of it, as in [`Topic::stream`].
    pub(super) name: Box<str>,
    /// The wire's name, e.g. `sf|nse_cm|3045`.
    pub(super) topic: Box<str>,
    family: Family,
    symbol: Box<str>,
    /// The symbol as JSON, for messages.
    symbol_json: Box<str>,
    /// What comes for a stream that is no longer wanted is not handed on.
    is_wanted: bool,
    /// Whether the provider is known to carry it.
    pub(super) is_confirmed: bool,
}

/// The state of one connection.
#[derive(Debug)]
pub(super) struct Book {
    mode: Mode,
    streams: Vec<Stream>,
    by_name: HashMap<Box<str>, usize, RandomState>,
    by_topic: HashMap<Box<str>, usize, RandomState>,
    lines: HashMap<u16, Line, RandomState>,
}

/// What a topic's number stands for.
#[derive(Debug)]
struct Line {
    stream: usize,
    scale: Scale,
    last: Last,
}

impl Book {
    pub(super) fn new(mode: Mode) -> Self {
        Self {
            mode,
            streams: Vec::new(),
            by_name: HashMap::default(),
            by_topic: HashMap::default(),
            lines: HashMap::default(),
        }
    }

    /// Takes up a stream. Two names of one topic could not be told apart when its messages come, so the second one is
    /// refused; the error names the first.
    pub(super) fn add(&mut self, topic: &Topic, family: Family, wire: Box<str>) -> Result<(), String> {
        if let Some(stream) = self.by_topic.get(&wire).map(|place| &self.streams[*place]) {
            return if stream.name == topic.stream {
                Ok(())
            } else {
                Err(format!("it is the same as {}", stream.symbol))
            };
        }
        let place = self.streams.len();
        self.by_name.insert(topic.stream.clone(), place);
        self.by_topic.insert(wire.clone(), place);
        self.streams.push(Stream {
            name: topic.stream.clone(),
            topic: wire,
            family,
            symbol: topic.symbol.clone(),
            symbol_json: serde_json::Value::from(&*topic.symbol).to_string().into(),
            is_wanted: true,
            is_confirmed: false,
        });
        Ok(())
    }

    /// The places of those among `topics` that are streams here.
    pub(super) fn places(&self, topics: &[Topic]) -> Vec<usize> {
        topics.iter().filter_map(|topic| self.by_name.get(&topic.stream).copied()).collect()
    }

    /// The places of all streams that are wanted.
    pub(super) fn wanted(&self) -> Vec<usize> {
        let streams = self.streams.iter().enumerate();
        streams.filter(|(_, stream)| stream.is_wanted).map(|(place, _)| place).collect()
    }

    pub(super) fn stream(&self, place: usize) -> &Stream {
        &self.streams[place]
    }

    /// Whether messages of a stream are handed on; either way the provider has still to say that it carries it.
    pub(super) fn want(&mut self, place: usize, is_wanted: bool) {
        self.streams[place].is_wanted = is_wanted;
        self.streams[place].is_confirmed = false;
    }

    /// The names of those among `places` that were not confirmed, which they are from now on.
    pub(super) fn confirm(&mut self, places: &[usize]) -> Vec<Box<str>> {
        let mut names = Vec::new();
        for place in places {
            let stream = &mut self.streams[*place];
            if !std::mem::replace(&mut stream.is_confirmed, true) {
                names.push(stream.name.clone());
            }
        }
        names
    }

    /// The names of those among `places` that are not confirmed.
    pub(super) fn unconfirmed(&self, places: &[usize]) -> Vec<Box<str>> {
        let streams = places.iter().map(|place| &self.streams[*place]);
        streams.filter(|stream| !stream.is_confirmed).map(|stream| stream.name.clone()).collect()
    }

    /// Takes in one entry: its message, and the place of a stream that it shows to be carried.
    pub(super) fn apply(
        &mut self,
        entry: Entry<'_>,
    ) -> Result<(Option<Reading<'static>>, Option<usize>), &'static str> {
        match entry {
            Entry::Snapshot { id, topic, values, multiplier, precision } => {
                // Whatever the number stood for, it does no longer.
                self.lines.remove(&id);
                let topic = str::from_utf8(topic).unwrap_or_default();
                let stream = *self.by_topic.get(topic).ok_or("unknown_topic")?;
                let scale = Scale::new(multiplier, precision).ok_or("bad_scale")?;
                let mut line = Line { stream, scale, last: [None; VALUES_MAX] };
                merge(&mut line.last, self.streams[stream].family, values);
                let message = self.message(&line);
                self.lines.insert(id, line);
                Ok((message, Some(stream)))
            }
            Entry::Update { id, values } => {
                let line = self.lines.get_mut(&id).ok_or("unknown_topic")?;
                let price = line.last[0];
                let has_changed = merge(&mut line.last, self.streams[line.stream].family, values);
                let is_news = match self.mode {
                    Mode::Full => has_changed,
                    Mode::Lite => line.last[0] != price,
                };
                Ok((self.message_if(is_news, id), None))
            }
            Entry::Lite { id, price } => {
                let line = self.lines.get_mut(&id).ok_or("unknown_topic")?;
                if self.streams[line.stream].family == Family::Depth {
                    return Err("price_of_depth");
                }
                let is_news = price.is_some() && line.last[0] != price;
                line.last[0] = price.or(line.last[0]);
                Ok((self.message_if(is_news, id), None))
            }
        }
    }

    fn message_if(&self, is_news: bool, id: u16) -> Option<Reading<'static>> {
        self.lines.get(&id).filter(|_| is_news).and_then(|line| self.message(line))
    }

    fn message(&self, line: &Line) -> Option<Reading<'static>> {
        let Stream { family, symbol, symbol_json, is_wanted: true, .. } = &self.streams[line.stream] else {
            return None;
        };
        let body = match self.mode {
            Mode::Full => message::full(*family, &line.last, line.scale, symbol_json),
            Mode::Lite => {
                line.last[0]?; // without a price there is nothing to tell
                message::lite(*family, &line.last, line.scale, symbol_json)
            }
        };
        Some(Reading::Data {
            kind: Cow::Borrowed(family.prefix()),
            body: Cow::Owned(body),
            key: Cow::Owned(symbol.clone().into()),
            // The frames' numbers count the connection's, not a topic's, and nothing can be asked for again.
            mark: None,
        })
    }
}

/// Puts the values that are there into their places; whether any of them is new.
fn merge(last: &mut Last, family: Family, values: Values<'_>) -> bool {
    let mut has_changed = false;
    for (place, value) in last.iter_mut().take(places(family)).zip(values.each()) {
        if value.is_some() && *place != value {
            *place = value;
            has_changed = true;
        }
    }
    has_changed
}

/// Values that a family's topics have; what stands behind them is not known.
fn places(family: Family) -> usize {
    match family {
        Family::Symbol => 21,
        Family::Index => 6,
        Family::Depth => VALUES_MAX,
    }
}
