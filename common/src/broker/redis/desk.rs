//! What operators and the status page ask of Redis.

use std::time::Duration;

use async_trait::async_trait;
use redis::Value;

use super::{NAMES_MAX, QUEUES, RedisBroker, dead, millis, reply, scripts};
use crate::broker::{BrokerDesk, BrokerError, Census};
use crate::ledger::Ledger;
use crate::presence::{InstanceId, Presence};
use crate::queue::{Check, DeadFilter, DeadId, DeadLetter, DeadPage, Finding, QueueName, Task};

const PRESENCES: &str = "tidemill:{presence}:index";
/// Presence records that are read at most.
const PRESENCES_MAX: usize = 10_000;
/// Dead letters that one look at Redis brings: small enough for its time and its answer's size.
const LETTERS_AT_ONCE: usize = 100;

#[async_trait]
impl BrokerDesk for RedisBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        self.names(QUEUES).await
    }

    async fn census(&self, queue: &QueueName) -> Result<Census, BrokerError> {
        let answer = self.link.run(&scripts::CENSUS, scripts::CENSUS.on(queue.as_str())).await?;
        self.expect(read_census(answer), "no census")
    }

    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), BrokerError> {
        self.know(QUEUES, queue.as_str()).await?;
        let mut call = scripts::PAUSE.on(queue.as_str());
        call.arg(u8::from(paused));
        self.link.run(&scripts::PAUSE, call).await.map(drop)
    }

    async fn dead_page(
        &self,
        queue: &QueueName,
        filter: &DeadFilter,
        from: Option<DeadId>,
        limit: u32,
    ) -> Result<DeadPage, BrokerError> {
        // One letter asked for by name needs no search.
        let mut next = if filter.id.is_some() { from.max(filter.id) } else { from };
        let mut letters = Vec::new();
        loop {
            let (found, rest) = self.letters(queue, next).await?;
            next = rest;
            for letter in found {
                if filter.id.is_some_and(|id| id < letter.id) {
                    return Ok(DeadPage { letters, next: None });
                }
                if !filter.matches(&letter) {
                    continue;
                }
                if limit as usize <= letters.len() {
                    return Ok(DeadPage { letters, next: Some(letter.id) });
                }
                letters.push(letter);
            }
            if next.is_none() {
                return Ok(DeadPage { letters, next });
            }
        }
    }

    async fn dead_retry(&self, queue: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError> {
        self.on_letters(&scripts::DEAD_RETRY, queue, ids).await
    }

    async fn dead_purge(&self, queue: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError> {
        self.on_letters(&scripts::DEAD_PURGE, queue, ids).await
    }

    async fn fsck(&self, queue: &QueueName, check: Check) -> Result<Vec<Finding>, BrokerError> {
        self.check(queue, check).await
    }

    async fn announce(&self, presence: &Presence, ttl: Duration) -> Result<(), BrokerError> {
        let record = serde_json::to_vec(presence).expect("text and numbers always serialise to memory");
        let mut call = scripts::ANNOUNCE.on(PRESENCES);
        call.arg(presence.instance.to_string()).arg(record).arg(millis(ttl).max(1));
        self.link.run(&scripts::ANNOUNCE, call).await.map(drop)
    }

    async fn depart(&self, instance: InstanceId) -> Result<(), BrokerError> {
        let mut call = scripts::DEPART.on(PRESENCES);
        call.arg(instance.to_string());
        self.link.run(&scripts::DEPART, call).await.map(drop)
    }

    async fn presences(&self) -> Result<Vec<Presence>, BrokerError> {
        let mut call = scripts::PRESENCES.on(PRESENCES);
        call.arg(PRESENCES_MAX);
        let answer = self.link.run(&scripts::PRESENCES, call).await?;
        let records = self.expect(reply::list(answer), "no list of presences")?;
        // A record that cannot be read is a newer program's; one stranger must not hide all others.
        Ok(records.into_iter().filter_map(|record| serde_json::from_slice(&reply::bytes(record)?).ok()).collect())
    }
}

impl RedisBroker {
    /// Some letters from `from` on, and where the rest starts.
    async fn letters(
        &self,
        queue: &QueueName,
        from: Option<DeadId>,
    ) -> Result<(Vec<DeadLetter>, Option<DeadId>), BrokerError> {
        let mut call = scripts::DEAD_PAGE.on(queue.as_str());
        call.arg(from.map_or_else(|| "-".to_owned(), |id| format!("[{id}"))).arg(LETTERS_AT_ONCE + 1);
        let answer = self.link.run(&scripts::DEAD_PAGE, call).await?;
        let fields = self.expect(reply::list(answer), "no list of dead letters")?;
        let (pairs, _) = fields.as_chunks::<2>();
        let mut letters = Vec::with_capacity(pairs.len());
        for (i, [name, value]) in pairs.iter().enumerate() {
            let id = self.expect(reply::text(name).and_then(|name| name.parse().ok()), "a strange dead letter")?;
            if i == LETTERS_AT_ONCE {
                return Ok((letters, Some(id)));
            }
            let Value::BulkString(value) = value else { return Err(self.link.unexpected(value)) };
            letters.push(dead::read(id, value));
        }
        Ok((letters, None))
    }

    async fn on_letters(
        &self,
        script: &scripts::Script,
        queue: &QueueName,
        ids: &[DeadId],
    ) -> Result<u64, BrokerError> {
        let mut found = 0;
        for ids in ids.chunks(NAMES_MAX) {
            let mut call = script.on(queue.as_str());
            for id in ids {
                call.arg(id.to_string());
            }
            let answer = self.link.run(script, call).await?;
            found += reply::count(&answer).ok_or_else(|| self.link.unexpected(answer))?;
        }
        Ok(found)
    }
}

fn read_census(answer: Value) -> Option<Census> {
    let [counters, waiting, leased, delayed, dead, batches, paused, oldest] = reply::array(answer)?;
    let mut ledger = Ledger {
        waiting: reply::count(&waiting)?,
        leased: reply::count(&leased)?,
        delayed: reply::count(&delayed)?,
        dead: reply::count(&dead)?,
        ..Ledger::default()
    };
    let mut generation = None;
    for [name, value] in reply::list(counters)?.as_chunks::<2>().0 {
        match reply::text(name)? {
            "generation" => generation = reply::count(value),
            name => add_counter(&mut ledger, name, reply::count(value)?),
        }
    }
    let oldest_at = reply::bytes(oldest).and_then(|task| Task::decode(&task).ok().map(|task| task.at));
    let paused = reply::count(&paused)? != 0;
    Some(Census { ledger, oldest_at, leases: reply::count(&batches)?, paused, generation })
}

fn add_counter(ledger: &mut Ledger, name: &str, value: u64) {
    match name {
        "received" => ledger.received = value,
        "accepted" => ledger.accepted = value,
        "settled" => ledger.settled = value,
        "ticks" => ledger.ticks = value,
        "stored" => ledger.stored = value,
        "superseded" => ledger.superseded = value,
        "legacy" => ledger.legacy = value,
        "expired" => ledger.expired = value,
        "purged" => ledger.purged = value,
        "redelivered" => ledger.redelivered = value,
        other => {
            let Some((kind, reason)) = other.split_once(':') else { return };
            let by_reason = match kind {
                "rejected" => &mut ledger.rejected,
                "shed" => &mut ledger.shed,
                "skipped" => &mut ledger.skipped,
                "written_off" => &mut ledger.written_off,
                _ => return, // a newer program's counter
            };
            by_reason.insert(reason.into(), value);
        }
    }
}
