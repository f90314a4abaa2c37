//! Keeps one shard's session alive, for ever.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use common::clock::{self, UnixMicros};
use common::credentials::Fingerprint;
use common::feed::Topic;
use common::presence::Link;
use common::shutdown::Shutdown;
use foldhash::fast::RandomState;
use tokio::sync::watch;
use tokio::time;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::board::Cell;
use crate::continuity::Continuity;
use crate::ending::{End, Then};
use crate::epochs::Epochs;
use crate::fence::Fence;
use crate::gate::Gate;
use crate::intake::Intake;
use crate::login::AfterLogin;
use crate::options::ListenerOptions;
use crate::relay;
use crate::retreat::{Pace, Retreat};
use crate::samples::Samples;

/// What all shards of a process share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) options: ListenerOptions,
    pub(crate) intake: Arc<Intake>,
    pub(crate) samples: Arc<Samples>,
    pub(crate) epochs: Epochs,
    pub(crate) gate: Gate,
    pub(crate) fence: Fence,
    pub(crate) shutdown: Shutdown,
    /// One for the process: a message replaces those of its connection's earlier sessions too.
    pub(crate) merge_hash: RandomState,
}

/// One connection's share of the symbols.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) context: Arc<Context>,
    pub(crate) conn: u32,
    /// What it is to carry; may change while it runs.
    pub(crate) topics: watch::Receiver<Arc<[Topic]>>,
    pub(crate) cell: Arc<Cell>,
    pub(crate) first_delay: Duration,
    /// Ends it.
    pub(crate) stop: CancellationToken,
    /// What its messages' numbers and times show, over all its sessions.
    pub(crate) watch: Mutex<Watch>,
    /// The token of the last attempt.
    pub(crate) token: Mutex<Option<Fingerprint>>,
}

/// What a shard remembers from one session to the next.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    pub(crate) numbers: Continuity,
    /// When the last data message was received.
    data_at: Option<UnixMicros>,
    /// Since when there is a hole that the next data message ends.
    broken_since: Option<UnixMicros>,
}

impl Watch {
    /// A session begins that no other overlaps.
    fn begin_session(&mut self) {
        self.numbers.begin_session();
        self.broken_since = self.data_at;
    }

    /// Data was received then.
    pub(crate) fn heard(&mut self, at: Option<UnixMicros>) {
        self.data_at = at.or(self.data_at);
    }

    /// The start of the hole before the first data message of a session; given once.
    pub(crate) fn take_break(&mut self) -> Option<UnixMicros> {
        self.broken_since.take()
    }
}

impl Shard {
    /// What is remembered from one session to the next.
    pub(crate) fn watch(&self) -> MutexGuard<'_, Watch> {
        // Held for a look-up, never across an await.
        self.watch.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs until it is stopped. Nothing else ends it.
    pub(crate) async fn run(self) {
        let times = self.context.options.link;
        let mut retreat = Retreat::new(times.reconnect, times.stable_after);
        if self.stop.run_until_cancelled(time::sleep(self.first_delay)).await.is_none() {
            return;
        }
        let mut was_up = false;
        loop {
            let (lived, end) = self.live_once(was_up).await;
            was_up |= lived.is_some();
            let pace = match end.then() {
                Then::Finish => return,
                Then::Reconnect(pace) => pace,
                Then::LogIn => match self.log_in(&end).await {
                    AfterLogin::Retry(pace) => pace,
                    AfterLogin::Stopped => return,
                    AfterLogin::NewToken => {
                        retreat = Retreat::new(times.reconnect, times.stable_after);
                        continue;
                    }
                },
                Then::Stop => {
                    error!(conn = self.conn, "connection {} stays down until somebody acts: {end}", self.conn);
                    self.show(Link::Stopped, &end, None);
                    self.stop.cancelled().await;
                    return;
                }
            };
            let delay = retreat.delay(lived.unwrap_or_default(), pace, |most| fastrand::u64(0..=most));
            self.announce(&end, delay, pace);
            if self.stop.run_until_cancelled(time::sleep(delay)).await.is_none() {
                return;
            }
        }
    }

    /// One attempt and what follows from it: how long the shard was up (`None` when it never was), and why it no longer
    /// is.
    async fn live_once(&self, was_up: bool) -> (Option<Duration>, End) {
        let opened = match self.stop.run_until_cancelled(Box::pin(self.open())).await {
            None => return (None, End::Shutdown),
            Some(Err(end)) => return (None, end),
            Some(Ok(opened)) => opened,
        };
        if let Some(recorder) = &self.context.options.recorder {
            recorder.connected(self.conn, clock::now());
        }
        self.watch().begin_session();
        let connected_at = clock::monotonic();
        info!(conn = self.conn, epoch = opened.epoch.get(), "connection {} is open", self.conn);
        self.cell.update(|state| {
            state.state = Link::Subscribing;
            state.reconnects += u64::from(was_up);
            state.next_attempt_at = None;
        });
        let end = relay::run(self, opened).await;
        (Some(connected_at.elapsed()), end)
    }

    /// A session was followed by another without a hole.
    pub(crate) fn show_replaced(&self, why: &End) {
        self.cell.update(|state| {
            state.reconnects += 1;
            state.reason = Some(format!("replaced without a gap: {why}"));
        });
    }

    fn announce(&self, end: &End, delay: Duration, pace: Pace) {
        let (conn, delay_ms) = (self.conn, delay.as_millis());
        warn!(conn, delay_ms, ?pace, "connection {conn} ended: {end}; next attempt in {delay_ms} ms");
        self.show(Link::Reconnecting, end, Some(delay));
    }

    pub(crate) fn show(&self, link: Link, end: &End, delay: Option<Duration>) {
        self.cell.update(|state| {
            state.state = link;
            state.confirmed = 0;
            state.reason = Some(end.to_string());
            state.next_attempt_at = delay.map(|delay| clock::now().after(delay));
        });
    }
}
