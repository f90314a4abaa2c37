//! The shards that this process runs: starts those that it owns, stops those that it no longer does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use common::broker::shards::HoldShards;
use common::clock::{self, UnixMicros};
use common::feed::Topic;
use common::market::Catalog;
use common::panics::{AfterPanic, Panics};
use common::presence::Link;
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::board::{Board, Cell};
use crate::lease_keeper::LeaseKeeper;
use crate::options::ListenerOptions;
use crate::rivals;
use crate::shard::{Context, Shard};
use crate::shards::{Plan, Rules, symbols_in};

/// Refused symbols that are shown by name in the status, where each beat carries them.
const REFUSED_SHOWN_MAX: usize = 1_000;

/// The running shards of a process.
#[derive(Debug)]
pub(crate) struct Fleet {
    context: Arc<Context>,
    board: Arc<Board>,
    plan: Plan,
    members: BTreeMap<u32, Member>,
    tasks: FuturesUnordered<Ending>,
    /// When the next connection may be opened.
    next_start: Instant,
    /// Shares the shards with other listeners; `None` where they are all ours.
    keeper: Option<LeaseKeeper>,
    /// What the plan was made with, and in which hour.
    catalog: Arc<Catalog>,
    planned_in: i64,
    /// Symbols of the settings, as they are by now.
    symbols: Option<watch::Receiver<Vec<String>>>,
    panics: Panics,
}

/// A running shard.
#[derive(Debug)]
struct Member {
    topics: watch::Sender<Arc<[Topic]>>,
    stop: CancellationToken,
}

/// Waits for a shard's task.
#[derive(Debug)]
struct Ending {
    conn: u32,
    task: JoinHandle<()>,
}

impl Future for Ending {
    type Output = (u32, Result<(), JoinError>);

    fn poll(mut self: std::pin::Pin<&mut Self>, context: &mut std::task::Context<'_>) -> std::task::Poll<Self::Output> {
        let conn = self.conn;
        std::pin::Pin::new(&mut self.task).poll(context).map(|ended| (conn, ended))
    }
}

impl Fleet {
    /// Shares its shards with others of the group, where there is a keeper.
    pub(crate) fn new(context: Arc<Context>, board: Arc<Board>, plan: Plan, keeper: Option<LeaseKeeper>) -> Self {
        let (members, tasks) = Default::default();
        let catalog = context.options.catalog.current();
        let (next_start, planned_in) = (clock::monotonic(), hour_of(clock::now()));
        let symbols = context.options.symbols_latest.clone();
        Self {
            context,
            board,
            plan,
            members,
            tasks,
            next_start,
            keeper,
            catalog,
            planned_in,
            symbols,
            panics: Panics::default(),
        }
    }

