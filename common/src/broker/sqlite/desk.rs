//! What operators and the status page ask.

use std::collections::BTreeMap;
use std::time::Duration;

use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::chunks::{self, HeadMax, Holder, WAITING};
use super::ledger::{self, unsigned};
use super::trouble::Trouble;
use crate::broker::Census;
use crate::clock::UnixMicros;
use crate::ledger::Ledger;
use crate::market::Epoch;
use crate::presence::{InstanceId, Presence};
use crate::queue::{QueueName, Task};
use crate::sqlite::{query, statement};

/// The next epoch. Within a transaction.
pub(super) fn next_epoch(db: &mut SqliteConnection, now: UnixMicros) -> Result<Epoch, Trouble> {
    let number = query::<BigInt>(
        "INSERT INTO queue_meta (name, value) VALUES ('epoch', ?)
         ON CONFLICT DO UPDATE SET value = max(value + 1, excluded.value) RETURNING value",
    )
    .bind(Epoch::floor_at(now).get())
    .get_result::<i64>(db)?;
    Epoch::new(unsigned(number)).ok_or_else(|| Trouble::Refused(format!("the epochs are used up: {number}")))
}

/// All queues, by name.
pub(super) fn queues(db: &mut SqliteConnection) -> Result<Vec<QueueName>, Trouble> {
    let names = query::<Text>("SELECT name FROM queue_ledger ORDER BY name").load::<String>(db)?;
    let bad = |error: crate::queue::BadQueueName| Trouble::Damaged(error.to_string());
    names.iter().map(|name| name.parse().map_err(bad)).collect()
}

/// Within a transaction.
pub(super) fn set_paused(db: &mut SqliteConnection, queue: &QueueName, is_paused: bool) -> Result<(), Trouble> {
    let queue = ledger::find_or_create(db, queue)?;
    statement("UPDATE queue_ledger SET paused = ? WHERE id = ?")
        .bind(i64::from(is_paused))
        .bind(queue.id)
        .execute(db)?;
    Ok(())
}

/// Within a transaction, so that all numbers are of one moment.
pub(super) fn census(db: &mut SqliteConnection, queue: &QueueName) -> Result<Census, Trouble> {
    let Some(queue) = ledger::find(db, queue)? else { return Ok(Census::default()) };
    let ledger = counts(db, queue.id)?;
    let leases = query::<BigInt>("SELECT count(*) FROM queue_batch WHERE queue = ? AND lease IS NOT NULL")
        .bind(queue.id)
        .get_result::<i64>(db)?;
    let first = chunks::head(db, Holder { queue: queue.id, batch: WAITING }, HeadMax { tasks: 1, bytes: 1 })?;
    let oldest_at = first.tasks.first().and_then(|task| Some(Task::decode(task).ok()?.at));
    Ok(Census { ledger, oldest_at, leases: unsigned(leases), paused: queue.is_paused, generation: None })
}

/// All counts of a queue.
pub(super) fn counts(db: &mut SqliteConnection, queue: i64) -> QueryResult<Ledger> {
    let mut ledger = counters(db, queue)?;
    ledger.rejected = reasons(db, queue, "rejected")?;
    ledger.shed = reasons(db, queue, "shed")?;
    ledger.skipped = reasons(db, queue, "skipped")?;
    ledger.written_off = reasons(db, queue, "written_off")?;
    Ok(ledger)
}

fn counters(db: &mut SqliteConnection, queue: i64) -> QueryResult<Ledger> {
    type Intake = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
    type Ticks = (BigInt, BigInt, BigInt, BigInt, BigInt, BigInt, BigInt);
    let (received, accepted, settled, waiting, leased, delayed, dead) = query::<Intake>(
        "SELECT received, accepted, settled, waiting, leased, delayed, dead FROM queue_ledger WHERE id = ?",
    )
    .bind(queue)
    .get_result::<(i64, i64, i64, i64, i64, i64, i64)>(db)?;
    let (ticks, stored, superseded, legacy, expired, purged, redelivered) = query::<Ticks>(
        "SELECT ticks, stored, superseded, legacy, expired, purged, redelivered FROM queue_ledger WHERE id = ?",
    )
    .bind(queue)
    .get_result::<(i64, i64, i64, i64, i64, i64, i64)>(db)?;
    Ok(Ledger {
        received: unsigned(received),
        accepted: unsigned(accepted),
        settled: unsigned(settled),
        ticks: unsigned(ticks),
        stored: unsigned(stored),
        superseded: unsigned(superseded),
        legacy: unsigned(legacy),
        expired: unsigned(expired),
        waiting: unsigned(waiting),
        leased: unsigned(leased),
        delayed: unsigned(delayed),
        dead: unsigned(dead),
        purged: unsigned(purged),
        redelivered: unsigned(redelivered),
        ..Ledger::default()
    })
}

