//! What waits for one connection's socket: filled by the publisher, emptied by the connection.
//!
//! There is no timer and no batch size: the connection takes whatever has gathered while its last write was under way.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::stats::Counts;

/// An outbox with more than this is full: the publisher waits. One batch may come on top.
pub(super) const OUTBOX_BYTES_MAX: usize = 256 << 10;

/// Finished frames, and how many market messages of which kind are among them.
#[derive(Debug, Default)]
pub(super) struct Frames {
    pub(super) bytes: Vec<u8>,
    pub(super) counts: Counts,
}

impl Frames {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.counts = Counts::default();
    }

    /// Appends `other`, and empties it.
    fn append(&mut self, other: &mut Self) {
        if self.bytes.is_empty() {
            std::mem::swap(&mut self.bytes, &mut other.bytes);
        } else {
            self.bytes.extend_from_slice(&other.bytes);
        }
        self.counts.add(&other.counts);
        other.clear();
    }
}

/// How a connection is ended by the exchange, after everything before it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Ending {
    pub(super) code: u16,
    pub(super) reason: String,
}

#[derive(Debug, Default)]
struct State {
    frames: Frames,
    ending: Option<Ending>,
    muted: bool,
}

/// Shared by the publisher and one connection.
#[derive(Debug)]
pub(super) struct Outbox {
    /// A std mutex: never held across an await.
    state: Mutex<State>,
    /// Tells the connection.
    changed: Notify,
    /// Tells the publisher, which has one for all connections.
    room: Arc<Notify>,
    /// Ends the connection at once, in the middle of a write if need be.
    cut: CancellationToken,
}

/// What a connection finds.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// Frames to write, perhaps none.
    Frames,
    /// Nothing more, ever: close.
    Ending(Ending),
    /// Send nothing, be silent.
    Muted,
}

impl Outbox {
    pub(super) fn new(room: Arc<Notify>) -> Self {
        Self { state: Mutex::default(), changed: Notify::new(), room, cut: CancellationToken::new() }
    }

    // === the publisher's side ===

    /// Hands over what was prepared, and empties it. Returns whether the outbox is full now.
    pub(super) fn put(&self, frames: &mut Frames) -> bool {
        let mut state = self.lock();
        state.frames.append(frames);
        let is_full = OUTBOX_BYTES_MAX < state.frames.bytes.len();
        drop(state);
        self.changed.notify_one();
        is_full
    }

    pub(super) fn is_full(&self) -> bool {
        OUTBOX_BYTES_MAX < self.lock().frames.bytes.len()
    }

    /// Takes back what the connection left behind.
    pub(super) fn drain(&self, frames: &mut Frames) {
        frames.append(&mut self.lock().frames);
    }

    pub(super) fn set_muted(&self, muted: bool) {
        self.lock().muted = muted;
        self.changed.notify_one();
    }

    /// Ends the connection once everything is written. The first ending stands.
    pub(super) fn end(&self, ending: Ending) {
        self.lock().ending.get_or_insert(ending);
        self.changed.notify_one();
    }

    /// Ends the connection at once.
    pub(super) fn cut(&self) {
        self.cut.cancel();
    }

    // === the connection's side ===

    /// Moves what waits into `frames`, which must be empty.
    pub(super) fn take(&self, frames: &mut Frames) -> Found {
        let mut state = self.lock();
        if state.muted {
            return Found::Muted;
        }
        if !state.frames.bytes.is_empty() {
            std::mem::swap(&mut state.frames, frames);
            drop(state);
            self.room.notify_one();
            return Found::Frames;
        }
        state.ending.clone().map_or(Found::Frames, Found::Ending)
    }

    /// Completes when something may have changed since the last call.
    pub(super) async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Completes when the connection is to end at once.
    pub(super) async fn is_cut(&self) {
        self.cut.cancelled().await;
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves whole frames behind: the state is good.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
