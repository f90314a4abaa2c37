//! What a test or a demonstration does to an exchange while it runs.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use super::desk::Desk;
use super::frame::{self, Opcode};
use super::outbox::Ending;
use super::publisher::{Command, Control};

/// Which connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// All that are open.
    Everyone,
    /// The one of this number. They count up from 1 in the order in which they were accepted.
    Connection(u64),
}

/// The exchange has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the simulated exchange has ended")]
pub struct ExchangeEnded;

/// The controls. Each call returns once it is in force; a target that is not there is no error.
#[derive(Debug, Clone)]
pub struct ExchangeControls {
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) desk: Arc<Desk>,
}

impl ExchangeControls {
    /// Ends connections with a reset, in the middle of a message if need be.
    pub async fn cut(&self, target: Target) -> Result<(), ExchangeEnded> {
        self.ask(target, Control::Cut).await
    }

    /// Ends connections with a close frame, after everything that was prepared for them.
    pub async fn close(&self, target: Target, code: u16, reason: &str) -> Result<(), ExchangeEnded> {
        self.ask(target, Control::Close(Ending { code, reason: reason.to_owned() })).await
    }

    /// Keeps connections open, but neither sends nor reads anything on them: no data, no ping, no pong.
    pub async fn mute(&self, target: Target) -> Result<(), ExchangeEnded> {
        self.ask(target, Control::Mute(true)).await
    }

    /// Ends [`mute`](Self::mute). What was due meanwhile is not sent.
    pub async fn unmute(&self, target: Target) -> Result<(), ExchangeEnded> {
        self.ask(target, Control::Mute(false)).await
    }

    /// Sends a text frame with this content, whatever it is.
    pub async fn send_text(&self, target: Target, text: &str) -> Result<(), ExchangeEnded> {
        self.frame(target, Opcode::Text, text.as_bytes()).await
    }

    /// Sends a binary frame.
    pub async fn send_binary(&self, target: Target, content: &[u8]) -> Result<(), ExchangeEnded> {
        self.frame(target, Opcode::Binary, content).await
    }

    /// Puts bytes between two frames that need not be a frame.
    pub async fn send_raw(&self, target: Target, bytes: &[u8]) -> Result<(), ExchangeEnded> {
        self.ask(target, Control::Inject(bytes.to_vec())).await
    }

    /// Sends the provider's announcement that the server is about to shut down. Nothing else happens.
    pub async fn announce_shutdown(&self, target: Target) -> Result<(), ExchangeEnded> {
        self.ask(target, Control::AnnounceShutdown).await
    }

    /// From now on only this credential is admitted; `None` admits any. Open connections stay.
    pub fn set_credential(&self, credential: Option<String>) {
        self.desk.set_credential(credential);
    }

    /// Opens or closes the market: connections are told where the provider tells, and while it is closed the walk
    /// stands still.
    pub async fn set_market_open(&self, is_open: bool) -> Result<(), ExchangeEnded> {
        self.desk.set_open(is_open);
        self.ask(Target::Everyone, Control::Market(is_open)).await
    }

    async fn frame(&self, target: Target, opcode: Opcode, content: &[u8]) -> Result<(), ExchangeEnded> {
        let mut bytes = Vec::with_capacity(content.len() + 10);
        frame::append(&mut bytes, opcode, content);
        self.ask(target, Control::Inject(bytes)).await
    }

    async fn ask(&self, target: Target, control: Control) -> Result<(), ExchangeEnded> {
        let target = match target {
            Target::Everyone => None,
            Target::Connection(id) => Some(id),
        };
        let (done, is_done) = oneshot::channel();
        let command = Command::Control { target, control, done };
        match self.commands.send(command).await {
            Ok(()) => is_done.await.or(Err(ExchangeEnded)),
            Err(_) => Err(ExchangeEnded),
        }
    }
}
