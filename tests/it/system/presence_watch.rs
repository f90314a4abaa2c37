//! Looks at the presence records of all listeners, again and again, and keeps what they said.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use common::broker::{self, Broker};
use common::clock::{self, UnixMicros};
use common::presence::{ConnectionState, Link, Part, Presence};
use common::shutdown::Shutdown;
use secrecy::SecretString;
use tokio::time::{self, MissedTickBehavior};

use super::rig::Rig;

/// Between two looks; listeners write a record every second.
const LOOK: Duration = Duration::from_millis(100);

/// A process that thaws does not know at once that it slept. It must within this, in microseconds.
const WAKING_US: i64 = 1_000_000;

/// Serving connections by the record that names them, in the order of the records.
type Records = BTreeMap<UnixMicros, BTreeSet<u32>>;

#[derive(Default)]
struct Seen {
    /// By process.
    records: BTreeMap<u32, Records>,
    /// Symbols that the newest record says are confirmed, by process.
    confirmed: BTreeMap<u32, u64>,
    frozen: BTreeMap<u32, (UnixMicros, Option<UnixMicros>)>,
}

impl Seen {
    /// Records are a second apart, so one alone proves nothing: a listener may have let go right after it. But when it says
    /// the same before and after another one's record, both served the connection at the time of that record.
    fn served_twice(&self) -> Vec<String> {
        let awake: Vec<(u32, Records)> = self.records.keys().map(|process| (*process, self.awake(*process))).collect();
        let mut twice = Vec::new();
        for (process, records) in &awake {
            let pairs = records.iter().zip(records.iter().skip(1));
            for ((from, before), (until, after)) in pairs.filter(|(one, next)| !self.slept(*process, *one.0, *next.0)) {
                let throughout: BTreeSet<u32> = before.intersection(after).copied().collect();
                let others = awake.iter().filter(|(other, _)| other != process);
                let at_that_time = others.flat_map(|(other, records)| {
                    records.range(*from..=*until).map(move |(at, serving)| (other, at, serving))
                });
                for (other, at, serving) in at_that_time.filter(|(_, _, serving)| !throughout.is_disjoint(serving)) {
                    let both = throughout.intersection(serving);
                    twice.extend(both.map(|conn| format!("{conn} by {process} and {other} at {at:?}")));
                }
            }
        }
        twice
    }

    /// What a process said while it ran, and knew it.
    fn awake(&self, process: u32) -> Records {
        let mut records = self.records.get(&process).cloned().unwrap_or_default();
        if let Some((frozen, thawed)) = self.frozen.get(&process) {
            let until = thawed.map_or(i64::MAX, |thawed| thawed.0.saturating_add(WAKING_US));
            records.retain(|at, _| *at < *frozen || until < at.0);
        }
        records
    }

    /// Whether a process was frozen between these moments.
    fn slept(&self, process: u32, from: UnixMicros, until: UnixMicros) -> bool {
        self.frozen.get(&process).is_some_and(|(frozen, _)| from < *frozen && *frozen < until)
    }
}

/// Looks until it is dropped.
pub(super) struct PresenceWatch {
    seen: Arc<Mutex<Seen>>,
    shutdown: Shutdown,
}

impl PresenceWatch {
    pub(super) async fn start(rig: &Rig) -> Self {
        let broker = broker::connect(&SecretString::from(rig.broker_url.as_str())).await.expect("the broker is there");
        let (seen, shutdown) = (Arc::<Mutex<Seen>>::default(), Shutdown::new());
        shutdown.spawn("presence watch", look(broker, Arc::clone(&seen), shutdown.clone()));
        Self { seen, shutdown }
    }

    /// From now on a process does not run.
    pub(super) fn freeze(&self, process: u32) {
        self.lock().frozen.insert(process, (clock::now(), None));
    }

    /// It runs again.
    pub(super) fn thaw(&self, process: u32) {
        if let Some((_, until)) = self.lock().frozen.get_mut(&process) {
            *until = Some(clock::now());
        }
    }

    /// Symbols that this process's provider has confirmed, by its newest record.
    pub(super) fn confirmed(&self, process: u32) -> u64 {
        self.lock().confirmed.get(&process).copied().unwrap_or(0)
    }

    /// Connections that two running listeners served at one time, in words, and the number of records seen.
    pub(super) fn verdict(&self) -> (Vec<String>, usize) {
        let seen = self.lock();
        (seen.served_twice(), seen.records.values().map(BTreeMap::len).sum())
    }

    fn lock(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().expect("nobody panics while holding it")
    }
}

impl Drop for PresenceWatch {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

async fn look(broker: Arc<dyn Broker>, seen: Arc<Mutex<Seen>>, shutdown: Shutdown) {
    let mut looks = time::interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = shutdown.begun() => break,
            _ = looks.tick() => {}
        }
        let presences = broker.presences().await.expect("the broker answers");
        let mut seen = seen.lock().expect("nobody panics while holding it");
        for presence in &presences {
            note(&mut seen, presence);
        }
    }
}

fn note(seen: &mut Seen, presence: &Presence) {
    let Part::Listener(state) = &presence.part else { return };
    let is_serving = |connection: &&ConnectionState| connection.state == Link::Live && 0 < connection.confirmed;
    let serving = state.connections.iter().filter(is_serving).map(|connection| connection.conn).collect();
    seen.records.entry(presence.pid).or_default().insert(presence.beat_at, serving);
    let confirmed = state.connections.iter().map(|connection| connection.confirmed).sum();
    seen.confirmed.insert(presence.pid, confirmed);
}

#[test]
fn only_what_was_served_by_two_at_one_time_is_told() {
    let records = |lines: &[(i64, &[u32])]| -> Records {
        lines.iter().map(|(at, conns)| (UnixMicros(*at), conns.iter().copied().collect())).collect()
    };
    let of = |first: &[(i64, &[u32])], second: &[(i64, &[u32])]| Seen {
        records: [(1, records(first)), (2, records(second))].into(),
        ..Seen::default()
    };
    let handed_over = of(&[(10, &[1, 2]), (20, &[1]), (30, &[1])], &[(12, &[]), (15, &[2]), (25, &[2])]);
    assert_eq!(handed_over.served_twice(), Vec::<String>::new());
    let mut both = of(&[(10, &[1, 2]), (20, &[1, 2])], &[(15, &[2, 3])]);
    assert_eq!(both.served_twice(), ["2 by 1 and 2 at UnixMicros(15)"]);
    both.frozen.insert(1, (UnixMicros(11), Some(UnixMicros(19))));
    assert_eq!(both.served_twice(), Vec::<String>::new());
}
