//! From a queue's elements to sightings of symbols, and to gaps. Pure.

use std::time::Duration;

use common::clock::UnixMicros;
use common::feed::{self, DecodeError, Feed};
use common::market::{Observation, OrderKey};
use common::queue::{BadTask, GAP_KIND, Gap, Task};
use common::store::GapRow;

use crate::docket::{Docket, Ending, Failure};

/// One observation with where it came from, before its symbol is normalised.
#[derive(Debug)]
pub(crate) struct Sighting<'b> {
    /// Number of the task in its batch.
    pub(crate) task: usize,
    /// Place within the message.
    pub(crate) index: i16,
    pub(crate) feed: &'static dyn Feed,
    pub(crate) order: OrderKey,
    pub(crate) received_at: UnixMicros,
    pub(crate) observation: Observation<'b>,
}

/// What a batch says.
#[derive(Debug)]
pub(crate) struct Decoded<'b> {
    pub(crate) sightings: Vec<Sighting<'b>>,
    /// Each with the number of its task. A gap holds no tick: its task is settled with none.
    pub(crate) gaps: Vec<(usize, GapRow)>,
}

/// Decodes a batch. What cannot be read ends on the docket alone; its neighbours go on.
pub(crate) fn decode<'b>(
    tasks: impl Iterator<Item = (usize, &'b [u8])>,
    now: UnixMicros,
    age_max: Option<Duration>,
    docket: &mut Docket,
) -> Decoded<'b> {
    let mut sightings = Vec::with_capacity(tasks.size_hint().0);
    let mut gaps = Vec::new();
    let mut observations = Vec::new();
    for (number, element) in tasks {
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
                Ok(row) => gaps.push((number, row)),
                Err(error) => docket.fail(number, fatal("malformed", error)),
            }
            continue;
        }
        if age_max.is_some_and(|age_max| age_max < task.at.age_at(now)) {
            docket.end(number, Ending::Expired);
            continue;
        }
        if let Err(failure) = read(&task, number, &mut observations, docket) {
            docket.fail(number, failure);
            continue;
        }
        let (Some(feed), Some(order)) = (feed::by_name(&task.feed), task.order()) else { continue };
        for (index, observation) in observations.drain(..).enumerate() {
            let index = i16::try_from(index).unwrap_or(i16::MAX);
            sightings.push(Sighting { task: number, index, feed, order, received_at: task.at, observation });
        }
    }
    Decoded { sightings, gaps }
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
    observations: &mut Vec<Observation<'b>>,
    docket: &mut Docket,
) -> Result<(), Failure> {
    let Some(feed) = feed::by_name(&task.feed) else {
        return Err(fatal("unknown_feed", format!("this program has no feed {:?}", task.feed)));
    };
    match feed.decode(&task.kind, task.body.get(), observations) {
        Ok(()) => {}
        Err(DecodeError::Skip(reason)) => docket.end(number, Ending::Skipped(reason)),
        Err(error @ DecodeError::Malformed { .. }) => return Err(fatal("malformed", error.to_string())),
        Err(error @ DecodeError::Number { .. }) => return Err(fatal("bad_number", error.to_string())),
    }
    let empty = observations.iter().filter(|observation| observation.fields.is_empty()).count();
    if 0 < empty {
        observations.retain(|observation| !observation.fields.is_empty());
        (0..empty).for_each(|_| docket.end(number, Ending::Skipped("no_value")));
    }
    Ok(())
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
