//! A paced replay: each recorded frame once, wherever its subscribers are connected by then.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::mpsc;
use tracing::{info, warn};

use super::{Next, Now, ROUND_BYTES_MAX, ROUND_MESSAGES_MAX};
use crate::exchange::pace::Playback;
use crate::exchange::replay::{Lines, Recorded};
use crate::exchange::stats::Counters;
use crate::exchange::switchboard::Switchboard;

/// When a replay goes on and when it waits.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchange) struct Waiting {
    /// Connections that must have subscribed before it starts.
    pub(in crate::exchange) connections: usize,
    /// Streams that must be subscribed before it starts.
    pub(in crate::exchange) streams: usize,
    /// Whether it stands still while a stream's subscriber is away.
    pub(in crate::exchange) hold: bool,
}

#[derive(Debug)]
pub(in crate::exchange) struct Replaying {
    lines: mpsc::Receiver<Lines>,
    frames: VecDeque<Recorded>,
    playback: Playback,
    waiting: Waiting,
    counters: Arc<Counters>,
    has_started: bool,
    has_all: bool,
}

impl Replaying {
    pub(in crate::exchange) fn new(
        lines: mpsc::Receiver<Lines>,
        playback: Playback,
        waiting: Waiting,
        counters: Arc<Counters>,
    ) -> Self {
        Self { lines, frames: VecDeque::new(), playback, waiting, counters, has_started: false, has_all: false }
    }

    pub(super) fn round(&mut self, board: &mut Switchboard, now: Now) -> Next {
        if !self.has_started {
            let enough = self.waiting.connections <= board.connections_subscribed()
                && self.waiting.streams <= board.streams_subscribed();
            if !enough {
                return Next::Change;
            }
            self.has_started = true;
            info!("replay started");
        }
        for _ in 0..ROUND_MESSAGES_MAX {
            if ROUND_BYTES_MAX <= board.prepared_bytes_max() {
                break;
            }
            let Some(next) = self.frames.front() else {
                return if self.has_all { Next::Finished } else { Next::Input };
            };
            if self.waiting.hold && board.is_awaited(&next.stream) {
                self.playback.pause();
                return Next::Change;
            }
            if let Some(at) = self.playback.due_at(next.at_ns, now.instant).filter(|at| now.instant < *at) {
                return Next::At(at);
            }
            board.publish_recorded(&next.stream, &next.frame, &next.data);
            self.frames.pop_front();
        }
        Next::Again
    }

    pub(super) async fn input(&mut self) {
        let Some(lines) = self.lines.recv().await else {
            self.has_all = true;
            return;
        };
        Counters::add(&self.counters.skipped, lines.skipped);
        Counters::add(&self.counters.garbled, lines.garbled);
        if let Some(problem) = lines.problem {
            warn!("{problem}");
            self.counters.set_problem(problem);
        }
        self.frames.extend(lines.frames);
    }
}
