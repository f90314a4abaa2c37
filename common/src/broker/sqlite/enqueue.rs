//! Adding tasks at the tail.

use std::time::Duration;

use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::body::{self, Body};
use super::chunks::{self, Holder, WAITING};
use super::ledger::{self, Change, signed, unsigned};
use super::trouble::Trouble;
use crate::broker::{Enqueue, Enqueued};
use crate::clock::UnixMicros;
use crate::queue::{IntakeCounts, QueueName};
use crate::sqlite::{query, statement};

/// A producer that was silent for so long is forgotten; its next life has another name.
const PRODUCER_TTL: Duration = Duration::from_hours(7 * 24);

/// An enqueue, packed and owned, on its way to the database's thread.
#[derive(Debug)]
pub(super) struct Packed {
    queue: QueueName,
    producer: String,
    batch: i64,
    bodies: Vec<Body>,
    tasks: i64,
    waiting_max: i64,
    counts: IntakeCounts,
}

impl Packed {
    pub(super) fn new(enqueue: &Enqueue<'_>) -> Result<Self, Trouble> {
        let too_long = || Trouble::Refused("a task is longer than 4 GiB".to_owned());
        Ok(Self {
            queue: enqueue.queue.clone(),
            producer: enqueue.producer.to_string(),
            batch: signed(enqueue.batch),
            bodies: body::pack(enqueue.tasks).ok_or_else(too_long)?,
            tasks: signed(enqueue.tasks.len()),
            waiting_max: signed(enqueue.waiting_max),
            counts: enqueue.counts.clone(),
        })
    }

    /// Within a transaction.
    pub(super) fn run(&self, db: &mut SqliteConnection, now: UnixMicros) -> Result<Enqueued, Trouble> {
        let queue = ledger::find_or_create(db, &self.queue)?;
        let last = self.last_batch(db, queue.id)?;
        if last.is_some_and(|last| self.batch <= last) {
            return Ok(Enqueued::Already);
        }
        if 0 < self.tasks && self.waiting_max < queue.waiting.saturating_add(self.tasks) {
            return Ok(Enqueued::Full { waiting: unsigned(queue.waiting) });
        }
        chunks::append(db, Holder { queue: queue.id, batch: WAITING }, &self.bodies)?;
        let change = Change {
            received: signed(self.counts.received),
            accepted: self.tasks,
            waiting: self.tasks,
            ..Change::default()
        };
        change.apply(db, queue.id)?;
        ledger::count_reasons(db, queue.id, "rejected", &self.counts.rejected)?;
        ledger::count_reasons(db, queue.id, "shed", &self.counts.shed)?;
        self.remember(db, queue.id, now)?;
        if last.is_none() {
            forget_producers(db, now)?;
        }
        Ok(Enqueued::Accepted)
    }

    fn last_batch(&self, db: &mut SqliteConnection, queue: i64) -> QueryResult<Option<i64>> {
        query::<BigInt>("SELECT last_batch FROM queue_producer WHERE queue = ? AND producer = ?")
            .bind(queue)
            .bind(&*self.producer)
            .get_result(db)
            .optional()
    }

    fn remember(&self, db: &mut SqliteConnection, queue: i64, now: UnixMicros) -> QueryResult<()> {
        statement(
            "INSERT INTO queue_producer (queue, producer, last_batch, used_at) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET last_batch = excluded.last_batch, used_at = excluded.used_at",
        )
        .bind(queue)
        .bind(&*self.producer)
        .bind(self.batch)
        .bind(now.0)
        .execute(db)
        .map(drop)
    }
}

/// Called when a new producer appears, so the table stays as small as the number of living ones.
fn forget_producers(db: &mut SqliteConnection, now: UnixMicros) -> QueryResult<()> {
    statement("DELETE FROM queue_producer WHERE used_at < ?")
        .bind(now.0.saturating_sub(super::batch::micros(PRODUCER_TTL)))
        .execute(db)
        .map(drop)
}