fn reasons(db: &mut SqliteConnection, queue: i64, kind: &str) -> QueryResult<BTreeMap<Box<str>, u64>> {
    let rows = query::<(Text, BigInt)>("SELECT reason, n FROM queue_reason WHERE queue = ? AND kind = ?")
        .bind(queue)
        .bind(kind)
        .load::<(String, i64)>(db)?;
    Ok(rows.into_iter().map(|(reason, n)| (reason.into(), unsigned(n))).collect())
}

/// Within a transaction.
pub(super) fn announce(
    db: &mut SqliteConnection,
    presence: &Presence,
    ttl: Duration,
    now: UnixMicros,
) -> Result<(), Trouble> {
    let record = serde_json::to_string(presence).map_err(|error| Trouble::Refused(error.to_string()))?;
    statement("DELETE FROM queue_presence WHERE expires_at <= ?").bind(now.0).execute(db)?;
    statement(
        "INSERT INTO queue_presence (instance, expires_at, record) VALUES (?, ?, ?)
         ON CONFLICT DO UPDATE SET expires_at = excluded.expires_at, record = excluded.record",
    )
    .bind(&*presence.instance.to_string())
    .bind(now.after(ttl).0)
    .bind(&*record)
    .execute(db)?;
    Ok(())
}

/// Within a transaction.
pub(super) fn depart(db: &mut SqliteConnection, instance: InstanceId) -> Result<(), Trouble> {
    statement("DELETE FROM queue_presence WHERE instance = ?").bind(&*instance.to_string()).execute(db)?;
    Ok(())
}

/// The records that have not run out, by age of the process.
pub(super) fn presences(db: &mut SqliteConnection, now: UnixMicros) -> Result<Vec<Presence>, Trouble> {
    let records = query::<Text>("SELECT record FROM queue_presence WHERE ? < expires_at ORDER BY instance")
        .bind(now.0)
        .load::<String>(db)?;
    // A record of another program version that this one cannot read is not its business.
    Ok(records.iter().filter_map(|record| serde_json::from_str(record).ok()).collect())
}

/// What a person should know of how the file is kept.
pub(super) fn preflight(db: &mut SqliteConnection) -> Result<Vec<String>, Trouble> {
    let mut warnings = Vec::new();
    let mode = query::<Text>("PRAGMA journal_mode").get_result::<String>(db)?;
    if mode != "wal" {
        warnings.push(format!(
            "SQLite's write-ahead log is off (journal mode {mode}), as on network file systems: the queue is slow, and \
             locks may not hold between machines; put the file on a local disk"
        ));
    }
    let synchronous = query::<BigInt>("PRAGMA synchronous").get_result::<i64>(db)?;
    if synchronous < FULL {
        warnings.push(format!("SQLite's synchronous is {synchronous}: a power failure may lose accepted tasks"));
    }
    if file_bytes(db)? <= CHECKED_BYTES_MAX {
        let answer = query::<Text>("PRAGMA quick_check(1)").get_result::<String>(db).optional()?.unwrap_or_default();
        if answer != "ok" {
            return Err(Trouble::Damaged(format!("SQLite's check says: {answer}")));
        }
    }
    Ok(warnings)
}

/// `PRAGMA synchronous` as a number, <https://sqlite.org/pragma.html#pragma_synchronous>.
const FULL: i64 = 2;

/// Larger files are not checked at start: it reads every page, about 1 GB/s.
const CHECKED_BYTES_MAX: i64 = 64 << 20;

fn file_bytes(db: &mut SqliteConnection) -> QueryResult<i64> {
    let pages = query::<BigInt>("PRAGMA page_count").get_result::<i64>(db)?;
    let page_bytes = query::<BigInt>("PRAGMA page_size").get_result::<i64>(db)?;
    Ok(pages.saturating_mul(page_bytes))
}
