//! How every task of a batch ends. Pure.

use std::collections::BTreeMap;
use std::time::Duration;

use common::clock::UnixMicros;
use common::queue::{DeadId, DeadLetter, LeaseId, QueueName, Retry, Settlement, Task, TickCounts};
use common::retry::Backoff;

use crate::guard::Tally;

/// How a tick of a settled task ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Stored,
    Superseded,
    Legacy,
    Expired,
    Skipped(&'static str),
}

impl Ending {
    /// Whether the store took a row.
    fn is_of_a_row(self) -> bool {
        match self {
            Self::Stored | Self::Superseded | Self::Legacy => true,
            Self::Expired | Self::Skipped(_) => false,
        }
    }
}

/// Reason of a failure: the store refused the row.
pub(crate) const REFUSED: &str = "row";

/// Why a task cannot be settled now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    /// In one word, as dead letters are filtered by it.
    pub(crate) reason: &'static str,
    /// SQLSTATE, where a database refused it.
    pub(crate) code: Option<Box<str>>,
    /// In full.
    pub(crate) error: String,
    /// The symbol it was about.
    pub(crate) symbol: Option<Box<str>>,
    /// Whether waiting may help: a cause outside the task can be removed.
    pub(crate) may_retry: bool,
}

/// The endings of one batch's tasks. Whatever is not written here when the batch is settled would be a tick without
/// an ending, so a task without any is settled as skipped.
#[derive(Debug, Clone)]
pub(crate) struct Docket {
    endings: Vec<(usize, Ending)>,
    failures: BTreeMap<usize, Failure>,
    commit: Option<Duration>,
}

/// Who settles, when, and by which rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clerk<'a> {
    pub(crate) worker: &'a str,
    pub(crate) now: UnixMicros,
    pub(crate) retry: Backoff,
    /// Whether refused rows are tried again without counting the try: the store is to blame.
    pub(crate) postpone: bool,
}

impl Docket {
    pub(crate) fn with_capacity(ticks: usize) -> Self {
        Self { endings: Vec::with_capacity(ticks), failures: BTreeMap::new(), commit: None }
    }

    /// One tick of task number `task` ended.
    pub(crate) fn end(&mut self, task: usize, ending: Ending) {
        self.endings.push((task, ending));
    }

    /// Task number `task` failed; the first failure of a task stands.
    pub(crate) fn fail(&mut self, task: usize, failure: Failure) {
        self.failures.entry(task).or_insert(failure);
    }

    /// What became of the rows, for the guard. `tasks` are the elements.
    pub(crate) fn tally(&self, tasks: &[Vec<u8>]) -> Tally {
        let refused = || self.failures.iter().filter(|(_, failure)| failure.reason == REFUSED);
        let Some((&first, _)) = refused().next() else {
            return Tally::of(self.endings.iter().filter(|(_, ending)| ending.is_of_a_row()).count() as u64, false);
        };
        let mut rows: Vec<usize> =
            self.endings.iter().filter(|(_, ending)| ending.is_of_a_row()).map(|(task, _)| *task).collect();
        rows.extend(refused().map(|(task, _)| *task));
        rows.sort_unstable();
        rows.dedup();
        let again = Task::decode(&tasks[first]).is_ok_and(|task| 0 < task.attempt);
        let mut tally = Tally::of(rows.len() as u64, again);
        for (_, failure) in refused() {
            tally.refuse(failure.code.as_deref().unwrap_or("no code"), failure.symbol.as_deref(), &failure.error);
        }
        tally
    }

    /// Forgets what became of the tasks whose rows were refused, and says which they are: they are tried again.
    pub(crate) fn reopen(&mut self) -> Vec<usize> {
        let refused: Vec<usize> =
            self.failures.extract_if(.., |_, failure| failure.reason == REFUSED).map(|(task, _)| task).collect();
        self.endings.retain(|(task, _)| refused.binary_search(task).is_err());
        refused
    }

    /// The store committed in `took`, waiting and failed tries not counted.
    pub(crate) fn committed(&mut self, took: Duration) {
        *self.commit.get_or_insert_default() += took;
    }

    /// How long the commits took; `None` where nothing was committed whole.
    pub(crate) fn commit(&self) -> Option<Duration> {
        self.commit
    }

    /// Turns the docket into the settlement of `lease`, whose elements are `tasks`.
    pub(crate) fn settle(self, queue: &QueueName, lease: LeaseId, tasks: &[Vec<u8>], clerk: Clerk<'_>) -> Settlement {
        let mut counts = TickCounts::default();
        for (task, ending) in &self.endings {
            if !self.failures.contains_key(task) {
                count(&mut counts, *ending);
            }
        }
        let mut retries: BTreeMap<Duration, Vec<Vec<u8>>> = BTreeMap::new();
        let mut dead = Vec::new();
        for (&number, failure) in &self.failures {
            let element = &tasks[number];
            match next_try(element, failure, clerk) {
                Ok((after, again)) => retries.entry(after).or_default().push(again),
                Err(attempts) => dead.push(letter(element, failure, attempts, clerk)),
            }
        }
        let settled = tasks.len() - self.failures.len();
        Settlement {
            queue: queue.clone(),
            lease,
            settled: u32::try_from(settled).unwrap_or(u32::MAX),
            counts,
            retry: retries.into_iter().map(|(after, tasks)| Retry { tasks, after }).collect(),
            dead,
        }
    }
}

fn count(counts: &mut TickCounts, ending: Ending) {
    let counter = match ending {
        Ending::Skipped(reason) => return counts.skip(reason),
        Ending::Stored => &mut counts.stored,
        Ending::Superseded => &mut counts.superseded,
        Ending::Legacy => &mut counts.legacy,
        Ending::Expired => &mut counts.expired,
    };
    *counter += 1;
    counts.ticks += 1;
}