    /// Runs until the shutdown begins, and ends when every shard has.
    pub(crate) async fn run(mut self) {
        if self.keeper.is_none() {
            self.own(&(1..).take(self.plan.shards.len()).collect());
        }
        let context = Arc::clone(&self.context);
        let mut due = time::interval(HoldShards::INTERVAL);
        due.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = context.shutdown.begun() => break,
                Some(ended) = self.tasks.next() => self.mourn(ended),
                () = context.fence.wanted() => self.look_after().await,
                _ = due.tick() => self.look_after().await,
            }
        }
        self.own(&BTreeSet::new());
        while let Some(ended) = self.tasks.next().await {
            self.mourn(ended);
        }
        if let Some(keeper) = &self.keeper {
            keeper.release().await;
        }
    }

    /// Asks which shards are ours and runs those.
    async fn look_after(&mut self) {
        if !self.context.fence.beat(clock::monotonic()) {
            warn!("this process slept for longer than a lease: its connections are closed, others may carry them");
            self.own(&BTreeSet::new());
        }
        let (shards, context) = (self.plan.shards.len(), Arc::clone(&self.context));
        let Some(keeper) = &mut self.keeper else { return };
        let turned = keeper.ask(shards, &context.fence, &self.board).await;
        // Somebody else may have had these meanwhile: even where they are ours again, their sessions are not.
        self.stop(&turned.lost.iter().map(|shard| shard + 1).collect());
        let rebased = self.rebase().await;
        if turned.wishes_changed || rebased || self.is_outdated() {
            self.replan();
        }
        let Some(keeper) = &self.keeper else { return };
        let held = keeper.held().filter(|_| !keeper.roster().is_paused()).map(|shard| shard + 1).collect();
        self.own(&held);
        self.context.fence.beat(clock::monotonic());
    }

    /// Takes over the symbols of settings that were read again.
    async fn rebase(&mut self) -> bool {
        let (Some(latest), Some(keeper)) = (&mut self.symbols, &mut self.keeper) else { return false };
        if !latest.has_changed().unwrap_or(false) {
            return false;
        }
        let symbols = latest.borrow().clone();
        if symbols.is_empty() || !keeper.rebase(&symbols).await {
            return false;
        }
        latest.mark_unchanged();
        let options = ListenerOptions { symbols, ..self.context.options.clone() };
        self.board.set_plan(rivals::digest(&options));
        true
    }

    /// Whether the plan was made with another catalog, or in another hour: contracts roll at midnight somewhere.
    fn is_outdated(&self) -> bool {
        let is_same_catalog = Arc::ptr_eq(&self.catalog, &self.context.options.catalog.current());
        !is_same_catalog || self.planned_in != hour_of(clock::now())
    }

    fn replan(&mut self) {
        let Some(keeper) = &self.keeper else { return };
        let options = &self.context.options;
        let (channels, now) = (options.channels(), clock::now());
        (self.catalog, self.planned_in) = (options.catalog.current(), hour_of(now));
        let rules =
            Rules { feed: options.feed, channels: &channels, limits: options.shards, catalog: &self.catalog, now };
        match Plan::of(&keeper.roster().places(), rules) {
            Ok(plan) if plan == self.plan => {}
            Ok(plan) => {
                info!(connections = plan.shards.len(), refused = plan.refused.len(), "the wanted symbols changed");
                self.plan = plan;
            }
            Err(error) => error!("the wanted symbols cannot be planned, the earlier ones stay: {error}"),
        }
    }

    fn stop(&mut self, conns: &BTreeSet<u32>) {
        self.members.retain(|conn, member| {
            let stays = !conns.contains(conn);
            if !stays {
                member.stop.cancel();
            }
            stays
        });
    }

    /// Runs these shards, and no others. They are named by connection, from 1.
    fn own(&mut self, conns: &BTreeSet<u32>) {
        self.stop(&self.members.keys().filter(|conn| !conns.contains(conn)).copied().collect());
        let topics: Vec<(u32, Arc<[Topic]>)> =
            (1..).zip(self.plan.shards.iter().map(|topics| topics.as_slice().into())).collect();
        for (conn, topics) in topics.into_iter().filter(|(conn, _)| conns.contains(conn)) {
            match self.members.get(&conn) {
                Some(member) => drop(member.topics.send_if_modified(|now| {
                    let differs = *now != topics;
                    *now = topics;
                    differs
                })),
                None => self.start(conn, topics),
            }
        }
        // No connection carries them; the holder of the first one shows them.
        self.board.set_refused(if conns.contains(&1) { shown(&self.plan.refused) } else { BTreeMap::new() });
    }

    fn start(&mut self, conn: u32, topics: Arc<[Topic]>) {
        let cell = Arc::new(Cell::new(conn, self.context.options.feed.name(), symbols_in(&topics)));
        self.board.show(Arc::clone(&cell));
        let (topics, wanted) = watch::channel(topics);
        let stop = CancellationToken::new();
        let now = clock::monotonic();
        let start = self.next_start.max(now);
        self.next_start = start + self.context.options.shards.connection_delay;
        let shard = Shard {
            context: Arc::clone(&self.context),
            conn,
            topics: wanted,
            cell,
            first_delay: start.saturating_duration_since(now),
            stop: stop.clone(),
            watch: Mutex::default(),
            token: Mutex::default(),
        };
        let task = self.context.shutdown.spawn("shard", shard.run());
        self.tasks.push(Ending { conn, task });
        self.members.insert(conn, Member { topics, stop });
    }

    fn mourn(&mut self, (conn, ended): (u32, Result<(), JoinError>)) {
        match ended {
            // Stopped by us; it may have been started anew meanwhile.
            Ok(()) if !self.members.contains_key(&conn) => self.board.hide(conn),
            Ok(()) => {}
            Err(error) => self.revive(conn, &error),
        }
    }
}

impl Fleet {
    /// A shard panicked: it is started again, unless shards panic again and again.
    fn revive(&mut self, conn: u32, error: &JoinError) {
        error!(conn, "connection {conn} broke down by a bug: {error}");
        self.board.update(conn, |state| {
            state.state = Link::Stopped;
            state.reason = Some("broke down by a bug; see the log".into());
        });
        let Some(member) = self.members.remove(&conn) else { return }; // it was to stop anyway
        match self.panics.happened(clock::monotonic()) {
            AfterPanic::GoOn => self.start(conn, Arc::clone(&member.topics.borrow())),
            AfterPanic::GiveUp => {
                error!("connections broke down {} times, giving up", self.panics.total());
                self.board.give_up(self.panics.total());
                self.context.shutdown.begin();
            }
        }
    }
}

fn hour_of(at: UnixMicros) -> i64 {
    at.0.div_euclid(3_600_000_000)
}

fn shown(refused: &BTreeMap<Box<str>, Box<str>>) -> BTreeMap<Box<str>, Box<str>> {
    let more = refused.len().saturating_sub(REFUSED_SHOWN_MAX);
    let mut shown: BTreeMap<_, _> =
        refused.iter().take(REFUSED_SHOWN_MAX).map(|(s, r)| (s.clone(), r.clone())).collect();
    if 0 < more {
        shown.insert(format!("and {more} more").into(), "see the log of the listener's start".into());
    }
    shown
}
