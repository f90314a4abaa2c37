//! Leasing batches from the head.

use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::batch::{self, BatchColumns, BatchRow, BatchValues, Delayed, small};
use super::chunks::{self, Head, HeadMax, Holder, WAITING};
use super::ledger::{self, Change, QueueRow, signed};
use super::trouble::Trouble;
use crate::clock::UnixMicros;
use crate::queue::{Batch, Take, Taken};
use crate::sqlite::{query, statement};
use diesel::sql_types::BigInt;

/// What can be answered without writing: a repetition, a used name, a pause, nothing to do. `None` when there is
/// something to lease.
///
/// Idle workers ask often; answered like this they never stand in a writer's way.
pub(super) fn peek(db: &mut SqliteConnection, take: &Take, now: UnixMicros) -> Result<Option<Taken>, Trouble> {
    let Some(queue) = ledger::find(db, &take.queue)? else { return Ok(Some(Taken::Empty)) };
    if let Some(taken) = standing(db, queue, take)? {
        return Ok(Some(taken));
    }
    let is_empty = queue.waiting == 0 && first_due(db, queue.id, now)?.is_none();
    Ok(is_empty.then_some(Taken::Empty))
}

/// Leases the next batch. Within a transaction.
pub(super) fn run(db: &mut SqliteConnection, take: &Take, now: UnixMicros) -> Result<Taken, Trouble> {
    let Some(queue) = ledger::find(db, &take.queue)? else { return Ok(Taken::Empty) };
    if let Some(taken) = standing(db, queue, take)? {
        return Ok(taken);
    }
    if let Some(due) = first_due(db, queue.id, now)? {
        return lease_again(db, queue.id, take, due, now);
    }
    if queue.waiting == 0 {
        return Ok(Taken::Empty);
    }
    lease_waiting(db, queue.id, take, now)
}

/// The answer that this lease's name has already, and that of a paused queue.
fn standing(db: &mut SqliteConnection, queue: QueueRow, take: &Take) -> Result<Option<Taken>, Trouble> {
    let lease = take.lease.to_string();
    if let Some(row) = batch::leased(db, queue.id, &lease)? {
        let head = chunks::head(db, Holder { queue: queue.id, batch: row.id }, HeadMax::ALL)?;
        return Ok(Some(handed_out(take, head, row.deliveries)));
    }
    if batch::ending(db, queue.id, &lease)?.is_some() {
        return Ok(Some(Taken::Used));
    }
    Ok(queue.is_paused.then_some(Taken::Paused))
}

/// The returned or delayed batch that has been due for longest.
fn first_due(db: &mut SqliteConnection, queue: i64, now: UnixMicros) -> QueryResult<Option<BatchRow>> {
    let row = query::<BatchColumns>(
        "SELECT id, tasks, deliveries, suspicion, alone FROM queue_batch
         WHERE queue = ? AND lease IS NULL AND due_at <= ? ORDER BY due_at, id LIMIT 1",
    )
    .bind(queue)
    .bind(now.0)
    .get_result::<BatchValues>(db)
    .optional()?;
    Ok(row.map(BatchRow::from))
}

fn lease_again(
    db: &mut SqliteConnection,
    queue: i64,
    take: &Take,
    due: BatchRow,
    now: UnixMicros,
) -> Result<Taken, Trouble> {
    let holder = Holder { queue, batch: due.id };
    let head = chunks::head(db, holder, limits(take))?;
    let tasks = signed(head.tasks.len());
    if tasks < due.tasks {
        // Larger than this worker wants: the rest stays due, as suspect as the whole.
        let rest =
            Delayed { tasks: due.tasks - tasks, deliveries: due.deliveries, suspicion: due.suspicion, due_at: now };
        let rest = rest.create(db, queue, now)?;
        chunks::move_rest(db, holder, rest, &head)?;
    }
    let deliveries = due.deliveries + 1;
    statement(
        "UPDATE queue_batch SET lease = ?, due_at = ?, since = ?, tasks = ?, deliveries = ?, worker = ? WHERE id = ?",
    )
    .bind(&*take.lease.to_string())
    .bind(now.after(take.ttl).0)
    .bind(now.0)
    .bind(tasks)
    .bind(deliveries)
    .bind(&*take.worker)
    .bind(due.id)
    .execute(db)?;
    let redelivered = if 1 < deliveries { tasks } else { 0 };
    Change { delayed: -tasks, leased: tasks, redelivered, ..Change::default() }.apply(db, queue)?;
    Ok(handed_out(take, head, deliveries))
}

fn lease_waiting(db: &mut SqliteConnection, queue: i64, take: &Take, now: UnixMicros) -> Result<Taken, Trouble> {
    let holder = Holder { queue, batch: WAITING };
    let head = chunks::head(db, holder, limits(take))?;
    let tasks = signed(head.tasks.len());
    if tasks == 0 {
        return Err(Trouble::Damaged("tasks are counted as waiting, but there are none".to_owned()));
    }
    let id = query::<BigInt>(
        "INSERT INTO queue_batch (queue, lease, due_at, since, tasks, deliveries, worker) VALUES (?, ?, ?, ?, ?, 1, ?)
         RETURNING id",
    )
    .bind(queue)
    .bind(&*take.lease.to_string())
    .bind(now.after(take.ttl).0)
    .bind(now.0)
    .bind(tasks)
    .bind(&*take.worker)
    .get_result::<i64>(db)?;
    chunks::move_head(db, holder, id, &head)?;
    Change { waiting: -tasks, leased: tasks, ..Change::default() }.apply(db, queue)?;
    Ok(handed_out(take, head, 1))
}

fn limits(take: &Take) -> HeadMax {
    HeadMax {
        tasks: usize::try_from(take.tasks_max.clamp(1, Take::TASKS_LIMIT)).unwrap_or(1),
        bytes: usize::try_from(take.bytes_max).unwrap_or(usize::MAX),
    }
}

fn handed_out(take: &Take, head: Head, deliveries: i64) -> Taken {
    Taken::Batch(Batch { lease: take.lease, tasks: head.tasks, deliveries: small(deliveries) })
}