/// The element of the next try and its delay; or, when there is none, how often it was tried.
fn next_try(element: &[u8], failure: &Failure, clerk: Clerk<'_>) -> Result<(Duration, Vec<u8>), u32> {
    let Ok(mut task) = Task::decode(element) else { return Err(1) };
    let retry = clerk.retry;
    if clerk.postpone && failure.reason == REFUSED {
        return Ok((retry.delay(task.attempt.max(1)), element.to_vec()));
    }
    task.attempt = task.attempt.saturating_add(1);
    let tries_max = retry.times.map_or(u32::MAX, |times| u32::try_from(times).unwrap_or(u32::MAX));
    if failure.may_retry && task.attempt < tries_max {
        Ok((retry.delay(task.attempt), task.encode()))
    } else {
        Err(task.attempt)
    }
}

fn letter(element: &[u8], failure: &Failure, attempts: u32, clerk: Clerk<'_>) -> DeadLetter {
    DeadLetter {
        id: DeadId::fresh(),
        reason: failure.reason.into(),
        code: failure.code.clone(),
        error: failure.error.clone(),
        symbol: failure.symbol.clone(),
        attempts,
        worker: clerk.worker.into(),
        died_at: clerk.now,
        task: as_enqueued(element),
    }
}

/// The element as the listener enqueued it: a letter that is retried has all its attempts again.
fn as_enqueued(element: &[u8]) -> Vec<u8> {
    match Task::decode(element) {
        Ok(mut task) if 0 < task.attempt => {
            task.attempt = 0;
            task.encode()
        }
        Ok(_) | Err(_) => element.to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(attempt: u32) -> Vec<u8> {
        format!(r#"{{"v":1,"feed":"binance","kind":"trade","conn":1,"epoch":9,"seq":1,"at":1,"attempt":{attempt},"body":{{}}}}"#)
            .into_bytes()
    }

    fn refused() -> Failure {
        Failure { reason: "row", code: Some("23514".into()), error: "no".to_owned(), symbol: None, may_retry: true }
    }

    fn settle(docket: Docket, tasks: &[Vec<u8>]) -> Settlement {
        let retry = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1), times: Some(3) };
        let clerk = Clerk { worker: "w", now: UnixMicros(5), retry, postpone: false };
        docket.settle(&"q".parse().unwrap(), LeaseId::fresh(), tasks, clerk)
    }

    #[test]
    fn every_task_is_settled_or_tried_again_or_dead() {
        let tasks = [element(0), element(0), element(2), b"garbage".to_vec()];
        let mut docket = Docket::with_capacity(4);
        docket.end(0, Ending::Stored);
        docket.fail(1, refused());
        docket.fail(2, refused());
        docket.fail(3, Failure { reason: "malformed", may_retry: false, ..refused() });
        let settlement = settle(docket, &tasks);
        let retried: usize = settlement.retry.iter().map(|group| group.tasks.len()).sum();
        assert_eq!((settlement.settled, retried, settlement.dead.len()), (1, 1, 2));
        assert_eq!((&settlement.dead[0].task, settlement.dead[0].attempts), (&element(0), 3), "as it was enqueued");
        assert_eq!(settlement.dead[1].task, b"garbage");
    }

    #[test]
    fn a_retried_task_carries_its_attempt_and_waits_longer_each_time() {
        let tasks = [element(0), element(1)];
        let mut docket = Docket::with_capacity(0);
        docket.fail(0, refused());
        docket.fail(1, refused());
        let settlement = settle(docket, &tasks);
        let again: Vec<(u64, u32)> = settlement
            .retry
            .iter()
            .map(|group| (group.after.as_secs(), Task::decode(&group.tasks[0]).unwrap().attempt))
            .collect();
        assert_eq!(again, [(1, 1), (2, 2)]);
    }

    #[test]
    fn a_postponed_task_has_as_many_tries_left_as_before_and_its_neighbours_are_settled() {
        let tasks = [element(2), element(2), b"garbage".to_vec()];
        let mut docket = Docket::with_capacity(0);
        docket.end(0, Ending::Stored);
        docket.fail(1, refused());
        docket.fail(2, Failure { reason: "malformed", may_retry: false, ..refused() });
        let retry = Backoff { first: Duration::from_secs(1), longest: Duration::from_mins(1), times: Some(3) };
        let clerk = Clerk { worker: "w", now: UnixMicros(5), retry, postpone: true };
        let settlement = docket.settle(&"q".parse().unwrap(), LeaseId::fresh(), &tasks, clerk);
        assert_eq!((settlement.settled, settlement.dead.len()), (1, 1));
        assert_eq!(settlement.retry[0].tasks, [element(2)]);
    }

    #[test]
    fn reopening_keeps_what_is_stored_and_forgets_what_was_refused() {
        let mut docket = Docket::with_capacity(0);
        docket.end(0, Ending::Stored);
        docket.end(1, Ending::Stored);
        docket.fail(1, refused());
        docket.fail(2, Failure { reason: "malformed", may_retry: false, ..refused() });
        assert_eq!(docket.reopen(), [1]);
        assert_eq!((docket.endings.len(), docket.failures.len()), (1, 1));
    }

    #[test]
    fn a_failed_task_takes_its_ticks_out_of_the_counts() {
        let tasks = [element(0), element(0)];
        let mut docket = Docket::with_capacity(0);
        docket.end(0, Ending::Stored);
        docket.end(0, Ending::Superseded);
        docket.end(1, Ending::Skipped("depth"));
        docket.fail(0, refused());
        let counts = settle(docket, &tasks).counts;
        assert_eq!((counts.ticks, counts.stored, counts.skipped_total()), (1, 0, 1));
        assert!(counts.is_balanced());
    }
}
