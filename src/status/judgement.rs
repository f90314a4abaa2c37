//! What is wrong, if anything. Pure: a look in, a verdict out.
//!
//! Loss outweighs unreachable, which outweighs degraded. Every state but healthy has its reasons.

use std::collections::BTreeMap;
use std::time::Duration;

use common::broker::Census;
use common::clock::UnixMicros;
use common::presence::{ConnectionState, Link, ListenerState, Part, Presence, WorkerState};
use common::queue::QueueName;
use common::wipe::Wiped;
use serde::Serialize;

use super::look::{Desk, Look, Store};
use crate::amount::{age, count, counted};
use crate::exit::Exit;

/// A task that waits longer than this is late.
pub(super) const OLDEST_AGE_MAX: Duration = Duration::from_secs(30);

/// A worker that has not asked for work for this long, while there is some, is stuck.
const LAST_TAKE_AGE_MAX: Duration = Duration::from_secs(30);

/// How the whole is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Nothing needs attention.
    Healthy,
    /// Something needs attention; no data was lost.
    Degraded,
    /// The queue cannot be seen.
    Unreachable,
    /// The balance shows a loss.
    Loss,
}

impl State {
    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Healthy => Exit::Ok,
            Self::Degraded => Exit::Degraded,
            Self::Unreachable => Exit::Unreachable,
            Self::Loss => Exit::Loss,
        }
    }
}

/// One thing that needs attention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Reason {
    /// What it makes of the whole.
    pub(super) state: State,
    /// Names the kind of reason; never changes its meaning.
    pub(super) code: &'static str,
    /// In words.
    pub(super) text: String,
    /// What helps.
    pub(super) fix: Option<String>,
}

/// The verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Judgement {
    /// What needs attention, gravest first.
    pub(super) reasons: Vec<Reason>,
    /// What is only good to know.
    pub(super) notes: Vec<String>,
}

impl Judgement {
    /// The gravest reason's state.
    pub(super) fn state(&self) -> State {
        self.reasons.iter().map(|reason| reason.state).max().unwrap_or(State::Healthy)
    }

    fn add(&mut self, state: State, code: &'static str, text: String) {
        self.reasons.push(Reason { state, code, text, fix: None });
    }

    fn add_with(&mut self, state: State, code: &'static str, text: String, fix: impl Into<String>) {
        self.reasons.push(Reason { state, code, text, fix: Some(fix.into()) });
    }
}

/// Judges what was seen.
pub(super) fn judge(look: &Look) -> Judgement {
    let mut judgement = Judgement::default();
    match &look.desk {
        Ok(desk) => judge_desk(desk, look.at, &mut judgement),
        Err(trouble) => judgement.reasons.push(Reason {
            state: State::Unreachable,
            code: "broker_unreachable",
            text: trouble.text.clone(),
            fix: trouble.fix.clone(),
        }),
    }
    if let Store::Away { trouble, .. } = &look.store {
        let (text, fix) = (trouble.text.clone(), trouble.fix.clone());
        judgement.reasons.push(Reason { state: State::Degraded, code: "store_away", text, fix });
    }
    judgement.reasons.sort_by_key(|reason| std::cmp::Reverse(reason.state)); // stable: the order of finding otherwise
    judgement
}

fn judge_desk(desk: &Desk, now: UnixMicros, judgement: &mut Judgement) {
    for (queue, census) in &desk.queues {
        judge_balance(queue, census, judgement);
        judge_flow(queue, census, desk, now, judgement);
    }
    for presence in &desk.presences {
        match &presence.part {
            Part::Listener(listener) => judge_listener(presence, listener, now, judgement),
            Part::Worker(worker) => judge_worker(presence, worker, desk, now, judgement),
        }
    }
    judge_wipes(desk, judgement);
    if desk.presences.is_empty() {
        judgement.notes.push("nothing running".to_owned());
    }
}

