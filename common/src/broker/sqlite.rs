//! The queue in a SQLite file: nothing to install, usable by several processes of one machine at once.
//!
//! Every call that changes something is one `BEGIN IMMEDIATE` transaction with at most one flush to disk, whatever the
//! number of tasks. How the tasks lie in the tables: `sqlite/schema.rs`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use diesel::sqlite::SqliteConnection;

use super::{Bell, Broker, BrokerDesk, BrokerError, Census, Enqueue, Enqueued};
use crate::clock::{self, UnixMicros};
use crate::market::Epoch;
use crate::presence::{InstanceId, Presence};
use crate::queue::{
    Check, DeadFilter, DeadId, DeadPage, Finding, LeaseId, QueueName, Reaped, Settled, Settlement, Take, Taken,
};
use crate::sqlite::SqliteThread;

mod batch;
mod bells;
mod body;
mod chunks;
mod dead;
mod desk;
mod enqueue;
mod fsck;
mod ledger;
mod log;
mod reap;
mod roster;
mod schema;
mod settle;
mod shards;
pub mod spool;
mod take;
mod transaction;
mod trouble;

use bells::Bells;
use log::Log;
use transaction::{Access, transaction};
use trouble::Trouble;

/// The queue in a SQLite file. Clones share one connection.
#[derive(Debug, Clone)]
pub struct SqliteBroker {
    thread: SqliteThread,
    place: Arc<str>,
    bells: Arc<Bells>,
    log: Log,
}

/// Opens (or creates) the file at `path`.
pub async fn connect(path: &Path) -> Result<Arc<dyn Broker>, BrokerError> {
    Ok(Arc::new(SqliteBroker::open(path).await?))
}

impl SqliteBroker {
    /// Opens (or creates) the file at `path`.
    ///
    /// # Errors
    /// [`BrokerError::Unfit`] when `path` is a folder, no database, not ours to write, or written by a newer program.
    pub async fn open(path: &Path) -> Result<Self, BrokerError> {
        let place: Arc<str> = format!("sqlite:{}", path.display()).into();
        if path.as_os_str().is_empty() || path.as_os_str() == ":memory:" {
            return Err(BrokerError::Unfit {
                place: place.to_string(),
                problem: "the queue needs a file that all processes can open".to_owned(),
                fix: "name one, e.g. sqlite:tidemill-data/queue.db".to_owned(),
            });
        }
        let thread = SqliteThread::open(path).await.map_err(|error| trouble::from_opening(error, &place))?;
        if let Some(problem) = thread.damage().await {
            return Err(Trouble::Damaged(format!("it is damaged: {problem}")).at(&place));
        }
        let gone = |gone| BrokerError::Unavailable { place: place.to_string(), source: Box::new(gone) };
        let prepared = thread.call(|db| transaction(db, Access::Write, schema::prepare)).await.map_err(gone)?;
        prepared.map_err(|trouble| trouble::at_opening(trouble, &place))?;
        let bells = Arc::new(Bells::beside(thread.path()));
        let log = Log::of(&thread);
        Ok(Self { thread, place, bells, log })
    }

    async fn call<T, W>(&self, work: W) -> Result<T, BrokerError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection) -> T + Send + 'static,
    {
        let gone = |gone| BrokerError::Unavailable { place: self.place.to_string(), source: Box::new(gone) };
        self.thread.call(work).await.map_err(gone)
    }

    /// Runs `work` in one transaction. The time is read once the file is ours, so no wait for a lock makes it old.
    async fn run<T, W>(&self, access: Access, work: W) -> Result<T, BrokerError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection, UnixMicros) -> Result<T, Trouble> + Send + 'static,
    {
        self.check_place()?;
        let answer = self.call(move |db| transaction(db, access, |db| work(db, clock::now()))).await?;
        answer.map_err(|trouble| trouble.at(&self.place))
    }

    /// As [`run`](Self::run) in a writing transaction. Rings after the commit if `is_due` sees in the answer that there
    /// is more to take. On the database's thread: a caller that stopped waiting leaves nobody asleep.
    async fn run_and_ring<T, W>(
        &self,
        access: Access,
        is_due: impl FnOnce(&T) -> bool + Send + 'static,
        work: W,
    ) -> Result<T, BrokerError>
    where
        T: Send + 'static,
        W: FnOnce(&mut SqliteConnection, UnixMicros) -> Result<T, Trouble> + Send + 'static,
    {
        self.check_place()?;
        let bells = Arc::clone(&self.bells);
        let answer = self
            .call(move |db| {
                let answer = transaction(db, access, |db| work(db, clock::now()));
                if answer.as_ref().is_ok_and(is_due) {
                    bells.ring();
                }
                answer
            })
            .await?;
        answer.map_err(|trouble| trouble.at(&self.place))
    }

    fn check_place(&self) -> Result<(), BrokerError> {
        if self.thread.is_in_place() {
            return Ok(());
        }
        Err(BrokerError::Unfit {
            place: self.place.to_string(),
            problem: "the file was deleted or replaced while it was in use".to_owned(),
            fix: "put it back, then restart every process that uses it".to_owned(),
        })
    }
}

#[async_trait]
impl Broker for SqliteBroker {
    async fn preflight(&self) -> Result<Vec<String>, BrokerError> {
        self.run(Access::Read, |db, _now| desk::preflight(db)).await
    }

    async fn next_epoch(&self) -> Result<Epoch, BrokerError> {
        self.run(Access::Write, desk::next_epoch).await
    }

