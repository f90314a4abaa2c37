//! The queue on Redis lists: batch leases.
//!
//! Producers push at the left, the right end is the head. A take moves up to so many elements into a list of their own
//! and enters the lease's name, chosen by the client, into a sorted set with its deadline by Redis' clock. A settlement
//! removes both. A batch is always one list in exactly one of two sorted sets: `leases` (worked on) or `delayed`
//! (waiting for its time), so that giving back a thousand tasks costs as little as one.
//!
//! Keys of queue `q` (see `redis/names.lua`): `q` (pending), and under `tidemill:{q}:` `leases`, `delayed`,
//! `b:<batch>`, `meta`, `t:<lease>` (names that were used, or given back unused; for two minutes), `p:<producer>` (its
//! last enqueue; for a week), `stats`, `dead`, `letters`, `paused`, `bell` (wakes idle workers; a minute). Of the whole
//! deployment: `tidemill:epoch`, `tidemill:queues`, `tidemill:{presence}:...`. Nothing that holds a task ever expires.

use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ::redis::Value;
use async_trait::async_trait;

use super::{Bell, Broker, BrokerError, Enqueue, Enqueued};
use crate::Address;
use crate::market::Epoch;
use crate::queue::{DeadId, LeaseId, QueueName, Reaped, Settled, Settlement, Take, Taken};
use link::Link;
use scripts::Call;

mod bell;
mod dead;
mod desk;
mod enqueue;
mod errors;
mod fsck;
mod link;
mod preflight;
mod reply;
mod roster;
mod scripts;
mod shards;

const QUEUES: &str = "tidemill:queues";
const GROUPS: &str = "tidemill:groups";
const EPOCH: &str = "tidemill:epoch";
/// A producer that was silent for so long is not expected to repeat its last enqueue: a spool may repeat it after days.
const PRODUCER_TTL: Duration = Duration::from_hours(7 * 24);
/// Leases that one reap looks at; the next reap takes the rest.
const REAPED_MAX: usize = 50;
/// A batch whose worker died is due again after this, doubled each time, half of it at random.
const RETURN_FIRST: Duration = Duration::from_millis(20);
const RETURN_LONGEST: Duration = Duration::from_millis(500);
/// Names in one call of renew or of the dead letters' commands: scripts stay short on the server.
const NAMES_MAX: usize = 500;

/// A handle to the queues of one Redis; clones of its `Arc` share the connection.
#[derive(Debug)]
struct RedisBroker {
    link: Arc<Link>,
    /// Queues and groups this handle has entered among the known ones, and over which connection: a Redis that came
    /// back empty is told again. Held for a look only, never across an await.
    known: Mutex<HashMap<(&'static str, Box<str>), u64>>,
    /// Whether we were denied what the enqueue does behind its script.
    is_script_alone: AtomicBool,
}

/// Connects to `redis://` or `rediss://`.
pub async fn connect(url: &str) -> Result<Arc<dyn Broker>, BrokerError> {
    open(url.into()).await
}

/// As [`connect`]. A login that is refused is read again from the address' file.
pub async fn open(address: Address) -> Result<Arc<dyn Broker>, BrokerError> {
    let link = Arc::new(Link::open(address).await?);
    Ok(Arc::new(RedisBroker { link, known: Mutex::default(), is_script_alone: AtomicBool::new(false) }))
}

impl RedisBroker {
    /// Enters a name in the `set` of known ones, once per connection.
    async fn know(&self, set: &'static str, name: &str) -> Result<(), BrokerError> {
        let generation = self.link.generation().await;
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(&(set, Box::from(name))).copied();
        if known == Some(generation) {
            return Ok(());
        }
        self.enter(set, name, generation).await
    }

    async fn enter(&self, set: &'static str, name: &str, generation: u64) -> Result<(), BrokerError> {
        let mut call = scripts::KNOW.on(set);
        call.arg(name);
        self.link.run(&scripts::KNOW, call).await?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).insert((set, name.into()), generation);
        Ok(())
    }

