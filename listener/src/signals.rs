//! What a session and its shard tell each other while the session runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// Shared by a session and the relay that runs it.
#[derive(Debug, Default)]
pub(crate) struct Signals {
    // Held for a move in memory, never across an await.
    wish: Mutex<Option<Wish>>,
    wished: Notify,
    ready: Notify,
    retire: CancellationToken,
    leads: AtomicBool,
    lead: Notify,
}

/// Why a session wants a successor. It goes on until it is retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wish {
    /// The provider announced that it will cut the connection.
    Announced(String),
    /// The provider cuts connections of this age.
    Aged,
    /// The wanted symbols changed, and only a new connection can follow.
    Changed,
}

impl Signals {
    // === the session's side ===

    /// Asks for a successor. The first wish stands.
    pub(crate) fn wish(&self, wish: Wish) {
        self.wish.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(wish);
        self.wished.notify_one();
    }

    /// Every stream has its answer, or never will.
    pub(crate) fn set_ready(&self) {
        self.ready.notify_one();
    }

    /// Completes when the session is to end.
    pub(crate) async fn retired(&self) {
        self.retire.cancelled().await;
    }

    /// Whether this session is the one that people see; a successor is not, until its predecessor ends.
    pub(crate) fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    /// Completes when the session becomes the one that people see.
    pub(crate) async fn lead(&self) {
        self.lead.notified().await;
    }

    // === the relay's side ===

    /// Completes when the session asks for a successor.
    pub(crate) async fn wished(&self) -> Wish {
        loop {
            if let Some(wish) = self.wish.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return wish;
            }
            self.wished.notified().await;
        }
    }

    pub(crate) async fn ready(&self) {
        self.ready.notified().await;
    }

    pub(crate) fn retire(&self) {
        self.retire.cancel();
    }

    pub(crate) fn take_the_lead(&self) {
        self.leads.store(true, Ordering::Relaxed);
        self.lead.notify_one();
    }
}