    async fn enqueue(&self, enqueue: &Enqueue<'_>) -> Result<Enqueued, BrokerError> {
        let packed = enqueue::Packed::new(enqueue).map_err(|trouble| trouble.at(&self.place))?;
        let has_tasks = !enqueue.tasks.is_empty();
        self.check_place()?;
        let (bells, log) = (Arc::clone(&self.bells), self.log.clone());
        let ring = move |answer: &Enqueued| {
            if has_tasks && *answer == Enqueued::Accepted {
                bells.ring();
            }
        };
        let answer = self.call(move |db| log.write_through(db, |db| packed.run(db, clock::now()), ring)).await?;
        answer.map_err(|trouble| trouble.at(&self.place))
    }

    async fn take(&self, take: &Take) -> Result<Taken, BrokerError> {
        self.check_place()?;
        let take = take.clone();
        let look_and_take = move |db: &mut SqliteConnection| {
            let seen = transaction(db, Access::Read, |db| take::peek(db, &take, clock::now()))?;
            seen.map_or_else(|| transaction(db, Access::Undoable, |db| take::run(db, &take, clock::now())), Ok)
        };
        self.call(look_and_take).await?.map_err(|trouble: Trouble| trouble.at(&self.place))
    }

    fn bell(&self, _queues: &[QueueName]) -> Box<dyn Bell> {
        self.bells.hang(&self.place) // rung for every queue of the file
    }

    async fn settle(
        &self,
        settlement: &Settlement,
        next: Option<&Take>,
    ) -> Result<(Settled, Option<Taken>), BrokerError> {
        let (settlement, next) = (settlement.clone(), next.cloned());
        let retries = settlement.retry.iter().any(|retry| retry.after.is_zero());
        self.run_and_ring(
            Access::Undoable,
            move |_| retries,
            move |db, now| settle::run(db, &settlement, next.as_ref(), now),
        )
        .await
    }

    async fn release(&self, queue: &QueueName, lease: LeaseId) -> Result<Settled, BrokerError> {
        let queue = queue.clone();
        let is_due = |answer: &Settled| *answer == Settled::Done;
        self.run_and_ring(Access::Write, is_due, move |db, now| settle::release(db, &queue, lease, now)).await
    }

    async fn renew(&self, queue: &QueueName, leases: &[LeaseId], ttl: Duration) -> Result<Vec<LeaseId>, BrokerError> {
        let (queue, leases) = (queue.clone(), leases.to_vec());
        self.run(Access::Write, move |db, now| batch::renew(db, &queue, leases, ttl, now)).await
    }

    async fn reap(&self, queue: &QueueName) -> Result<Reaped, BrokerError> {
        let asked = queue.clone();
        if !self.run(Access::Read, move |db, now| reap::is_needed(db, &asked, now)).await? {
            return Ok(Reaped::default());
        }
        let queue = queue.clone();
        let is_due = |reaped: &Reaped| 0 < reaped.returned + reaped.bisected;
        self.run_and_ring(Access::Write, is_due, move |db, now| reap::run(db, &queue, now)).await
    }
}

#[async_trait]
impl BrokerDesk for SqliteBroker {
    async fn queues(&self) -> Result<Vec<QueueName>, BrokerError> {
        self.run(Access::Read, |db, _now| desk::queues(db)).await
    }

    async fn census(&self, queue: &QueueName) -> Result<Census, BrokerError> {
        let queue = queue.clone();
        self.run(Access::Read, move |db, _now| desk::census(db, &queue)).await
    }

    async fn set_paused(&self, queue: &QueueName, paused: bool) -> Result<(), BrokerError> {
        let queue = queue.clone();
        self.run_and_ring(Access::Write, move |()| !paused, move |db, _now| desk::set_paused(db, &queue, paused)).await
    }

    async fn dead_page(
        &self,
        queue: &QueueName,
        filter: &DeadFilter,
        from: Option<DeadId>,
        limit: u32,
    ) -> Result<DeadPage, BrokerError> {
        let (queue, filter) = (queue.clone(), filter.clone());
        self.run(Access::Read, move |db, _now| dead::page(db, &queue, &filter, from, limit)).await
    }

    async fn dead_retry(&self, queue: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError> {
        let (queue, ids) = (queue.clone(), ids.to_vec());
        self.run_and_ring(Access::Write, |found| 0 < *found, move |db, _now| dead::retry(db, &queue, &ids)).await
    }

    async fn dead_purge(&self, queue: &QueueName, ids: &[DeadId]) -> Result<u64, BrokerError> {
        let (queue, ids) = (queue.clone(), ids.to_vec());
        self.run(Access::Write, move |db, _now| dead::purge(db, &queue, &ids)).await
    }

    async fn fsck(&self, queue: &QueueName, check: Check) -> Result<Vec<Finding>, BrokerError> {
        let queue = queue.clone();
        let work = move |db: &mut SqliteConnection, _now| fsck::run(db, &queue, check);
        match check {
            Check::Look => self.run(Access::Read, work).await,
            Check::Fix => self.run_and_ring(Access::Write, |findings| !findings.is_empty(), work).await,
        }
    }

    async fn announce(&self, presence: &Presence, ttl: Duration) -> Result<(), BrokerError> {
        let presence = presence.clone();
        self.run(Access::Write, move |db, now| desk::announce(db, &presence, ttl, now)).await
    }

    async fn depart(&self, instance: InstanceId) -> Result<(), BrokerError> {
        self.run(Access::Write, move |db, _now| desk::depart(db, instance)).await
    }

    async fn presences(&self) -> Result<Vec<Presence>, BrokerError> {
        self.run(Access::Read, desk::presences).await
    }
}

#[cfg(test)]
mod tests;
