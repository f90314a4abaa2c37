//! What there is: the broker's keys, the store, the workers, and the requests that may still arrive.

/// Tasks as bits; the lowest is the head.
pub(super) type Tasks = u8;
/// Names a lease or a batch. A halved batch's newer half has the lease's name plus [`HALF`].
pub(super) type Name = u8;

pub(super) const HALF: Name = 16;
/// Names beyond those of the run, for the way out of it.
pub(super) const SPARE: Name = 6;
const NAMES: usize = 12;
pub(super) const TASKS_MAX: usize = 3;

/// How large the run is, and what is broken in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    pub(super) workers: u8,
    pub(super) tasks: u8,
    /// Takes under a fresh name.
    pub(super) leases: Name,
    /// Tasks of one take.
    pub(super) take_max: u32,
    pub(super) bug: Option<Bug>,
}

impl Default for Rules {
    fn default() -> Self {
        Self { workers: 2, tasks: 3, leases: 3, take_max: 2, bug: None }
    }
}

impl Rules {
    pub(super) fn all(self) -> Tasks {
        (1 << self.tasks) - 1
    }
}

/// A mistake that somebody could make, to see that the checker finds it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bug {
    /// A settlement ends its tasks wherever they are now.
    UnfencedSettle,
    /// The worker settles what it has not committed.
    SettleBeforeCommit,
    /// A reaped lease's name is forgotten.
    NoTombstone,
    /// The tasks leave the queue before the batch is registered.
    TakeInTwoSteps,
    /// A reaped batch is kept and never due.
    ReapForgets,
}

/// Where a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Place {
    Leased,
    /// Its deadline has passed; nobody has reaped it yet.
    Expired,
    Delayed,
    /// Nowhere: only a broken reaper leaves it so.
    Forgotten,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Batch {
    pub(super) name: Name,
    pub(super) tasks: Tasks,
    pub(super) place: Place,
    /// Expiries in company, and alone.
    pub(super) suspicion: u8,
    pub(super) alone: u8,
}

impl Batch {
    pub(super) fn is_leased(self) -> bool {
        matches!(self.place, Place::Leased | Place::Expired)
    }
}

/// How a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Tombstone {
    None,
    Settled,
    Released,
    Reaped,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Worker {
    Idle,
    /// Has sent a take.
    Asking(Name),
    /// Works on a batch.
    Holding {
        lease: Name,
        tasks: Tasks,
        is_committed: bool,
    },
    /// Has sent a settlement or a release.
    Ending(Name),
}

/// What the broker keeps.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Broker {
    pub(super) pending: Tasks,
    pub(super) batches: Vec<Batch>,
    pub(super) tombstones: [Tombstone; NAMES],
    pub(super) settled: Tasks,
    pub(super) dead: Tasks,
    /// How often each task's lease expired while it was alone.
    pub(super) expired_alone: [u8; TASKS_MAX],
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct State {
    pub(super) broker: Broker,
    /// Rows in the store. Committing them again changes nothing.
    pub(super) committed: Tasks,
    /// Sorted: workers are alike, and what is theirs never depends on who they are.
    pub(super) workers: Vec<Worker>,
    /// Names given out so far. A take or a renewal under any of them may arrive at any time, again and again.
    pub(super) names: Name,
    /// Settlements that were sent, by lease: the tasks of each; 0 for none. They may arrive at any time.
    pub(super) settlements: [Tasks; NAMES],
    /// Releases that were sent, by lease.
    pub(super) releases: u16,
}

impl State {
    /// All tasks wait.
    pub(super) fn new(rules: Rules) -> Self {
        let broker = Broker {
            pending: rules.all(),
            batches: Vec::new(),
            tombstones: [Tombstone::None; NAMES],
            settled: 0,
            dead: 0,
            expired_alone: [0; TASKS_MAX],
        };
        let workers = vec![Worker::Idle; usize::from(rules.workers)];
        Self { broker, committed: 0, workers, names: 0, settlements: [0; NAMES], releases: 0 }
    }

    pub(super) fn is_release_sent(&self, lease: Name) -> bool {
        self.releases & (1 << lease) != 0
    }

    /// The property that does not hold here.
    pub(super) fn broken(&self, rules: Rules) -> Option<&'static str> {
        let broker = &self.broker;
        let places =
            broker.batches.iter().map(|batch| batch.tasks).chain([broker.pending, broker.settled, broker.dead]);
        let mut seen: Tasks = 0;
        for tasks in places {
            if seen & tasks != 0 {
                return Some("I1 conservation, I3 exclusive lease: a task is in two places");
            }
            seen |= tasks;
        }
        if seen != rules.all() {
            return Some("I1 conservation: a task is nowhere");
        }
        if broker.batches.iter().any(|batch| batch.tasks == 0) {
            return Some("I2 structure: a batch is empty");
        }
        if broker.settled & !self.committed != 0 {
            return Some("commit before ack: a task is settled and not in the store");
        }
        let innocent = |task: usize| broker.dead & (1 << task) != 0 && broker.expired_alone[task] < 3;
        (0..TASKS_MAX).any(innocent).then_some("I9 conviction: convicted without expiring alone three times")
    }

    pub(super) fn are_all_ended(&self, rules: Rules) -> bool {
        self.broker.settled | self.broker.dead == rules.all()
    }
}
