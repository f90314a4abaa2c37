//! A paced walk.

use super::{Next, Now, ROUND_BYTES_MAX, ROUND_MESSAGES_MAX};
use crate::exchange::pace::Pace;
use crate::exchange::switchboard::Switchboard;
use crate::exchange::walk::Walk;

/// Walks while somebody listens.
#[derive(Debug)]
pub(in crate::exchange) struct Walking {
    walk: Walk,
    pace: Pace,
    /// Messages that are left; `None` for no end.
    left: Option<u64>,
}

impl Walking {
    pub(in crate::exchange) fn new(walk: Walk, pace: Pace, messages: Option<u64>) -> Self {
        Self { walk, pace, left: messages }
    }

    pub(super) fn round(&mut self, board: &mut Switchboard, now: Now) -> Next {
        if board.take_changed() {
            self.walk.want(board.wanted(&self.walk).collect::<Vec<_>>().into_iter());
        }
        if self.left == Some(0) {
            return Next::Finished;
        }
        if self.walk.is_idle() || !board.is_market_open() {
            self.pace.pause();
            return Next::Change;
        }
        let due = self.pace.due(now.instant).min(self.left.unwrap_or(u64::MAX)).min(ROUND_MESSAGES_MAX);
        let mut published = 0;
        while published < due && board.prepared_bytes_max() < ROUND_BYTES_MAX {
            let Some((stream, symbol, event)) = self.walk.next(now.unix_ms) else { break };
            board.publish_event(stream, symbol, &event);
            published += 1;
        }
        self.pace.spend(published);
        self.left = self.left.map(|left| left - published);
        match self.pace.next_at() {
            Some(at) if now.instant < at && self.left != Some(0) => Next::At(at),
            _ => Next::Again,
        }
    }
}
