//! Where messages come from: a walk or a recording. Each round publishes what is due, up to a batch.

mod replaying;
mod walking;

use std::time::Instant;

use common::clock::UnixMicros;

pub(super) use replaying::{Replaying, Waiting};
pub(super) use walking::Walking;

use super::switchboard::Switchboard;

/// A round ends when this much is prepared for a connection, so that requests are never kept waiting.
const ROUND_BYTES_MAX: usize = 64 << 10;

/// The most messages of a round.
const ROUND_MESSAGES_MAX: u64 = 512;

/// This moment, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Now {
    pub(super) instant: Instant,
    pub(super) unix: UnixMicros,
}

/// When the next round is worth while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// At once.
    Again,
    /// Then.
    At(Instant),
    /// When the recording's reader has more.
    Input,
    /// When subscriptions change.
    Change,
    /// Never.
    Finished,
}

/// A source of messages.
#[derive(Debug)]
pub(super) enum Source {
    Walk(Box<Walking>),
    Replay(Box<Replaying>),
}

impl Source {
    pub(super) fn round(&mut self, board: &mut Switchboard, now: Now) -> Next {
        match self {
            Self::Walk(walking) => walking.round(board, now),
            Self::Replay(replaying) => replaying.round(board, now),
        }
    }

    /// Waits for more to replay.
    ///
    /// # Cancel safety
    /// Nothing is lost when dropped.
    pub(super) async fn input(&mut self) {
        match self {
            Self::Walk(_) => std::future::pending().await,
            Self::Replay(replaying) => replaying.input().await,
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Walk(_) => "walk",
            Self::Replay(_) => "replay",
        }
    }
}
