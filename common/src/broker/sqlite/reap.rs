//! Returning batches whose lease ran out, and finding the task that kills workers.
//!
//! A batch that expires once is returned whole. From the second time on it is halved, so that the culprit is soon
//! alone. A task is convicted only after it has expired alone several times: a restart of all workers, which
//! expires many innocent batches, convicts nobody.

use diesel::RunQueryDsl;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;

use super::batch::{self, BatchRow, Delayed, Ending};
use super::chunks::{self, HeadMax, Holder};
use super::dead;
use super::ledger::{self, Change};
use super::trouble::Trouble;
use crate::clock::UnixMicros;
use crate::queue::{DeadId, DeadLetter, QueueName, Reaped};
use crate::sqlite::query;

/// Leases that one sweep looks at.
const LEASES_MAX: u32 = 50;

/// A batch of several tasks is halved at its so many-th expiry.
const BISECT_AT: i64 = 2;

/// A task that expired alone so many times is convicted.
const CONVICT_AT: i64 = 3;

/// One expired lease.
struct Expired {
    row: BatchRow,
    lease: String,
    worker: String,
}

/// Sweeps once. Within a transaction.
pub(super) fn run(db: &mut SqliteConnection, queue: &QueueName, now: UnixMicros) -> Result<Reaped, Trouble> {
    let mut reaped = Reaped::default();
    let Some(queue) = ledger::find(db, queue)? else { return Ok(reaped) };
    batch::restart_after_clock_step(db, queue.id, now)?;
    for expired in expired(db, queue.id, now)? {
        batch::bury(db, queue.id, &expired.lease, Ending::Reaped, now)?;
        let tasks = expired.row.tasks;
        Change { leased: -tasks, delayed: tasks, ..Change::default() }.apply(db, queue.id)?;
        if expired.row.tasks == 1 {
            suspect(db, queue.id, &expired, now, &mut reaped)?;
        } else if expired.row.suspicion + 1 < BISECT_AT {
            let row = BatchRow { suspicion: expired.row.suspicion + 1, ..expired.row };
            batch::give_back(db, &row, now)?;
            reaped.returned += 1;
        } else {
            bisect(db, queue.id, expired.row, now)?;
            reaped.bisected += 1;
        }
    }
    Ok(reaped)
}

/// Whether there is anything to do, without writing.
pub(super) fn is_needed(db: &mut SqliteConnection, queue: &QueueName, now: UnixMicros) -> Result<bool, Trouble> {
    let Some(queue) = ledger::find(db, queue)? else { return Ok(false) };
    let rows = query::<BigInt>(
        "SELECT count(*) FROM queue_batch WHERE queue = ? AND (since > ? OR (lease IS NOT NULL AND due_at <= ?))",
    )
    .bind(queue.id)
    .bind(now.0)
    .bind(now.0)
    .get_result::<i64>(db)?;
    Ok(0 < rows)
}

fn expired(db: &mut SqliteConnection, queue: i64, now: UnixMicros) -> Result<Vec<Expired>, Trouble> {
    type Columns = (BigInt, BigInt, BigInt, BigInt, BigInt, Text, Text);
    type Values = (i64, i64, i64, i64, i64, String, String);
    let rows = query::<Columns>(
        "SELECT id, tasks, deliveries, suspicion, alone, lease, worker FROM queue_batch
         WHERE queue = ? AND lease IS NOT NULL AND due_at <= ? ORDER BY due_at, id LIMIT ?",
    )
    .bind(queue)
    .bind(now.0)
    .bind(LEASES_MAX)
    .load::<Values>(db)?;
    let expired = |(id, tasks, deliveries, suspicion, alone, lease, worker)| Expired {
        row: BatchRow { id, tasks, deliveries, suspicion, alone },
        lease,
        worker,
    };
    Ok(rows.into_iter().map(expired).collect())
}

/// Returns the older half and the newer half apart, the older one first.
fn bisect(db: &mut SqliteConnection, queue: i64, whole: BatchRow, now: UnixMicros) -> Result<(), Trouble> {
    let holder = Holder { queue, batch: whole.id };
    let half = usize::try_from(whole.tasks - whole.tasks / 2).unwrap_or(1);
    let head = chunks::head(db, holder, HeadMax { tasks: half, bytes: usize::MAX })?;
    let older = ledger::signed(head.tasks.len());
    // One expiry is left to each half: the next one halves it again.
    let suspicion = BISECT_AT - 1;
    let newer = Delayed {
        tasks: whole.tasks - older,
        deliveries: whole.deliveries,
        suspicion,
        due_at: now, // as the older half; of two that are due alike, the older row comes first
    };
    let newer = newer.create(db, queue, now)?;
    chunks::move_rest(db, holder, newer, &head)?;
    batch::give_back(db, &BatchRow { tasks: older, suspicion, ..whole }, now)?;
    Ok(())
}

/// A task that expired alone is returned, or convicted.
fn suspect(
    db: &mut SqliteConnection,
    queue: i64,
    expired: &Expired,
    now: UnixMicros,
    reaped: &mut Reaped,
) -> Result<(), Trouble> {
    let alone = expired.row.alone + 1;
    if alone < CONVICT_AT {
        batch::give_back(db, &BatchRow { alone, ..expired.row }, now)?;
        reaped.returned += 1;
        return Ok(());
    }
    let holder = Holder { queue, batch: expired.row.id };
    let head = chunks::head(db, holder, HeadMax::ALL)?;
    let letters: Vec<DeadLetter> = head.tasks.into_iter().map(|task| convicted(task, alone, expired, now)).collect();
    chunks::delete(db, holder)?;
    batch::remove(db, expired.row.id)?;
    dead::insert(db, queue, &letters)?;
    // The caller has counted the batch as delayed.
    Change { delayed: -1, dead: 1, ..Change::default() }.apply(db, queue)?;
    reaped.convicted += 1;
    Ok(())
}

fn convicted(task: Vec<u8>, alone: i64, expired: &Expired, now: UnixMicros) -> DeadLetter {
    DeadLetter {
        id: DeadId::fresh(),
        reason: "crash".into(),
        code: None,
        error: format!("its worker did not answer in time, {alone} times in a row with this task alone"),
        symbol: None,
        attempts: batch::small(expired.row.deliveries),
        worker: expired.worker.as_str().into(),
        died_at: now,
        task,
    }
}
