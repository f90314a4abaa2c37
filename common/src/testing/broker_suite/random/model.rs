//! The books of random work: where every task must be, as far as answers tell.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::ledger::Ledger;
use crate::queue::{Batch, DeadId, DeadLetter, LeaseId, Settlement};

/// Expiries alone after which a task may be convicted.
const ALONE_MIN: u32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Waiting, delayed, or leased; and who was given it last.
    Open(Option<LeaseId>),
    Settled,
    Dead,
    Purged,
}

#[derive(Debug, Default)]
pub(super) struct Model {
    made: u64,
    attempts: u64,
    fates: HashMap<u64, Fate>,
    /// Each task's place in line; one that a person put back has a later one.
    places: HashMap<u64, u64>,
    places_given: u64,
    ticks: u64,
    alone: HashMap<u64, u32>,
    dead: BTreeMap<DeadId, u64>,
    letters_ever: HashSet<DeadId>,
}

/// One task in so many kills every worker that begins it.
const KILLERS_ARE_RARE: u64 = 12;

/// A task's text is `NUMBER/ATTEMPT`.
fn number(task: &[u8]) -> u64 {
    let text = std::str::from_utf8(task).expect("a task of this run");
    text.split_once('/').and_then(|(number, _)| number.parse().ok()).expect("a task of this run")
}

impl Model {
    /// Tasks so far.
    pub(super) fn made(&self) -> u64 {
        self.made
    }

    pub(super) fn fresh_tasks(&mut self, count: u64) -> Vec<Vec<u8>> {
        self.made += count;
        (self.made - count..self.made).map(|number| format!("{number}/0").into_bytes()).collect()
    }

    pub(super) fn next_attempt(&mut self, task: &[u8]) -> Vec<u8> {
        self.attempts += 1;
        format!("{}/{}", number(task), self.attempts).into_bytes()
    }

    pub(super) fn accept(&mut self, tasks: &[Vec<u8>]) {
        for task in tasks {
            assert_eq!(self.fates.insert(number(task), Fate::Open(None)), None);
            self.line_up(number(task));
        }
    }

    fn line_up(&mut self, task: u64) {
        self.places_given += 1;
        self.places.insert(task, self.places_given);
    }

    /// A batch was given out: of open tasks, in their order, none of which somebody safely holds.
    pub(super) fn take(&mut self, batch: &Batch, safely_held: impl Fn(LeaseId) -> bool) {
        assert!(!batch.tasks.is_empty() && 0 < batch.deliveries);
        let mut last = 0;
        for task in &batch.tasks {
            let task = number(task);
            let place = self.places[&task];
            assert!(last < place, "I8 head order: {batch:?}");
            last = place;
            let Some(Fate::Open(holder)) = self.fates.insert(task, Fate::Open(Some(batch.lease))) else {
                unreachable!("I1 conservation: task {task} was handed out after its end")
            };
            assert!(!holder.is_some_and(&safely_held), "I3 exclusive lease: task {task} is in two leases");
        }
    }

    pub(super) fn may_expire_alone(&mut self, batch: &Batch) {
        for task in &batch.tasks {
            *self.alone.entry(number(task)).or_default() += 1;
        }
    }

    /// The lease was alive just now, so nobody was given its tasks since.
    pub(super) fn assert_holds(&self, batch: &Batch) {
        for task in &batch.tasks {
            assert_eq!(self.fates[&number(task)], Fate::Open(Some(batch.lease)), "I4 fencing: task {}", number(task));
        }
    }

    /// A settlement took effect.
    pub(super) fn settle(&mut self, ending: &Settlement, batch: &Batch) {
        self.assert_holds(batch);
        self.ticks += ending.counts.ticks;
        let elsewhere: HashMap<u64, Fate> = (ending.retry.iter().flat_map(|retry| &retry.tasks))
            .map(|task| (number(task), Fate::Open(None)))
            .chain(ending.dead.iter().map(|letter| (number(&letter.task), Fate::Dead)))
            .collect();
        for task in batch.tasks.iter().map(|task| number(task)) {
            self.fates.insert(task, elsewhere.get(&task).copied().unwrap_or(Fate::Settled));
        }
        for letter in &ending.dead {
            self.bury(letter);
        }
    }

    fn bury(&mut self, letter: &DeadLetter) {
        assert!(self.letters_ever.insert(letter.id), "a letter's name is used once");
        self.dead.insert(letter.id, number(&letter.task));
    }

    pub(super) fn release(&mut self, batch: &Batch) {
        self.assert_holds(batch);
        for task in &batch.tasks {
            self.fates.insert(number(task), Fate::Open(None));
        }
    }

    pub(super) fn knows(&self, letter: DeadId) -> bool {
        self.letters_ever.contains(&letter)
    }

    /// The reaper gave a task up.
    pub(super) fn convict(&mut self, letter: &DeadLetter) {
        let task = number(&letter.task);
        let alone = self.alone.get(&task).copied().unwrap_or(0);
        assert!(ALONE_MIN <= alone, "I9 conviction: task {task}, alone only {alone} times");
        let fate = self.fates.insert(task, Fate::Dead);
        assert!(matches!(fate, Some(Fate::Open(Some(_)))), "I9 conviction: task {task} as {fate:?}");
        self.bury(letter);
    }

    pub(super) fn letters(&self) -> Vec<DeadId> {
        self.dead.keys().copied().collect()
    }

    pub(super) fn revive(&mut self, letter: DeadId) {
        let task = self.dead.remove(&letter).expect("one of ours");
        self.fates.insert(task, Fate::Open(None));
        self.alone.remove(&task);
        self.line_up(task);
    }

    pub(super) fn purge(&mut self, letter: DeadId) {
        let task = self.dead.remove(&letter).expect("one of ours");
        self.fates.insert(task, Fate::Purged);
    }

    fn count(&self, wanted: Fate) -> u64 {
        self.fates.values().filter(|fate| **fate == wanted).count() as u64
    }

    /// Whether a worker dies of this batch.
    pub(super) fn kills(batch: &Batch) -> bool {
        batch.tasks.iter().any(|task| number(task) % KILLERS_ARE_RARE == 7)
    }

    /// Both books say the same.
    pub(super) fn agree(&self, ledger: &Ledger) {
        assert_eq!(ledger.accepted, self.fates.len() as u64, "I1 conservation, I11 counters: accepted");
        assert_eq!(ledger.settled, self.count(Fate::Settled), "I4 fencing, I11 counters: settled");
        assert_eq!(ledger.dead, self.dead.len() as u64);
        assert_eq!(ledger.dead, self.count(Fate::Dead));
        assert_eq!(ledger.purged, self.count(Fate::Purged));
        assert_eq!(ledger.ticks, self.ticks);
    }

    pub(super) fn assert_all_ended(&self) {
        let open: Vec<_> = self.fates.iter().filter(|(_, fate)| matches!(fate, Fate::Open(_))).collect();
        assert!(open.is_empty(), "I14 liveness: never ended: {open:?}");
    }
}
