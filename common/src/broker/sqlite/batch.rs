//! Batches and the names they are leased under.

use std::time::Duration;

use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::ledger::{self, signed};
use super::trouble::Trouble;
use crate::clock::UnixMicros;
use crate::queue::{LeaseId, QueueName};
use crate::sqlite::{query, statement};

/// How long an ended lease is remembered: longer than any client repeats a call.
const TOMBSTONE_TTL: Duration = Duration::from_mins(10);

/// Tombstones that one call may clear away. More than one, so that they never pile up.
const TOMBSTONES_PRUNED_MAX: u32 = 8;

/// A batch under lease, or one that waits for its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchRow {
    pub(super) id: i64,
    pub(super) tasks: i64,
    pub(super) deliveries: i64,
    pub(super) suspicion: i64,
    pub(super) alone: i64,
}

pub(super) type BatchColumns = (BigInt, BigInt, BigInt, BigInt, BigInt);
pub(super) type BatchValues = (i64, i64, i64, i64, i64);

impl From<BatchValues> for BatchRow {
    fn from((id, tasks, deliveries, suspicion, alone): BatchValues) -> Self {
        Self { id, tasks, deliveries, suspicion, alone }
    }
}

/// How a lease ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// Settled.
    Settled,
    /// Given back by its holder.
    Released,
    /// Expired, and taken back.
    Reaped,
}

impl Ending {
    fn as_str(self) -> &'static str {
        match self {
            Self::Settled => "settled",
            Self::Released => "released",
            Self::Reaped => "reaped",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Settled, Self::Released, Self::Reaped].into_iter().find(|ending| ending.as_str() == text)
    }
}

/// The batch under this lease.
pub(super) fn leased(db: &mut SqliteConnection, queue: i64, lease: &str) -> QueryResult<Option<BatchRow>> {
    let row = query::<BatchColumns>(
        "SELECT id, tasks, deliveries, suspicion, alone FROM queue_batch WHERE queue = ? AND lease = ?",
    )
    .bind(queue)
    .bind(lease)
    .get_result::<BatchValues>(db)
    .optional()?;
    Ok(row.map(BatchRow::from))
}

/// How a lease ended that is no longer held; `None` when it was never used, or too long ago to be remembered.
pub(super) fn ending(db: &mut SqliteConnection, queue: i64, lease: &str) -> QueryResult<Option<Ending>> {
    let outcome = query::<Text>("SELECT outcome FROM queue_tombstone WHERE queue = ? AND lease = ?")
        .bind(queue)
        .bind(lease)
        .get_result::<String>(db)
        .optional()?;
    Ok(outcome.and_then(|outcome| Ending::parse(&outcome)))
}

/// Remembers how a lease ended, and forgets the oldest that have run out.
pub(super) fn bury(
    db: &mut SqliteConnection,
    queue: i64,
    lease: &str,
    ending: Ending,
    now: UnixMicros,
) -> QueryResult<()> {
    // Lease names sort by time, so the first ones are the oldest.
    statement(
        "DELETE FROM queue_tombstone WHERE expires_at <= ? AND queue = ? AND lease IN (
             SELECT lease FROM queue_tombstone WHERE queue = ? ORDER BY lease LIMIT ?)",
    )
    .bind(now.0)
    .bind(queue)
    .bind(queue)
    .bind(TOMBSTONES_PRUNED_MAX)
    .execute(db)?;
    statement("INSERT INTO queue_tombstone (queue, lease, outcome, expires_at) VALUES (?, ?, ?, ?)")
        .bind(queue)
        .bind(lease)
        .bind(ending.as_str())
        .bind(now.after(TOMBSTONE_TTL).0)
        .execute(db)
        .map(drop)
}

/// A batch that waits until `due_at`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delayed {
    pub(super) tasks: i64,
    pub(super) deliveries: i64,
    pub(super) suspicion: i64,
    pub(super) due_at: UnixMicros,
}

impl Delayed {
    /// Makes the row, without any chunk yet. Returns its id.
    pub(super) fn create(&self, db: &mut SqliteConnection, queue: i64, now: UnixMicros) -> QueryResult<i64> {
        query::<BigInt>(
            "INSERT INTO queue_batch (queue, due_at, since, tasks, deliveries, suspicion) VALUES (?, ?, ?, ?, ?, ?)
             RETURNING id",
        )
        .bind(queue)
        .bind(self.due_at.0)
        .bind(now.0)
        .bind(self.tasks)
        .bind(self.deliveries)
        .bind(self.suspicion)
        .get_result(db)
    }
}

/// Takes the lease off a batch: it is due now.
pub(super) fn give_back(db: &mut SqliteConnection, batch: &BatchRow, now: UnixMicros) -> QueryResult<()> {
    statement(
        "UPDATE queue_batch SET lease = NULL, due_at = ?, since = ?, tasks = ?, deliveries = ?, suspicion = ?, alone = ?
         WHERE id = ?",
    )
    .bind(now.0)
    .bind(now.0)
    .bind(batch.tasks)
    .bind(batch.deliveries)
    .bind(batch.suspicion)
    .bind(batch.alone)
    .bind(batch.id)
    .execute(db)
    .map(drop)
}

/// Removes a batch's row.
pub(super) fn remove(db: &mut SqliteConnection, batch: i64) -> QueryResult<()> {
    statement("DELETE FROM queue_batch WHERE id = ?").bind(batch).execute(db).map(drop)
}

/// Moves a lease's deadline to `ttl` from now, never nearer. `false` when it is not held any more.
pub(super) fn prolong(
    db: &mut SqliteConnection,
    queue: i64,
    lease: &str,
    ttl: Duration,
    now: UnixMicros,
) -> QueryResult<bool> {
    // A deadline that was set in the future (the clock was set back since) is not one to keep.
    let changed = statement(
        "UPDATE queue_batch SET due_at = max(?, iif(since <= ?, due_at, 0)), since = ? WHERE queue = ? AND lease = ?",
    )
    .bind(now.after(ttl).0)
    .bind(now.0)
    .bind(now.0)
    .bind(queue)
    .bind(lease)
    .execute(db)?;
    Ok(0 < changed)
}

/// Prolongs leases to `ttl` from now. Returns those that are not held any more.
pub(super) fn renew(
    db: &mut SqliteConnection,
    queue: &QueueName,
    leases: Vec<LeaseId>,
    ttl: Duration,
    now: UnixMicros,
) -> Result<Vec<LeaseId>, Trouble> {
    let Some(queue) = ledger::find(db, queue)? else { return Ok(leases) };
    let mut lost = Vec::new();
    for lease in leases {
        if !prolong(db, queue.id, &lease.to_string(), ttl, now)? {
            lost.push(lease);
        }
    }
    Ok(lost)
}

/// After the clock was set back, deadlines lie further ahead than they were meant to: lets every delay that began in
/// the future begin now.
pub(super) fn restart_after_clock_step(db: &mut SqliteConnection, queue: i64, now: UnixMicros) -> QueryResult<()> {
    statement("UPDATE queue_batch SET due_at = ? + (due_at - since), since = ? WHERE queue = ? AND since > ?")
        .bind(now.0)
        .bind(now.0)
        .bind(queue)
        .bind(now.0)
        .execute(db)
        .map(drop)
}

/// A count that the seam gives as 32 bits.
pub(super) fn small(count: i64) -> u32 {
    u32::try_from(count.max(0)).unwrap_or(u32::MAX)
}

/// Microseconds as SQLite holds them.
pub(super) fn micros(duration: Duration) -> i64 {
    signed(duration.as_micros())
}
