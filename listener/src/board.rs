//! What the parts of a listener show of themselves; the beat reads it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use common::presence::{ConnectionState, Continuity, Link};

/// Damaged spools that are told of at a time; the log has all.
const DAMAGE_SHOWN_MAX: usize = 3;

/// The state of one connection, written by its shard.
#[derive(Debug)]
pub(crate) struct Cell(Mutex<ConnectionState>);

impl Cell {
    pub(crate) fn new(conn: u32, feed: &str, symbols: usize) -> Self {
        Self(Mutex::new(ConnectionState {
            conn,
            feed: feed.into(),
            state: Link::Connecting,
            symbols: symbols as u64,
            confirmed: 0,
            messages: 0,
            errors: 0,
            last_frame_at: None,
            last_message_at: None,
            attempts: 0,
            reconnects: 0,
            reason: None,
            next_attempt_at: None,
            refused: BTreeMap::new(),
            continuity: Continuity::default(),
            is_market_open: None,
        }))
    }

    pub(crate) fn update(&self, change: impl FnOnce(&mut ConnectionState)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    pub(crate) fn read(&self) -> ConnectionState {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// All that is shown.
#[derive(Debug, Default)]
pub(crate) struct Board {
    // Held for a few moves in memory, never across an await.
    cells: Mutex<BTreeMap<u32, Arc<Cell>>>,
    /// Symbols that no connection carries, with the reason.
    refused: Mutex<BTreeMap<Box<str>, Box<str>>>,
    troubles: Mutex<Troubles>,
    beaten_at: Mutex<Option<Instant>>,
    plan: Mutex<Option<Box<str>>>,
    /// Panics of shards, once they were too many.
    given_up: Mutex<Option<u64>>,
}

/// What the broker does not do for us at present, in words.
#[derive(Debug, Clone, Default)]
struct Troubles {
    enqueue: Option<String>,
    epoch: Option<String>,
    share: Option<String>,
    spool: Option<String>,
    spool_damage: Vec<String>,
}

impl Board {
    /// Shows a connection, instead of an earlier one of its number.
    pub(crate) fn show(&self, cell: Arc<Cell>) {
        let conn = cell.read().conn;
        self.cells().insert(conn, cell);
    }

    /// Shows a connection no longer.
    pub(crate) fn hide(&self, conn: u32) {
        self.cells().remove(&conn);
    }

    pub(crate) fn update(&self, conn: u32, change: impl FnOnce(&mut ConnectionState)) {
        if let Some(cell) = self.cells().get(&conn) {
            cell.update(change);
        }
    }

    /// Symbols that no connection carries, with the reason; shown at the first connection.
    pub(crate) fn set_refused(&self, refused: BTreeMap<Box<str>, Box<str>>) {
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = refused;
    }

    /// Why the broker takes no tasks; `None` while it does.
    pub(crate) fn set_enqueue_trouble(&self, trouble: Option<String>) {
        self.troubles().enqueue = trouble;
    }

    /// Why the broker gives no epoch; `None` while it does.
    pub(crate) fn set_epoch_trouble(&self, trouble: Option<String>) {
        self.troubles().epoch = trouble;
    }

    /// Why our shards are not shared as they should be, or that they are paused; `None` while all is well.
    pub(crate) fn set_share_trouble(&self, trouble: Option<String>) {
        self.troubles().share = trouble;
    }

    /// Shards panicked so often that the listener ends.
    pub(crate) fn give_up(&self, panics: u64) {
        *self.given_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(panics);
    }

    /// After how many panics the listener ends; `None` while it does not.
    pub(crate) fn given_up(&self) -> Option<u64> {
        *self.given_up.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Stands for the settings as they were read again.
    pub(crate) fn set_plan(&self, plan: Box<str>) {
        *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = Some(plan);
    }

    /// The settings as they were read again; `None` while they are those of the start.
    pub(crate) fn plan(&self) -> Option<Box<str>> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The broker answered a beat at `now`.
    pub(crate) fn beaten(&self, now: Instant) {
        *self.beaten_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    /// When the broker answered a beat last.
    pub(crate) fn beaten_at(&self) -> Option<Instant> {
        *self.beaten_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What people should know of the broker.
    /// Why the spool takes no messages; `None` while it does.
    pub(crate) fn set_spool_trouble(&self, trouble: Option<String>) {
        self.troubles().spool = trouble;
    }

    /// A spool was set aside: stays to be seen as long as this process lives.
    pub(crate) fn add_spool_damage(&self, damage: String) {
        let mut troubles = self.troubles();
        if troubles.spool_damage.len() < DAMAGE_SHOWN_MAX {
            troubles.spool_damage.push(damage);
        }
    }

    /// What people should know of the broker and the spool.
    pub(crate) fn trouble(&self) -> Option<String> {
        let Troubles { enqueue, epoch, share, spool, spool_damage } = self.troubles().clone();
        let epoch = epoch.map(|problem| format!("connections wait for an epoch: {problem}"));
        let all: Vec<String> = enqueue.or(epoch).or(share).into_iter().chain(spool).chain(spool_damage).collect();
        (!all.is_empty()).then(|| all.join("; "))
    }

    pub(crate) fn connections(&self) -> Vec<ConnectionState> {
        let mut connections: Vec<_> = self.cells().values().map(|cell| cell.read()).collect();
        if let Some(first) = connections.first_mut() {
            let refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
            first.refused.extend(refused.iter().map(|(symbol, reason)| (symbol.clone(), reason.clone())));
        }
        connections
    }

    fn cells(&self) -> MutexGuard<'_, BTreeMap<u32, Arc<Cell>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