fn judge_balance(queue: &QueueName, census: &Census, judgement: &mut Judgement) {
    let ledger = &census.ledger;
    if 0 < ledger.lost() {
        let text = format!("{queue}: {} accepted and nowhere now", counted(ledger.lost(), "task"));
        judgement.add_with(State::Loss, "lost", text, "keep the queue's data as it is and report this");
    }
    if !ledger.ticks_balance() {
        let (settled, ended) = ledger.ticks_sides();
        let text = format!("{queue}: {} settled, but {} ended", counted(settled, "tick"), count(ended));
        judgement.add_with(State::Loss, "ticks_unbalanced", text, "keep the queue's data as it is and report this");
    }
    if 0 < ledger.uncounted() {
        let text = format!("{queue}: {} put there past tidemill", counted(ledger.uncounted(), "task"));
        judgement.notes.push(text);
    }
    for (kind, &written_off) in ledger.written_off.iter().filter(|(_, written_off)| 0 < **written_off) {
        judgement.notes.push(format!("{queue}: {} {kind} written off by tidemill fsck", count(written_off)));
    }
    if 0 < ledger.dead {
        let text = format!("{queue}: {}", counted(ledger.dead, "dead letter"));
        judgement.add_with(State::Degraded, "dead_letters", text, "tidemill dead ls");
    }
}

fn judge_flow(queue: &QueueName, census: &Census, desk: &Desk, now: UnixMicros, judgement: &mut Judgement) {
    let waiting = census.ledger.waiting;
    if census.paused {
        judgement.notes.push(format!("{queue} is paused; tidemill queue resume --queue {queue} lets it go on"));
    } else if 0 < waiting && workers_of(queue, desk).next().is_none() {
        let text = format!("{queue}: {} waiting and no worker is running", counted(waiting, "task"));
        judgement.add_with(State::Degraded, "no_worker", text, "tidemill worker");
    }
    let oldest = census.oldest_at.filter(|_| 0 < waiting).map(|at| at.age_at(now));
    if let Some(oldest) = oldest.filter(|oldest| OLDEST_AGE_MAX < *oldest) {
        let text = format!("{queue}: the oldest task has been waiting for {}", age(oldest));
        let fix = if census.paused { format!("tidemill queue resume --queue {queue}") } else { "add workers".into() };
        judgement.add_with(State::Degraded, "old_tasks", text, fix);
    }
}

fn workers_of<'d>(queue: &'d QueueName, desk: &'d Desk) -> impl Iterator<Item = &'d WorkerState> {
    desk.presences.iter().filter_map(move |presence| match &presence.part {
        Part::Worker(worker) if worker.queues.contains(queue) => Some(worker),
        Part::Worker(_) | Part::Listener(_) => None,
    })
}

fn judge_listener(presence: &Presence, listener: &ListenerState, now: UnixMicros, judgement: &mut Judgement) {
    let name = format!("listener {}/{}", presence.host, presence.pid);
    judge_logins(listener, judgement);
    let is_down = |connection: &&ConnectionState| !matches!(connection.state, Link::Live | Link::NeedsLogin);
    for connection in listener.connections.iter().filter(is_down) {
        judgement.add(State::Degraded, "connection_not_live", down(connection, now));
    }
    for connection in &listener.connections {
        for (symbol, why) in &connection.refused {
            let text = format!("connection {}: the provider refuses {symbol}: {why}", connection.conn);
            judgement.add(State::Degraded, "symbol_refused", text);
        }
    }
    let of_all = |number: fn(&ConnectionState) -> u64| listener.connections.iter().map(number).sum::<u64>();
    let gaps = of_all(|connection| connection.continuity.gaps);
    if 0 < gaps {
        // Counted since the listener started: it tells of the past, so it is no state.
        let (gaps, missing) = (counted(gaps, "gap"), of_all(|connection| connection.continuity.missing));
        judgement
            .notes
            .push(format!("{name}: {gaps}, {} missing; tidemill gaps lists them", counted(missing, "message")));
    }
    let spooled = listener.counts.map_or(0, |counts| counts.spooled);
    if 0 < spooled {
        judgement.notes.push(format!("{name}: {} in its spool, on the way to the queue", counted(spooled, "message")));
    }
    if let Some(trouble) = &listener.trouble {
        judgement.add(State::Degraded, "listener_trouble", format!("{name}: {trouble}"));
    }
}