    /// The names in a `set` of known ones, in order. One that is none of ours was put there by somebody else, and has
    /// no keys of ours.
    async fn names<T: FromStr + Ord>(&self, set: &'static str) -> Result<Vec<T>, BrokerError> {
        let mut members = ::redis::cmd("SMEMBERS");
        members.arg(set);
        let answer = self.link.ask(&members).await?;
        let names = self.expect(reply::list(answer), "no list of names")?;
        let mut names: Vec<T> = names.iter().filter_map(|name| reply::text(name)?.parse().ok()).collect();
        names.sort_unstable();
        Ok(names)
    }

    /// What a script should have answered, or an error that shows what it did answer.
    fn expect<T>(&self, what: Option<T>, answer: &str) -> Result<T, BrokerError> {
        what.ok_or_else(|| self.link.unexpected(answer))
    }
}

#[async_trait]
impl Broker for RedisBroker {
    async fn preflight(&self) -> Result<Vec<String>, BrokerError> {
        preflight::check(&self.link).await
    }

    async fn next_epoch(&self) -> Result<Epoch, BrokerError> {
        let answer = self.link.run(&scripts::EPOCH, scripts::EPOCH.on(EPOCH)).await?;
        reply::count(&answer).and_then(Epoch::new).ok_or_else(|| self.link.unexpected(answer))
    }

    async fn enqueue(&self, enqueue: &Enqueue<'_>) -> Result<Enqueued, BrokerError> {
        self.know(QUEUES, enqueue.queue.as_str()).await?;
        let answer = self.push(enqueue).await?;
        let parts = reply::list(answer).unwrap_or_default();
        let number = parts.get(1).and_then(reply::count).unwrap_or(0);
        match parts.first().and_then(reply::text) {
            Some("accepted") => {
                // The first tasks ever, over a connection that has known the queue: somebody emptied this Redis.
                if number == enqueue.tasks.len() as u64 {
                    self.enter(QUEUES, enqueue.queue.as_str(), self.link.generation().await).await?;
                }
                Ok(Enqueued::Accepted)
            }
            Some("already") => Ok(Enqueued::Already),
            Some("full") => Ok(Enqueued::Full { waiting: number }),
            _ => Err(self.link.unexpected(parts)),
        }
    }

    async fn take(&self, take: &Take) -> Result<Taken, BrokerError> {
        self.know(QUEUES, take.queue.as_str()).await?;
        let (call, batch) = take_call(take);
        let (answer, elements) = self.link.run_and_read(&scripts::TAKE, call, &batch).await?;
        self.expect(reply::taken(answer, elements, take.lease), "no batch and no reason")
    }

    fn bell(&self, queues: &[QueueName]) -> Box<dyn Bell> {
        Box::new(bell::RedisBell::new(Arc::clone(&self.link), queues))
    }

    async fn settle(
        &self,
        settlement: &Settlement,
        next: Option<&Take>,
    ) -> Result<(Settled, Option<Taken>), BrokerError> {
        // A script stays within one queue. If the second call fails, the caller repeats both, and the first is `Already`.
        let (here, elsewhere) = match next {
            Some(take) if take.queue == settlement.queue => (Some(take), None),
            other => (None, other),
        };
        let call = settle_call(settlement, here);
        let (answer, elements) = match here {
            Some(take) => self.link.run_and_read(&scripts::SETTLE, call, &batch_key(&take.queue, take.lease)).await?,
            None => (self.link.run(&scripts::SETTLE, call).await?, Value::Nil),
        };
        let [outcome, taken] = self.expect(reply::array(answer), "no outcome of a settlement")?;
        let outcome = self.expect(reply::settled(&outcome), "no outcome of a settlement")?;
        let taken = match (here, elsewhere) {
            (Some(take), _) => Some(self.expect(reply::taken(taken, elements, take.lease), "no batch and no reason")?),
            (None, Some(take)) => Some(self.take(take).await?),
            (None, None) => None,
        };
        Ok((outcome, taken))
    }

    async fn release(&self, queue: &QueueName, lease: LeaseId) -> Result<Settled, BrokerError> {
        let mut call = scripts::RELEASE.on(queue.as_str());
        call.arg(lease.to_string());
        let answer = self.link.run(&scripts::RELEASE, call).await?;
        reply::settled(&answer).ok_or_else(|| self.link.unexpected(answer))
    }

