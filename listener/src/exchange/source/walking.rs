//! A paced walk.

use super::{Next, Now, ROUND_BYTES_MAX, ROUND_MESSAGES_MAX};
use crate::exchange::options::{Stamp, WalkOptions};
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
    stamp: Stamp,
}

impl Walking {
    pub(in crate::exchange) fn new(walk: Walk, pace: Pace, options: &WalkOptions) -> Self {
        Self { walk, pace, left: options.messages, stamp: options.stamp }
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
            let stamp = self.stamp(published, now);
            let Some((stream, symbol, event)) = self.walk.next(stamp) else { break };
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

    /// The time of the message after `ahead` further ones, in its unit.
    fn stamp(&self, ahead: u64, now: Now) -> u64 {
        let stamp = match self.stamp {
            Stamp::Made => now.unix.0 / 1_000,
            Stamp::Due => {
                let due = self.pace.due_at(ahead).unwrap_or(now.instant);
                now.unix.before(now.instant.saturating_duration_since(due)).0
            }
        };
        u64::try_from(stamp).unwrap_or(0)
    }
}
