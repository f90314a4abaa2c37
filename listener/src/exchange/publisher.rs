//! The one task that decides what is sent to whom: it turns requests and the source's messages into outboxes' content.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use common::clock;
use common::shutdown::Shutdown;
use tokio::sync::{Notify, mpsc, oneshot};
use tracing::info;

use super::outbox::{Ending, Outbox};
use super::protocol::{Answer, Envelope};
use super::source::{Next, Now, Source};
use super::stats::Counters;
use super::switchboard::Switchboard;

/// Close codes of RFC 6455, section 7.4.1.
const NORMAL_CLOSURE: u16 = 1000;
const GOING_AWAY: u16 = 1001;

/// How long connections may take to close before they are cut.
const CLOSING_MAX: Duration = Duration::from_secs(3);

/// What connections and controls ask of the publisher.
#[derive(Debug)]
pub(super) enum Command {
    Join {
        id: u64,
        outbox: Arc<Outbox>,
        envelope: Envelope,
        streams: Vec<Box<str>>,
    },
    Answer {
        id: u64,
        answer: Answer,
    },
    Leave {
        id: u64,
        clean: bool,
    },
    /// `None` as target means every connection. `done` is told once it is in force.
    Control {
        target: Option<u64>,
        control: Control,
        done: oneshot::Sender<()>,
    },
}

/// What a test or a demonstration does to connections.
#[derive(Debug)]
pub(super) enum Control {
    Cut,
    Close(Ending),
    Mute(bool),
    Inject(Vec<u8>),
    AnnounceShutdown,
    Market(bool),
}

/// What the exchange does when its source has nothing more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AtEnd {
    /// Connections stay open and are pinged, so that no client reconnects.
    #[default]
    Stay,
    /// Connections are closed normally and the exchange ends.
    Exit,
}

#[derive(Debug)]
pub(super) struct Publisher {
    pub(super) commands: mpsc::Receiver<Command>,
    pub(super) board: Switchboard,
    pub(super) source: Source,
    pub(super) counters: Arc<Counters>,
    /// Told by every connection that emptied its outbox.
    pub(super) room: Arc<Notify>,
    pub(super) slow_reader_max: Duration,
    pub(super) at_end: AtEnd,
    /// How connections are ended, once the exchange is ending.
    pub(super) ending: Option<Ending>,
}

impl Publisher {
    /// Publishes until the shutdown begins, or until the source has ended if that is wanted. Then closes all
    /// connections, and returns when they are gone.
    pub(super) async fn run(mut self, shutdown: Shutdown) {
        let reason = loop {
            if shutdown.has_begun() {
                break Ending { code: GOING_AWAY, reason: "the exchange is shutting down".to_owned() };
            }
            self.apply_waiting();
            let now = Now { instant: clock::monotonic(), unix: clock::now() };
            let patience = self.board.patience_ends(now.instant, self.slow_reader_max);
            let next = if patience.is_some() { None } else { Some(self.source.round(&mut self.board, now)) };
            self.board.hand_over(now.instant);
            if next == Some(Next::Finished) && self.finish() == AtEnd::Exit {
                break Ending { code: NORMAL_CLOSURE, reason: format!("{} finished", self.source.name()) };
            }
            self.wait(next, patience, &shutdown).await;
        };
        self.close(reason).await;
    }

    /// Notes that the source has ended.
    fn finish(&self) -> AtEnd {
        if !self.counters.finished.swap(true, Ordering::Relaxed) {
            info!("{} finished", self.source.name());
        }
        self.at_end
    }

    /// Waits for a request, and for whatever makes the next round worth while.
    async fn wait(&mut self, next: Option<Next>, patience: Option<Instant>, shutdown: &Shutdown) {
        let Self { commands, source, room, .. } = self;
        let progress = async {
            match next {
                // An outbox is full: until there is room, or the reader's time is up.
                None => {
                    if let Some(end) = patience {
                        _ = tokio::time::timeout_at(end.into(), room.notified()).await;
                    }
                }
                Some(Next::Again) => tokio::task::yield_now().await,
                Some(Next::At(at)) => tokio::time::sleep_until(at.into()).await,
                Some(Next::Input) => source.input().await,
                Some(Next::Change | Next::Finished) => std::future::pending().await,
            }
        };
        let command = tokio::select! {
            biased;
            () = shutdown.begun() => None,
            command = commands.recv() => command,
            () = progress => None,
        };
        if let Some(command) = command {
            self.apply(command);
        }
    }

    fn apply_waiting(&mut self) {
        while let Ok(command) = self.commands.try_recv() {
            self.apply(command);
        }
    }

    fn apply(&mut self, command: Command) {
        match command {
            Command::Join { id, outbox, envelope, streams } => {
                if let Some(ending) = &self.ending {
                    outbox.end(ending.clone());
                }
                self.board.join(id, outbox, envelope, &streams);
            }
            Command::Answer { id, answer } => self.board.answer(id, &answer, clock::monotonic()),
            Command::Leave { id, clean } => self.board.leave(id, clean),
            Command::Control { target, control, done } => {
                self.control(target, control);
                // Whoever asked may have gone: then nobody needs to know.
                _ = done.send(());
            }
        }
        let subscribed = self.board.streams_subscribed() as u64;
        self.counters.subscribed.store(subscribed, Ordering::Relaxed);
    }

    fn control(&mut self, target: Option<u64>, control: Control) {
        match control {
            Control::Cut => self.board.cut(target),
            Control::Close(ending) => self.board.end(target, &ending, clock::monotonic()),
            Control::Mute(muted) => self.board.set_muted(target, muted),
            Control::Inject(bytes) => self.board.inject(target, &bytes),
            Control::AnnounceShutdown => self.board.announce_shutdown(target, unix_ms()),
            Control::Market(is_open) => self.board.set_market(is_open),
        }
    }

    /// Ends every connection and serves those that are still there, until they have gone.
    async fn close(mut self, ending: Ending) {
        let now = clock::monotonic();
        self.board.end(None, &ending, now);
        self.ending = Some(ending);
        let patience = tokio::time::sleep_until((now + CLOSING_MAX).into());
        tokio::pin!(patience);
        while !self.board.is_empty() {
            tokio::select! {
                command = self.commands.recv() => match command {
                    Some(command) => self.apply(command),
                    None => break,
                },
                () = &mut patience => {
                    self.board.cut(None);
                    break;
                }
            }
        }
        self.commands.close();
        self.apply_waiting();
    }
}

fn unix_ms() -> u64 {
    u64::try_from(clock::now().0 / 1_000).unwrap_or(0)
}