    async fn renew(&self, queue: &QueueName, leases: &[LeaseId], ttl: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        let mut lost = Vec::new();
        for leases in leases.chunks(NAMES_MAX) {
            let mut call = scripts::RENEW.on(queue.as_str());
            call.arg(millis(ttl));
            for lease in leases {
                call.arg(lease.to_string());
            }
            let answer = self.link.run(&scripts::RENEW, call).await?;
            let names = self.expect(reply::list(answer), "no list of leases")?;
            let leases = names.iter().map(|name| reply::text(name).and_then(LeaseId::parse));
            lost.extend(self.expect(leases.collect::<Option<Vec<_>>>(), "a strange lease")?);
        }
        Ok(lost)
    }

    async fn reap(&self, queue: &QueueName) -> Result<Reaped, BrokerError> {
        let mut call = scripts::REAP.on(queue.as_str());
        call.arg(millis(RETURN_FIRST)).arg(millis(RETURN_LONGEST));
        for _ in 0..REAPED_MAX {
            call.arg(DeadId::fresh().to_string());
        }
        let answer = self.link.run(&scripts::REAP, call).await?;
        let counts: Option<[Value; 3]> = reply::array(answer);
        let [returned, bisected, convicted] = self
            .expect(counts, "no counts of reaped leases")?
            .map(|count| u32::try_from(reply::count(&count).unwrap_or(0)).unwrap_or(u32::MAX));
        Ok(Reaped { returned, bisected, convicted })
    }
}

/// The list of a batch.
fn batch_key(queue: &QueueName, id: impl fmt::Display) -> String {
    format!("tidemill:{{{queue}}}:b:{id}")
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn settle_call(settlement: &Settlement, next: Option<&Take>) -> Call {
    let retried = settlement.retry.iter().flat_map(|retry| &retry.tasks);
    let bytes: usize = retried.map(Vec::len).sum();
    let mut call = scripts::SETTLE.sized(settlement.queue.as_str(), 32, bytes + 512);
    let counts = &settlement.counts;
    let mut pairs = vec![
        ("accepted".into(), counts.foreign),
        ("ticks".into(), counts.ticks),
        ("stored".into(), counts.stored),
        ("superseded".into(), counts.superseded),
        ("legacy".into(), counts.legacy),
        ("expired".into(), counts.expired),
    ];
    pairs.extend(counts.skipped.iter().map(|(reason, &count)| (format!("skipped:{reason}"), count)));
    call.arg(settlement.lease.to_string()).arg(settlement.settled);
    add_counts(&mut call, pairs);
    let groups: Vec<_> = settlement.retry.iter().filter(|retry| !retry.tasks.is_empty()).collect();
    call.arg(groups.len());
    for group in groups {
        call.arg(millis(group.after)).arg(group.tasks.len());
        for task in &group.tasks {
            call.arg(task.as_slice());
        }
    }
    call.arg(settlement.dead.len());
    for letter in &settlement.dead {
        call.arg(letter.id.to_string()).arg(dead::written(letter));
    }
    call.arg(u8::from(next.is_some()));
    if let Some(take) = next {
        add_wish(&mut call, take);
    }
    call
}

/// The call of a take, and the list that it fills.
fn take_call(take: &Take) -> (Call, String) {
    let mut call = scripts::TAKE.on(take.queue.as_str());
    add_wish(&mut call, take);
    (call, batch_key(&take.queue, take.lease))
}

fn add_wish(call: &mut Call, take: &Take) {
    call.arg(take.lease.to_string())
        .arg(take.tasks_max.clamp(1, Take::TASKS_LIMIT))
        .arg(take.bytes_max)
        .arg(millis(take.ttl))
        .arg(&*take.worker);
}

/// Counters that do not change are not sent.
fn add_counts(call: &mut Call, mut pairs: Vec<(String, u64)>) {
    pairs.retain(|(_, count)| 0 < *count);
    call.arg(pairs.len());
    for (name, count) in pairs {
        call.arg(name).arg(count);
    }
}
