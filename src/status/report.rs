//! The report: what `--json` prints and the text is written from. Fields are added, never changed.

use std::collections::BTreeMap;
use std::time::Duration;

use common::broker::Census;
use common::clock::UnixMicros;
use common::ledger::Ledger;
use common::presence::{ConnectionState, Continuity, ListenerCounts, ListenerState, Part, Presence, WorkerState};
use common::queue::QueueName;
use common::wipe::Wiped;
use serde::Serialize;

use super::balance::Balance;
use super::judgement::{Judgement, Reason, State, judge, link};
use super::look::{Desk, Look, Store};

/// Version of the JSON form.
const SCHEMA: u32 = 1;

/// The whole report.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Report {
    pub(super) schema: u32,
    pub(super) state: State,
    /// RFC 3339.
    pub(super) at: String,
    pub(super) broker: String,
    /// All queues together; `None` while the broker cannot be asked.
    pub(super) ledger: Option<Balance>,
    pub(super) queues: Vec<QueueReport>,
    pub(super) listeners: Vec<ListenerReport>,
    pub(super) connections: Vec<ConnectionReport>,
    pub(super) workers: Vec<WorkerReport>,
    pub(super) store: StoreReport,
    pub(super) reasons: Vec<Reason>,
    pub(super) notes: Vec<String>,
}

/// One queue.
#[derive(Debug, Clone, Serialize)]
pub(super) struct QueueReport {
    pub(super) name: QueueName,
    pub(super) paused: bool,
    pub(super) leases: u64,
    pub(super) oldest_age_ms: Option<u64>,
    /// Between two looks of a watch.
    pub(super) accepted_per_s: Option<u64>,
    /// Between two looks of a watch.
    pub(super) settled_per_s: Option<u64>,
    pub(super) ledger: Balance,
}

/// One listener process.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ListenerReport {
    pub(super) process: Process,
    pub(super) queue: Option<QueueName>,
    pub(super) connections: usize,
    pub(super) buffered: u64,
    pub(super) buffer_max: u64,
    /// `received + recovered = accepted + shed + buffered + spooled`; `None` from an older program.
    pub(super) counts: Option<ListenerCounts>,
    pub(super) wiped: Option<Wiped>,
    pub(super) trouble: Option<String>,
}

/// Who and where a process is.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Process {
    pub(super) instance: String,
    pub(super) host: String,
    pub(super) pid: u32,
    pub(super) version: String,
    pub(super) uptime_s: u64,
    pub(super) beat_age_ms: u64,
    pub(super) memory_bytes: u64,
    pub(super) cpu_us: u64,
}

/// One WebSocket connection.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ConnectionReport {
    pub(super) listener: String,
    pub(super) conn: u32,
    pub(super) feed: String,
    pub(super) state: &'static str,
    pub(super) symbols: u64,
    pub(super) confirmed: u64,
    pub(super) messages: u64,
    /// Between two looks of a watch.
    pub(super) messages_per_s: Option<u64>,
    pub(super) errors: u64,
    pub(super) last_frame_age_ms: Option<u64>,
    pub(super) last_message_age_ms: Option<u64>,
    pub(super) reconnects: u64,
    pub(super) reason: Option<String>,
    pub(super) next_attempt_in_ms: Option<u64>,
    pub(super) refused: BTreeMap<Box<str>, Box<str>>,
    /// What the provider's numbers show.
    pub(super) continuity: Continuity,
}

/// One worker process.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WorkerReport {
    pub(super) process: Process,
    pub(super) queues: Vec<QueueName>,
    pub(super) concurrency: u32,
    pub(super) busy: u32,
    pub(super) tasks: u64,
    pub(super) tasks_per_s: u64,
    pub(super) batch_tasks: u32,
    /// Tasks asked for at once now.
    pub(super) batch_size: u32,
    pub(super) commit_p50_us: u64,
    pub(super) commit_p99_us: u64,
    pub(super) retries: u64,
    pub(super) dead: u64,
    pub(super) leases_lost: u64,
    pub(super) last_take_age_ms: Option<u64>,
    pub(super) wiped: Vec<Wiped>,
    pub(super) trouble: Option<String>,
}

/// The store.
#[derive(Debug, Clone, Serialize)]
pub(super) struct StoreReport {
    pub(super) place: String,
    pub(super) reachable: bool,
    pub(super) kind: Option<&'static str>,
    pub(super) priced: Option<u64>,
    pub(super) newest_age_ms: Option<u64>,
    pub(super) bytes: Option<u64>,
    /// Rows of `tick_gap`.
    pub(super) gaps: Option<u64>,
    /// Why it is not reachable.
    pub(super) trouble: Option<String>,
}

impl Report {
    /// Reports what was seen; rates come from the difference to the `previous` look.
    pub(super) fn of(look: &Look, previous: Option<&Look>) -> Self {
        let judgement = judge(look);
        let state = judgement.state();
        let Judgement { reasons, notes } = judgement;
        let nothing = Desk::default();
        let desk = look.desk.as_ref().unwrap_or(&nothing);
        let before = previous.and_then(|look| look.desk.as_ref().ok().map(|desk| (look.at, desk)));
        let since = Since { now: look.at, before };
        let mut report = Self {
            schema: SCHEMA,
            state,
            at: look.at.to_string(),
            broker: look.broker.clone(),
            ledger: look.desk.as_ref().ok().map(Balance::of),
            queues: desk.queues.iter().map(|(name, census)| since.queue(name, census)).collect(),
            listeners: Vec::new(),
            connections: Vec::new(),
            workers: Vec::new(),
            store: StoreReport::of(&look.store, look.at),
            reasons,
            notes,
        };
        for presence in &desk.presences {
            let process = Process::of(presence, look.at);
            match &presence.part {
                Part::Listener(listener) => {
                    let connections = listener.connections.iter();
                    report.connections.extend(connections.map(|connection| since.connection(presence, connection)));
                    report.listeners.push(ListenerReport::of(process, listener));
                }
                Part::Worker(worker) => report.workers.push(WorkerReport::of(process, worker, look.at)),
            }
        }
        report
    }
}

