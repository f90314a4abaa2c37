//! Ending leases: settled, or given back.

use diesel::QueryResult;
use diesel::sqlite::SqliteConnection;

use super::batch::{self, BatchRow, Delayed, Ending};
use super::body::{self, Body};
use super::chunks::{self, Holder};
use super::ledger::{self, Change, signed};
use super::trouble::Trouble;
use super::{dead, take};
use crate::clock::UnixMicros;
use crate::queue::{LeaseId, QueueName, Settled, Settlement, Take, Taken};

/// Ends a lease, and takes the next batch in the same transaction.
pub(super) fn run(
    db: &mut SqliteConnection,
    settlement: &Settlement,
    next: Option<&Take>,
    now: UnixMicros,
) -> Result<(Settled, Option<Taken>), Trouble> {
    let settled = settle(db, settlement, now)?;
    let taken = next.map(|next| take::run(db, next, now)).transpose()?;
    Ok((settled, taken))
}

fn settle(db: &mut SqliteConnection, settlement: &Settlement, now: UnixMicros) -> Result<Settled, Trouble> {
    let Some(queue) = ledger::find(db, &settlement.queue)? else { return Ok(Settled::Lost) };
    let lease = settlement.lease.to_string();
    let Some(batch) = batch::leased(db, queue.id, &lease)? else {
        return Ok(repeated(batch::ending(db, queue.id, &lease)?, Ending::Settled));
    };
    let retried = check(settlement, &batch)?;
    chunks::delete(db, Holder { queue: queue.id, batch: batch.id })?;
    batch::remove(db, batch.id)?;
    batch::bury(db, queue.id, &lease, Ending::Settled, now)?;
    for retry in settlement.retry.iter().filter(|retry| !retry.tasks.is_empty()) {
        let bodies = pack(&retry.tasks)?;
        // A handler that ended has shown that the batch does not kill workers: no suspicion goes with it.
        let delayed =
            Delayed { tasks: signed(retry.tasks.len()), deliveries: 0, suspicion: 0, due_at: now.after(retry.after) };
        let id = delayed.create(db, queue.id, now)?;
        chunks::append(db, Holder { queue: queue.id, batch: id }, &bodies)?;
    }
    dead::insert(db, queue.id, &settlement.dead)?;
    count(db, queue.id, settlement, &batch, retried)?;
    Ok(Settled::Done)
}

/// Every task of the batch must have ended exactly one way, and every tick. Returns how many are to be retried.
fn check(settlement: &Settlement, batch: &BatchRow) -> Result<i64, Trouble> {
    let retried: i64 = settlement.retry.iter().map(|retry| signed(retry.tasks.len())).sum();
    let dead = signed(settlement.dead.len());
    let ended = i64::from(settlement.settled) + retried + dead;
    if ended != batch.tasks {
        return Err(Trouble::Refused(format!(
            "the settlement ends {ended} tasks ({} settled, {retried} retried, {dead} dead), the batch has {}",
            settlement.settled, batch.tasks
        )));
    }
    if !settlement.counts.is_balanced() {
        return Err(Trouble::Refused(format!("the settlement's ticks do not add up: {:?}", settlement.counts)));
    }
    Ok(retried)
}

fn count(
    db: &mut SqliteConnection,
    queue: i64,
    settlement: &Settlement,
    batch: &BatchRow,
    retried: i64,
) -> QueryResult<()> {
    let counts = &settlement.counts;
    let change = Change {
        accepted: signed(counts.foreign), // nobody has counted those yet
        settled: i64::from(settlement.settled),
        ticks: signed(counts.ticks),
        stored: signed(counts.stored),
        superseded: signed(counts.superseded),
        legacy: signed(counts.legacy),
        expired: signed(counts.expired),
        leased: -batch.tasks,
        delayed: retried,
        dead: signed(settlement.dead.len()),
        ..Change::default()
    };
    change.apply(db, queue)?;
    ledger::count_reasons(db, queue, "skipped", &counts.skipped)
}

/// Gives a batch back: due at once, as if it had not been handed out. Within a transaction.
pub(super) fn release(
    db: &mut SqliteConnection,
    queue: &QueueName,
    lease: LeaseId,
    now: UnixMicros,
) -> Result<Settled, Trouble> {
    let Some(queue) = ledger::find(db, queue)? else { return Ok(Settled::Lost) };
    let lease = lease.to_string();
    let Some(batch) = batch::leased(db, queue.id, &lease)? else {
        return Ok(repeated(batch::ending(db, queue.id, &lease)?, Ending::Released));
    };
    batch::give_back(db, &BatchRow { deliveries: (batch.deliveries - 1).max(0), ..batch }, now)?;
    batch::bury(db, queue.id, &lease, Ending::Released, now)?;
    Change { leased: -batch.tasks, delayed: batch.tasks, ..Change::default() }.apply(db, queue.id)?;
    Ok(Settled::Done)
}

fn repeated(ending: Option<Ending>, asked: Ending) -> Settled {
    if ending == Some(asked) { Settled::Already } else { Settled::Lost }
}

fn pack(tasks: &[Vec<u8>]) -> Result<Vec<Body>, Trouble> {
    body::pack(tasks).ok_or_else(|| Trouble::Refused("a task is longer than 4 GiB".to_owned()))
}