/// A ledger that balances from nothing says nothing of what was there before. Several processes tell of one event; the
/// one that knows most of it counts.
fn judge_wipes(desk: &Desk, judgement: &mut Judgement) {
    let mut worst: BTreeMap<&QueueName, &Wiped> = BTreeMap::new();
    let told = desk.presences.iter().flat_map(|presence| match &presence.part {
        Part::Listener(listener) => listener.wiped.iter().collect::<Vec<_>>(),
        Part::Worker(worker) => worker.wiped.iter().collect(),
    });
    for wiped in told {
        let known = worst.entry(&wiped.queue).or_insert(wiped);
        if known.lost_max < wiped.lost_max {
            *known = wiped;
        }
    }
    for (queue, Wiped { at, lost_max, known_accepted, known_settled, .. }) in worst {
        let (state, lost) = match lost_max {
            0 => (State::Degraded, "nothing was waiting".to_owned()),
            _ => (State::Loss, format!("up to {} lost", counted(*lost_max, "accepted task"))),
        };
        let of = format!("{} accepted, {} settled before", count(*known_accepted), count(*known_settled));
        let text = format!("{queue} was emptied or went back to an older state, seen at {at}: {lost} ({of})");
        let fix =
            "switch on Redis' append-only file; this is shown until the listeners and workers that saw it restart";
        judgement.add_with(state, "broker_wiped", text, fix);
    }
}

/// One token serves all connections of a feed, so they are one thing to do.
fn judge_logins(listener: &ListenerState, judgement: &mut Judgement) {
    let mut feeds: BTreeMap<&str, (u64, Option<&str>)> = BTreeMap::new();
    for connection in listener.connections.iter().filter(|connection| connection.state == Link::NeedsLogin) {
        let (connections, reason) = feeds.entry(&connection.feed).or_default();
        *connections += 1;
        *reason = reason.or(connection.reason.as_deref());
    }
    for (feed, (connections, reason)) in feeds {
        let waiting = if connections == 1 { "waits" } else { "wait" };
        let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
        let text =
            format!("{feed} needs a login, {} {waiting} for a token{reason}", counted(connections, "connection"));
        judgement.add_with(State::Degraded, "needs_login", text, format!("tidemill token set {feed}"));
    }
}

fn down(connection: &ConnectionState, now: UnixMicros) -> String {
    let state = link(connection.state);
    let reason = connection.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let next = connection.next_attempt_at.map(|at| now.age_at(at)).filter(|wait| !wait.is_zero());
    let next = next.map(|wait| format!(", next try in {}", age(wait))).unwrap_or_default();
    format!("connection {} to {} is {state}{reason}{next}", connection.conn, connection.feed)
}

/// A connection's state in a word.
pub(crate) fn link(link: Link) -> &'static str {
    match link {
        Link::Connecting => "connecting",
        Link::Subscribing => "subscribing",
        Link::Live => "live",
        Link::Reconnecting => "reconnecting",
        Link::NeedsLogin => "needs_login",
        Link::Stopped => "stopped",
        Link::Unknown => "unknown",
    }
}

fn judge_worker(presence: &Presence, worker: &WorkerState, desk: &Desk, now: UnixMicros, judgement: &mut Judgement) {
    let name = format!("worker {}/{}", presence.host, presence.pid);
    if let Some(trouble) = &worker.trouble {
        return judgement.add(State::Degraded, "worker_trouble", format!("{name}: {trouble}"));
    }
    // A worker that beats and does nothing is the failure that a beat alone cannot show.
    let is_due = |(queue, census): &(QueueName, Census)| {
        worker.queues.contains(queue) && 0 < census.ledger.waiting && !census.paused
    };
    let last = worker.last_take_at.unwrap_or(presence.started_at).age_at(now);
    if LAST_TAKE_AGE_MAX < last && desk.queues.iter().any(is_due) {
        let text = format!("{name} has not asked for work for {}", age(last));
        judgement.add(State::Degraded, "worker_stuck", text);
    }
}