/// Now, and what was seen before.
struct Since<'d> {
    now: UnixMicros,
    before: Option<(UnixMicros, &'d Desk)>,
}

impl Since<'_> {
    fn queue(&self, name: &QueueName, census: &Census) -> QueueReport {
        let before = self.before.and_then(|(at, desk)| {
            let (_, census) = desk.queues.iter().find(|(known, _)| known == name)?;
            Some((at, &census.ledger))
        });
        let rate = |count: fn(&Ledger) -> u64| {
            before.and_then(|(at, ledger)| per_second(count(&census.ledger), count(ledger), at.age_at(self.now)))
        };
        QueueReport {
            name: name.clone(),
            paused: census.paused,
            leases: census.leases,
            oldest_age_ms: age_ms(census.oldest_at.filter(|_| 0 < census.ledger.waiting), self.now),
            accepted_per_s: rate(|ledger| ledger.accepted),
            settled_per_s: rate(|ledger| ledger.settled),
            ledger: Balance::over(std::iter::once(&census.ledger)),
        }
    }

    fn connection(&self, presence: &Presence, connection: &ConnectionState) -> ConnectionReport {
        let before = self.before.and_then(|(at, desk)| {
            let presence = desk.presences.iter().find(|known| known.instance == presence.instance)?;
            let Part::Listener(listener) = &presence.part else { return None };
            let known = listener.connections.iter().find(|known| known.conn == connection.conn)?;
            Some((at, known.messages))
        });
        let rate = before.and_then(|(at, messages)| per_second(connection.messages, messages, at.age_at(self.now)));
        let next = connection.next_attempt_at.map(|at| millis(self.now.age_at(at)));
        ConnectionReport {
            listener: format!("{}/{}", presence.host, presence.pid),
            conn: connection.conn,
            feed: connection.feed.to_string(),
            state: link(connection.state),
            symbols: connection.symbols,
            confirmed: connection.confirmed,
            messages: connection.messages,
            messages_per_s: rate,
            errors: connection.errors,
            // As of the record: between two beats nothing newer is known.
            last_frame_age_ms: age_ms(connection.last_frame_at, presence.beat_at),
            last_message_age_ms: age_ms(connection.last_message_at, presence.beat_at),
            reconnects: connection.reconnects,
            reason: connection.reason.clone(),
            next_attempt_in_ms: next,
            refused: connection.refused.clone(),
            continuity: connection.continuity,
        }
    }
}

impl ListenerReport {
    fn of(process: Process, listener: &ListenerState) -> Self {
        Self {
            process,
            queue: listener.queue.clone(),
            connections: listener.connections.len(),
            buffered: listener.buffered,
            buffer_max: listener.buffer_max,
            counts: listener.counts,
            wiped: listener.wiped.clone(),
            trouble: listener.trouble.clone(),
        }
    }
}

impl Process {
    fn of(presence: &Presence, now: UnixMicros) -> Self {
        Self {
            instance: presence.instance.to_string(),
            host: presence.host.to_string(),
            pid: presence.pid,
            version: presence.version.to_string(),
            uptime_s: presence.started_at.age_at(now).as_secs(),
            beat_age_ms: millis(presence.beat_at.age_at(now)),
            memory_bytes: presence.memory_bytes,
            cpu_us: presence.cpu_us,
        }
    }
}

impl WorkerReport {
    fn of(process: Process, worker: &WorkerState, now: UnixMicros) -> Self {
        Self {
            process,
            queues: worker.queues.clone(),
            concurrency: worker.concurrency,
            busy: worker.busy,
            tasks: worker.tasks,
            tasks_per_s: worker.tasks_per_s,
            batch_tasks: worker.batch_tasks,
            batch_size: worker.batch_size,
            commit_p50_us: worker.commit_p50_us,
            commit_p99_us: worker.commit_p99_us,
            retries: worker.retries,
            dead: worker.dead,
            leases_lost: worker.leases_lost,
            last_take_age_ms: age_ms(worker.last_take_at, now),
            wiped: worker.wiped.clone(),
            trouble: worker.trouble.clone(),
        }
    }
}

impl StoreReport {
    fn of(store: &Store, now: UnixMicros) -> Self {
        let empty = |place: &str, reachable, trouble| Self {
            place: place.to_owned(),
            reachable,
            kind: None,
            priced: None,
            newest_age_ms: None,
            bytes: None,
            gaps: None,
            trouble,
        };
        match store {
            Store::Fine(census) => Self {
                kind: Some(census.kind),
                priced: Some(census.priced),
                newest_age_ms: age_ms(census.newest_at, now),
                bytes: Some(census.bytes),
                gaps: Some(census.gaps),
                ..empty(&census.place, true, None)
            },
            Store::Away { place, trouble } => empty(place, false, Some(trouble.text.clone())),
            Store::Nothing { place } => empty(place, true, None),
        }
    }
}

fn age_ms(at: Option<UnixMicros>, now: UnixMicros) -> Option<u64> {
    at.map(|at| millis(at.age_at(now)))
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Growth per second; `None` when no time has passed or the count began anew.
fn per_second(now: u64, before: u64, elapsed: Duration) -> Option<u64> {
    let grown = u128::from(now.checked_sub(before)?);
    let rate = (grown * 1_000_000).checked_div(elapsed.as_micros())?;
    u64::try_from(rate).ok()
}
