//! The broker's scripts, one function each.

use super::state::{Batch, Broker, Bug, HALF, Name, Place, Rules, Tasks, Tombstone};

const COMPANY_MAX: u8 = 2;
const ALONE_MAX: u8 = 3;

/// What a take answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Taken {
    Batch(Tasks),
    Empty,
    Used,
}

/// What a settlement or a release answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ended {
    Done,
    Already,
    Lost,
    /// Its numbers do not add up to the batch.
    Refused,
}

/// The first `count` tasks.
fn head(tasks: Tasks, count: u32) -> Tasks {
    let mut rest = tasks;
    for _ in 0..count {
        rest &= rest.wrapping_sub(1); // without the lowest
    }
    tasks & !rest
}

impl Broker {
    fn leased(&self, lease: Name) -> Option<usize> {
        self.batches.iter().position(|batch| batch.name == lease && batch.is_leased())
    }

    fn add(&mut self, batch: Batch) {
        self.batches.push(batch);
        self.batches.sort_unstable_by_key(|batch| batch.name);
    }

    fn tombstone(&self, lease: Name) -> Tombstone {
        self.tombstones[usize::from(lease)]
    }

    fn bury(&mut self, lease: Name, how: Tombstone) {
        self.tombstones[usize::from(lease)] = how;
    }

    /// Every outcome of a take: which of several due batches comes first is a matter of the clock.
    pub(super) fn take(&self, lease: Name, rules: Rules) -> Vec<(Self, Taken)> {
        if let Some(at) = self.leased(lease) {
            let mut after = self.clone();
            after.batches[at].place = Place::Leased;
            return vec![(after, Taken::Batch(self.batches[at].tasks))];
        }
        let is_there = self.batches.iter().any(|batch| batch.name == lease);
        if self.tombstone(lease) != Tombstone::None || is_there {
            return vec![(self.clone(), Taken::Used)];
        }
        let due: Vec<Batch> = self.batches.iter().filter(|batch| batch.place == Place::Delayed).copied().collect();
        if due.is_empty() {
            return vec![self.take_pending(lease, rules)];
        }
        due.into_iter().map(|due| self.take_due(due, lease, rules)).collect()
    }

    fn take_pending(&self, lease: Name, rules: Rules) -> (Self, Taken) {
        let mut after = self.clone();
        let tasks = head(self.pending, rules.take_max);
        if tasks == 0 {
            return (after, Taken::Empty);
        }
        after.pending &= !tasks;
        after.add(Batch { name: lease, tasks, place: Place::Leased, suspicion: 0, alone: 0 });
        (after, Taken::Batch(tasks))
    }

    fn take_due(&self, due: Batch, lease: Name, rules: Rules) -> (Self, Taken) {
        let mut after = self.clone();
        let tasks = head(due.tasks, rules.take_max);
        after.batches.retain(|batch| batch.name != due.name);
        if due.tasks != tasks {
            after.add(Batch { tasks: due.tasks & !tasks, ..due });
        }
        after.add(Batch { name: lease, tasks, place: Place::Leased, ..due });
        (after, Taken::Batch(tasks))
    }

    /// Ends `claimed`, what the worker was given: its number must be the batch's.
    pub(super) fn settle(&self, lease: Name, claimed: Tasks, rules: Rules) -> (Self, Ended) {
        let mut after = self.clone();
        let Some(at) = self.leased(lease) else {
            if rules.bug == Some(Bug::UnfencedSettle) {
                after.batches.iter_mut().for_each(|batch| batch.tasks &= !claimed);
                after.batches.retain(|batch| batch.tasks != 0);
                after.settled |= claimed;
                return (after, Ended::Lost);
            }
            let is_repeated = self.tombstone(lease) == Tombstone::Settled;
            return (after, if is_repeated { Ended::Already } else { Ended::Lost });
        };
        let batch = after.batches.remove(at);
        if batch.tasks.count_ones() != claimed.count_ones() {
            return (self.clone(), Ended::Refused);
        }
        after.settled |= batch.tasks;
        after.bury(lease, Tombstone::Settled);
        (after, Ended::Done)
    }

    pub(super) fn release(&self, lease: Name) -> (Self, Ended) {
        let mut after = self.clone();
        let Some(at) = self.leased(lease) else {
            let is_repeated = self.tombstone(lease) == Tombstone::Released;
            return (after, if is_repeated { Ended::Already } else { Ended::Lost });
        };
        after.batches[at].place = Place::Delayed;
        after.bury(lease, Tombstone::Released);
        (after, Ended::Done)
    }

    /// `None`: the lease is lost.
    pub(super) fn renew(&self, lease: Name) -> Option<Self> {
        let at = self.leased(lease)?;
        let mut after = self.clone();
        after.batches[at].place = Place::Leased;
        Some(after)
    }

    /// Time passes.
    pub(super) fn expire(&self, lease: Name) -> Option<Self> {
        let at = self.leased(lease).filter(|at| self.batches[*at].place == Place::Leased)?;
        let mut after = self.clone();
        after.batches[at].place = Place::Expired;
        Some(after)
    }

    /// One lease of a sweep.
    pub(super) fn reap(&self, lease: Name, rules: Rules) -> Option<Self> {
        let at = self.leased(lease).filter(|at| self.batches[*at].place == Place::Expired)?;
        let mut after = self.clone();
        let batch = after.batches.remove(at);
        if rules.bug != Some(Bug::NoTombstone) {
            after.bury(lease, Tombstone::Reaped);
        }
        let place = if rules.bug == Some(Bug::ReapForgets) { Place::Forgotten } else { Place::Delayed };
        let returned = Batch { place, ..batch };
        if batch.tasks.is_power_of_two() {
            after.suspect(returned);
        } else if COMPANY_MAX <= batch.suspicion + 1 {
            let older = head(batch.tasks, batch.tasks.count_ones().div_ceil(2));
            after.add(Batch { tasks: older, suspicion: 1, alone: 0, ..returned });
            after.add(Batch { name: lease + HALF, tasks: batch.tasks & !older, suspicion: 1, alone: 0, ..returned });
        } else {
            after.add(Batch { suspicion: batch.suspicion + 1, alone: 0, ..returned });
        }
        Some(after)
    }

    fn suspect(&mut self, batch: Batch) {
        let task = batch.tasks.trailing_zeros() as usize;
        self.expired_alone[task] += 1;
        if ALONE_MAX <= batch.alone + 1 {
            self.dead |= batch.tasks;
        } else {
            self.add(Batch { alone: batch.alone + 1, ..batch });
        }
    }

    /// The first step of a take in two: the tasks are in nobody's books.
    pub(super) fn pop(&self, rules: Rules) -> Option<Self> {
        let tasks = head(self.pending, rules.take_max);
        (tasks != 0).then(|| Self { pending: self.pending & !tasks, ..self.clone() })
    }
}
