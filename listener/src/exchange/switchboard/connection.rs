//! One client, from the publisher's side.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use crate::exchange::frame::{self, Opcode};
use crate::exchange::outbox::{Frames, Outbox};
use crate::exchange::protocol::{Envelope, Provider, Sent};

/// One client, from the publisher's side.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) id: u64,
    pub(super) outbox: Arc<Outbox>,
    pub(super) envelope: Envelope,
    /// Handed over after each round, so that the outbox is locked once per round and not once per message.
    pub(super) prepared: Frames,
    pub(super) muted: bool,
    /// Since when its outbox has been full.
    pub(super) full_since: Option<Instant>,
    /// Market messages so far.
    pub(super) messages: u32,
    /// Whose it is, where that matters.
    pub(super) account: Option<Box<str>>,
}

impl Connection {
    pub(super) fn prepare(&mut self, provider: Provider, payload: &[u8], data: &Range<usize>) {
        let payload = match self.envelope {
            Envelope::Whole => payload,
            Envelope::DataOnly => payload.get(data.clone()).unwrap_or(payload),
        };
        frame::append(&mut self.prepared.bytes, provider.0.opcode(), payload);
        self.messages = self.messages.wrapping_add(1);
        let start = self.prepared.bytes.len() - payload.len();
        provider.0.stamp(&mut self.prepared.bytes[start..], self.messages);
    }

    pub(super) fn say(&mut self, sent: &Sent) {
        match sent {
            Sent::Text(text) => frame::append(&mut self.prepared.bytes, Opcode::Text, text.as_bytes()),
            Sent::Binary(bytes) => frame::append(&mut self.prepared.bytes, Opcode::Binary, bytes),
        }
    }
}
