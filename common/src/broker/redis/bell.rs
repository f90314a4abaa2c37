//! Waiting for a ring: an element of the list `bell` that the scripts push to (`ring` in `redis/names.lua`).
//!
//! An element that nobody waits for stays, and ends the next wait at once: so a ring between a look and a wait is heard.
//! No task ever lies on these lists, so popping loses nothing.
//!
//! A take may stand right behind the wait: Redis carries it out when the wait ends, also for one who is gone by then
//! without having closed the connection. Hence such waits are short, and a lease that is given back unseen is retired.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use redis::Value;

use super::link::{Link, RESPONSE_TIMEOUT};
use super::{reply, take_call};
use crate::broker::{Bell, BrokerError, HALF_DEAF_MAX};
use crate::clock;
use crate::queue::{QueueName, Take, Taken};

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
    /// Whether Redis refused to wait: then nothing is taken behind it either, or its answer would be lost each time.
    is_refused: bool,
    /// The connection of `home` over which the queue is known: another Redis, or one that came back empty, is told first.
    generation: u64,
}

impl RedisBell {
    pub(super) fn new(home: Arc<Link>, queues: &[QueueName]) -> Self {
        let keys = queues.iter().map(|queue| format!("tidemill:{{{queue}}}:bell")).collect();
        Self { home, link: None, keys, is_half_deaf: false, is_refused: false, generation: 0 }
    }

    async fn own_link(&mut self) -> Link {
        match self.link.take() {
            Some(link) => link,
            None => self.home.beside().await,
        }
    }

    /// Whether an element was there, or came in time.
    async fn pop(&mut self, block: Duration) -> Result<bool, BrokerError> {
        let link = self.own_link().await;
        let heard = if self.is_half_deaf { 1 } else { self.keys.len() };
        let answer = link.ask(&wait(&self.keys[..heard], block)).await;
        self.link = Some(link);
        match answer {
            Ok(popped) => {
                self.is_refused = false;
                Ok(popped != Value::Nil)
            }
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

    fn takes(&self, at_most: Duration) -> bool {
        self.keys.len() == 1 && at_most <= BLOCK_MAX && !self.is_refused
    }

    async fn rung_and_take(&mut self, at_most: Duration, take: &Take) -> Result<Option<Taken>, BrokerError> {
        let generation = self.home.generation().await;
        if std::mem::replace(&mut self.generation, generation) != generation {
            return Ok(None);
        }
        let link = self.own_link().await;
        let (call, batch) = take_call(take);
        let answer =
            link.wait_and_run_and_read(wait(&self.keys, at_most.clamp(BLOCK_MIN, BLOCK_MAX)), call, &batch).await;
        let taken = match answer {
            Ok(Some((answer, elements))) => match reply::taken(answer, elements, take.lease) {
                Some(taken) => Ok(Some(taken)),
                None => Err(link.unexpected("no batch and no reason")),
            },
            Ok(None) => Ok(None),
            Err(error) => {
                self.is_refused = !matches!(error, BrokerError::Unavailable { .. });
                Err(error)
            }
        };
        self.link = Some(link);
        taken
    }
}

fn wait(keys: &[String], block: Duration) -> redis::Cmd {
    let mut command = redis::cmd("BLPOP");
    command.arg(keys).arg(block.as_secs_f64());
    command
}

fn rest(asked_at: Instant, at_most: Duration) -> Duration {
    at_most.saturating_sub(asked_at.elapsed())
}
