//! What a frame means becomes tasks, states and ends.

use std::hash::BuildHasher;
use std::sync::Arc;

use common::clock::{self, UnixMicros};
use common::feed::{Failure, Mark, Reading};
use common::market::OrderKey;
use common::queue::{Gap, GapReason};
use tracing::warn;

use super::{Session, named, outgoing};
use crate::backlog::{MergeKey, Message};
use crate::continuity::Finding;
use crate::ending::{End, readable};
use crate::numbering::Numbering;
use crate::signals::Wish;

impl Session<'_> {
    pub(super) async fn digest(&mut self, reading: Reading<'_>, at: UnixMicros) -> Result<(), End> {
        match reading {
            Reading::Data { kind, body, key, mark } => {
                self.tell_holes(&key, &kind, mark, at).await?;
                let order = self.next_order().await?;
                let merge = MergeKey(self.shard.context.merge_hash.hash_one((self.shard.conn, &*key, &*kind)));
                let element = self.writer.write(&kind, order, at, &body);
                self.gathered.messages.push(Message { merge, element });
                self.gathered.received += 1;
                self.gathered.last_message_at = Some(at);
            }
            Reading::Confirmed(streams) => {
                self.subscription.confirm(&streams);
                self.subscription.heard(clock::monotonic());
                self.show_subscription();
            }
            Reading::Refused { streams, reason } => {
                self.gathered.errors += 1;
                self.subscription.refuse(&streams, &readable(&reason));
                self.subscription.heard(clock::monotonic());
                warn!(conn = self.shard.conn, "provider refuses {}: {}", named(&streams), readable(&reason));
                self.show_subscription();
            }
            // The protocol waits for it, so no interval is kept.
            Reading::Reply(message) => self.wire.send(outgoing(message))?,
            Reading::Heartbeat => {}
            Reading::Market { segment, is_open } => {
                let before = self.market.is_open(at);
                self.market.tell(&segment, is_open, &self.topics);
                if self.market.is_open(at) != before {
                    self.data_age.restart(clock::monotonic(), at);
                }
                self.show_market();
            }
            Reading::Closing(text) => self.signals.wish(Wish::Announced(readable(&text))),
            Reading::Failed(failure) => {
                self.gathered.errors += 1;
                return Err(End::Failed(Failure { reason: readable(&failure.reason).into(), ..failure }));
            }
            Reading::Rejected(reason) => self.reject(reason),
        }
        Ok(())
    }

    /// The place of the next message.
    async fn next_order(&mut self) -> Result<OrderKey, End> {
        match self.numbering.next() {
            Some(order) => Ok(order),
            None => self.next_epoch().await,
        }
    }

    /// What is missing before this message becomes a task of its own, ahead of it.
    async fn tell_holes(&mut self, key: &str, kind: &str, mark: Option<Mark>, at: UnixMicros) -> Result<(), End> {
        if !self.signals.leads() {
            return Ok(()); // the predecessor delivers these, too
        }
        let (broken_since, finding) = {
            let mut watch = self.shard.watch();
            (watch.take_break(), mark.map(|mark| watch.numbers.observe(key, kind, mark, at)))
        };
        if let Some(since) = broken_since {
            let reason = GapReason::Reconnect;
            let (stream, kind) = ("*".into(), "*".into());
            let gap = Gap {
                symbol: None,
                stream,
                kind,
                from: None,
                to: None,
                missing: None,
                since: Some(since),
                until: at,
                reason,
            };
            self.write_gap(at, &gap).await?;
        }
        if let Some(Finding::Gap(hole)) = finding {
            let topics = Arc::clone(&self.topics);
            let symbol = topics.iter().find(|topic| *topic.stream == *key).map(|topic| &*topic.symbol);
            self.write_gap(at, &hole.in_stream(symbol, key, kind)).await?;
        }
        Ok(())
    }

    async fn write_gap(&mut self, at: UnixMicros, gap: &Gap<'_>) -> Result<(), End> {
        let order = self.next_order().await?;
        let merge = MergeKey(self.shard.context.merge_hash.hash_one((self.shard.conn, order.get())));
        let element = self.writer.write_gap(order, at, gap);
        self.gathered.messages.push(Message { merge, element });
        Ok(())
    }

    /// The first place in a new epoch. What is gathered leaves first, so that nothing waits for the broker but this.
    async fn next_epoch(&mut self) -> Result<OrderKey, End> {
        self.hand_over().await?;
        let epoch = self.shard.context.epochs.next_soon().await.ok_or(End::NoEpoch)?;
        self.numbering = Numbering::new(epoch, self.shard.context.options.link.seq_max);
        self.numbering.next().ok_or(End::NoEpoch)
    }

    pub(super) fn reject(&mut self, reason: &str) {
        self.gathered.errors += 1;
        self.shard.context.intake.reject(reason);
    }
}
