//! Leasing batches from the head.

use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::batch::{self, BatchColumns, BatchRow, BatchValues, small};
use super::chunks::{self, Head, HeadMax, Holder, WAITING};
use super::ledger::{self, Change, QueueRow, signed};
use super::trouble::Trouble;
use crate::clock::UnixMicros;
use crate::queue::{Batch, Take, Taken};
use crate::sqlite::{query, statement};

/// What can be answered without writing: a used name, a pause, nothing to do. `None` when there is something to lease.
///
/// Idle workers ask often; answered like this they never stand in a writer's way.
pub(super) fn peek(db: &mut SqliteConnection, take: &Take, now: UnixMicros) -> Result<Option<Taken>, Trouble> {
    // A queue that a worker asks for is known from then on.
    let Some(queue) = ledger::find(db, &take.queue)? else { return Ok(None) };
    let lease = take.lease.to_string();
    if batch::leased(db, queue.id, &lease)?.is_some() {
        return Ok(None);
    }
    if let Some(refusal) = refusal(db, queue, &lease)? {
        return Ok(Some(refusal));
    }
    let is_empty = queue.waiting == 0 && first_due(db, queue.id, now)?.is_none();
    Ok(is_empty.then_some(Taken::Empty))
}

/// Leases the next batch. Within a transaction.
pub(super) fn run(db: &mut SqliteConnection, take: &Take, now: UnixMicros) -> Result<Taken, Trouble> {
    let queue = ledger::find_or_create(db, &take.queue)?;
    let lease = take.lease.to_string();
    if let Some(row) = batch::leased(db, queue.id, &lease)? {
        // A repetition: the same batch, for as long as a fresh one.
        batch::prolong(db, queue.id, &lease, take.ttl, now)?;
        let head = chunks::head(db, Holder { queue: queue.id, batch: row.id }, HeadMax::ALL)?;
        let is_last = queue.waiting == 0 && first_due(db, queue.id, now)?.is_none();
        return Ok(handed_out(take, head, row.deliveries, is_last));
    }
    if let Some(refusal) = refusal(db, queue, &lease)? {
        return Ok(refusal);
    }
    if let Some(due) = first_due(db, queue.id, now)? {
        return lease_again(db, queue, take, due, now);
    }
    if queue.waiting == 0 {
        return Ok(Taken::Empty);
    }
    lease_waiting(db, queue, take, now)
}

fn refusal(db: &mut SqliteConnection, queue: QueueRow, lease: &str) -> QueryResult<Option<Taken>> {
    if batch::ending(db, queue.id, lease)?.is_some() {
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
    QueueRow { id: queue, waiting, .. }: QueueRow,
    take: &Take,
    due: BatchRow,
    now: UnixMicros,
) -> Result<Taken, Trouble> {
    let holder = Holder { queue, batch: due.id };
    let head = chunks::head(db, holder, limits(take))?;
    let tasks = signed(head.tasks.len());
    let lease = Leased { tasks, deliveries: due.deliveries + 1, suspicion: due.suspicion, alone: due.alone };
    if tasks < due.tasks {
        // Larger than this worker wants: the rest keeps its place, as suspect as the whole.
        let id = lease.create(db, queue, take, now)?;
        chunks::move_head(db, holder, id, &head)?;
        statement("UPDATE queue_batch SET tasks = tasks - ? WHERE id = ?").bind(tasks).bind(due.id).execute(db)?;
    } else {
        lease.take_over(db, due.id, take, now)?;
    }
    let redelivered = if 1 < lease.deliveries { tasks } else { 0 };
    Change { delayed: -tasks, leased: tasks, redelivered, ..Change::default() }.apply(db, queue)?;
    let is_last = waiting == 0 && first_due(db, queue, now)?.is_none();
    Ok(handed_out(take, head, lease.deliveries, is_last))
}

/// When nothing is due.
fn lease_waiting(
    db: &mut SqliteConnection,
    QueueRow { id: queue, waiting, .. }: QueueRow,
    take: &Take,
    now: UnixMicros,
) -> Result<Taken, Trouble> {
    let holder = Holder { queue, batch: WAITING };
    let head = chunks::head(db, holder, limits(take))?;
    let tasks = signed(head.tasks.len());
    if tasks == 0 {
        return Err(Trouble::Damaged("tasks are counted as waiting, but there are none".to_owned()));
    }
    let lease = Leased { tasks, deliveries: 1, suspicion: 0, alone: 0 };
    let id = lease.create(db, queue, take, now)?;
    chunks::move_head(db, holder, id, &head)?;
    Change { waiting: -tasks, leased: tasks, ..Change::default() }.apply(db, queue)?;
    Ok(handed_out(take, head, lease.deliveries, waiting == tasks))
}

/// A batch as it is under the new lease.
#[derive(Debug, Clone, Copy)]
struct Leased {
    tasks: i64,
    deliveries: i64,
    suspicion: i64,
    alone: i64,
}

impl Leased {
    /// Makes a row, without any chunk yet. Returns its id.
    fn create(&self, db: &mut SqliteConnection, queue: i64, take: &Take, now: UnixMicros) -> QueryResult<i64> {
        query::<BigInt>(
            "INSERT INTO queue_batch (queue, lease, due_at, since, worker, tasks, deliveries, suspicion, alone)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        )
        .bind(queue)
        .bind(&*take.lease.to_string())
        .bind(now.after(take.ttl).0)
        .bind(now.0)
        .bind(&*take.worker)
        .bind(self.tasks)
        .bind(self.deliveries)
        .bind(self.suspicion)
        .bind(self.alone)
        .get_result(db)
    }

    /// Turns the row of a whole delayed batch into a leased one.
    fn take_over(&self, db: &mut SqliteConnection, id: i64, take: &Take, now: UnixMicros) -> QueryResult<()> {
        statement("UPDATE queue_batch SET lease = ?, due_at = ?, since = ?, worker = ?, deliveries = ? WHERE id = ?")
            .bind(&*take.lease.to_string())
            .bind(now.after(take.ttl).0)
            .bind(now.0)
            .bind(&*take.worker)
            .bind(self.deliveries)
            .bind(id)
            .execute(db)
            .map(drop)
    }
}

fn limits(take: &Take) -> HeadMax {
    HeadMax {
        tasks: usize::try_from(take.tasks_max.clamp(1, Take::TASKS_LIMIT)).unwrap_or(1),
        bytes: usize::try_from(take.bytes_max).unwrap_or(usize::MAX),
    }
}

fn handed_out(take: &Take, head: Head, deliveries: i64, is_last: bool) -> Taken {
    Taken::Batch(Batch { lease: take.lease, tasks: head.tasks, deliveries: small(deliveries), is_last })
}
