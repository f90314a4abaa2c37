//! From a queue's elements to sightings of symbols, and to gaps. Pure.

use std::time::Duration;

use common::clock::UnixMicros;
use common::feed::{self, DecodeError, Feed};
use common::market::{Observation, OrderKey};
use common::queue::{BadTask, Envelope, GAP_KIND, Gap, Task};
use common::store::GapRow;

use crate::docket::{Docket, Ending, Failure};

/// One observation with where it came from, before its symbol is normalised.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sighting<'b> {
    pub(crate) origin: Origin,
    pub(crate) observation: &'b Observation<'b>,
}

/// Where an observation came from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Origin {
    /// Number of the task in its batch.
    pub(crate) task: usize,
    /// Place within the message.
    pub(crate) index: i16,
    pub(crate) feed: &'static dyn Feed,
    pub(crate) order: OrderKey,
    pub(crate) received_at: UnixMicros,
}

/// What a batch says.
#[derive(Debug, Default)]
pub(crate) struct Decoded<'b> {
    /// One per observation. Observations are big: they stay where decoders put them.
    origins: Vec<Origin>,
    observations: Vec<Observation<'b>>,
    /// Each with the number of its task. A gap holds no tick: its task is settled with none.
    pub(crate) gaps: Vec<(usize, GapRow)>,
}

impl Decoded<'_> {
    /// The observations with where they came from.
    pub(crate) fn sightings(&self) -> Vec<Sighting<'_>> {
        let both = self.origins.iter().zip(&self.observations);
        both.map(|(&origin, observation)| Sighting { origin, observation }).collect()
    }

    /// What decoders have added belongs to this task.
    fn came_from(&mut self, task: usize, feed: &'static dyn Feed, order: OrderKey, received_at: UnixMicros) {
        let added = self.observations.len() - self.origins.len();
        let index = |place: usize| i16::try_from(place).unwrap_or(i16::MAX);
        let origins = (0..added).map(|place| Origin { task, index: index(place), feed, order, received_at });
        self.origins.extend(origins);
    }

    /// Forgets what decoders have added for a task.
    fn forget(&mut self) {
        self.observations.truncate(self.origins.len());
    }
}

/// Decodes a batch. What cannot be read ends on the docket alone; its neighbours go on.
pub(crate) fn decode<'b>(
    tasks: impl Iterator<Item = (usize, &'b [u8])>,
    now: UnixMicros,
    age_max: Option<Duration>,
    docket: &mut Docket,
) -> Decoded<'b> {
    let size = tasks.size_hint().0;
    let mut decoded =
        Decoded { origins: Vec::with_capacity(size), observations: Vec::with_capacity(size), gaps: Vec::new() };
    let mut quick = Quick { feed: None, now, age_max };
    for (number, element) in tasks {
        if quick.read(number, element, &mut decoded).is_some() {
            continue;
        }
        decoded.forget();
        let task = match Task::decode(element) {
            Ok(task) => task,
            Err(error) => {
                docket.fail(number, unreadable(&error));
                continue;
            }
        };
        // Before the feed is looked for and the age is asked: a hole stays a hole, whoever reports it and however late.
        if task.kind == GAP_KIND {
            match gap(&task) {
                Ok(row) => decoded.gaps.push((number, row)),
                Err(error) => docket.fail(number, fatal("malformed", error)),
            }
            continue;
        }
        if age_max.is_some_and(|age_max| age_max < task.at.age_at(now)) {
            docket.end(number, Ending::Expired);
            continue;
        }
        match read(&task, number, &mut decoded, docket) {
            Ok(feed) => {
                if let Some(order) = task.order() {
                    decoded.came_from(number, feed, order, task.at);
                }
            }
            Err(failure) => docket.fail(number, failure),
        }
        decoded.forget();
    }
    decoded
}

/// Reads the tasks that have nothing special about them, which are nearly all.
struct Quick {
    /// The feed of the last one: mostly that of the next one too.
    feed: Option<&'static dyn Feed>,
    now: UnixMicros,
    age_max: Option<Duration>,
}

impl Quick {
    /// `None` where a task needs a closer look.
    fn read<'b>(&mut self, task: usize, element: &'b [u8], decoded: &mut Decoded<'b>) -> Option<()> {
        let Envelope { feed, kind, order, at, body } = Envelope::quick(element)?;
        if kind == GAP_KIND || self.age_max.is_some_and(|age_max| age_max < at.age_at(self.now)) {
            return None;
        }
        let feed = self.feed.filter(|last| last.name() == feed).or_else(|| feed::by_name(feed))?;
        self.feed = Some(feed);
        let before = decoded.observations.len();
        // Decoders read all of a body, so one that is no JSON is an error.
        feed.decode(kind, body, &mut decoded.observations).ok()?;
        if decoded.observations[before..].iter().any(|observation| observation.fields.is_empty()) {
            return None;
        }
        decoded.came_from(task, feed, order, at);
        Some(())
    }
}

fn gap(task: &Task<'_>) -> Result<GapRow, String> {
    let gap = Gap::decode(task.body.get()).map_err(|error| format!("not a gap: {error}"))?;
    let order = task.order().ok_or("the task of a gap without an order")?;
    Ok(GapRow {
        feed: (&*task.feed).into(),
        conn: task.conn,
        order,
        symbol: gap.symbol.map(|symbol| (&*symbol).into()),
        stream: (&*gap.stream).into(),
        kind: (&*gap.kind).into(),
        from: gap.from,
        to: gap.to,
        missing: gap.missing,
        since: gap.since,
        until: gap.until,
        reason: gap.reason.as_str().into(),
    })
}

fn read<'b>(
    task: &Task<'b>,
    number: usize,
    decoded: &mut Decoded<'b>,
    docket: &mut Docket,
) -> Result<&'static dyn Feed, Failure> {
    let Some(feed) = feed::by_name(&task.feed) else {
        return Err(fatal("unknown_feed", format!("this program has no feed {:?}", task.feed)));
    };
    let before = decoded.observations.len();
    match feed.decode(&task.kind, task.body.get(), &mut decoded.observations) {
        Ok(()) => {}
        Err(DecodeError::Skip(reason)) => docket.end(number, Ending::Skipped(reason)),
        Err(error @ DecodeError::Malformed { .. }) => return Err(fatal("malformed", error.to_string())),
        Err(error @ DecodeError::Number { .. }) => return Err(fatal("bad_number", error.to_string())),
    }
    let added = decoded.observations.split_off(before);
    for observation in added {
        if observation.fields.is_empty() {
            docket.end(number, Ending::Skipped("no_value"));
        } else {
            decoded.observations.push(observation);
        }
    }
    Ok(feed)
}

fn unreadable(error: &BadTask) -> Failure {
    let reason = match error {
        BadTask::Malformed(_) | BadTask::SeqTooLarge(_) => "malformed",
        BadTask::UnknownVersion(_) => "unsupported_version",
    };
    fatal(reason, error.to_string())
}

fn fatal(reason: &'static str, error: String) -> Failure {
    Failure { reason, code: None, error, symbol: None, may_retry: false }
}
