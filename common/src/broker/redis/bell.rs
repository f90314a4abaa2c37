//! Waiting for a ring: an element of the list `bell` that the scripts push to (`ring` in `redis/names.lua`).
//!
//! An element that nobody waits for stays, and ends the next wait at once: so a ring between a look and a wait is heard.
//! No task ever lies on these lists, so popping loses nothing.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::Value;

use super::link::{Link, RESPONSE_TIMEOUT};
use crate::broker::{Bell, BrokerError, HALF_DEAF_MAX};
use crate::clock;
use crate::queue::QueueName;

/// Longer waits are made of several, so that a connection which was cut silently is noticed.
const BLOCK_MAX: Duration = Duration::from_secs(1);
const _: () = assert!(BLOCK_MAX.as_millis() * 2 <= RESPONSE_TIMEOUT.as_millis());

/// Redis waits for ever when it is asked to wait for zero.
const BLOCK_MIN: Duration = Duration::from_millis(1);

/// The bells of some queues, heard over a connection of their own.
#[derive(Debug)]
pub(super) struct RedisBell {
    home: Arc<Link>,
    /// Taken out while a wait is under way: if that is dropped, the connection goes with it, and takes nobody's ring.
    link: Option<Link>,
    keys: Vec<String>,
    /// Whether a Cluster's node refused to wait for keys of several slots: then only the first queue's bell is heard.
    is_half_deaf: bool,
}

impl RedisBell {
    pub(super) fn new(home: Arc<Link>, queues: &[QueueName]) -> Self {
        let keys = queues.iter().map(|queue| format!("tidemill:{{{queue}}}:bell")).collect();
        Self { home, link: None, keys, is_half_deaf: false }
    }

    /// Whether an element was there, or came in time.
    async fn pop(&mut self, block: Duration) -> Result<bool, BrokerError> {
        let link = match self.link.take() {
            Some(link) => link,
            None => self.home.beside().await,
        };
        let mut command = redis::cmd("BLPOP");
        let heard = if self.is_half_deaf { 1 } else { self.keys.len() };
        for key in &self.keys[..heard] {
            command.arg(key);
        }
        let answer = link.ask(command.arg(block.as_secs_f64())).await;
        self.link = Some(link);
        match answer {
            Ok(popped) => Ok(popped != Value::Nil),
            // Keys in several slots; one key has one.
            Err(BrokerError::Unfit { .. }) if 1 < heard => {
                self.is_half_deaf = true;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }
}

#[async_trait]
impl Bell for RedisBell {
    async fn rung(&mut self, at_most: Duration) -> Result<(), BrokerError> {
        let at_most = if self.is_half_deaf { at_most.min(HALF_DEAF_MAX) } else { at_most };
        let asked_at = clock::monotonic();
        loop {
            let block = rest(asked_at, at_most).clamp(BLOCK_MIN, BLOCK_MAX);
            if self.pop(block).await? || rest(asked_at, at_most).is_zero() {
                return Ok(());
            }
        }
    }
}

fn rest(asked_at: Instant, at_most: Duration) -> Duration {
    at_most.saturating_sub(asked_at.elapsed())
}
