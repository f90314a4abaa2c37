//! The row of a queue: its counters, and whether it is paused.

use diesel::sql_types::BigInt;
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use crate::queue::QueueName;
use crate::sqlite::{query, statement};

/// A queue as the other statements name it.
#[derive(Debug, Clone, Copy)]
pub(super) struct QueueRow {
    pub(super) id: i64,
    pub(super) is_paused: bool,
    pub(super) waiting: i64,
}

/// Finds a queue; `None` when nobody has used it yet.
pub(super) fn find(db: &mut SqliteConnection, name: &QueueName) -> QueryResult<Option<QueueRow>> {
    let row = query::<(BigInt, BigInt, BigInt)>("SELECT id, paused, waiting FROM queue_ledger WHERE name = ?")
        .bind(name.as_str())
        .get_result::<(i64, i64, i64)>(db)
        .optional()?;
    Ok(row.map(|(id, paused, waiting)| QueueRow { id, is_paused: paused != 0, waiting }))
}

/// Finds a queue, or begins it.
pub(super) fn find_or_create(db: &mut SqliteConnection, name: &QueueName) -> QueryResult<QueueRow> {
    if let Some(row) = find(db, name)? {
        return Ok(row);
    }
    let id = query::<BigInt>("INSERT INTO queue_ledger (name) VALUES (?) RETURNING id")
        .bind(name.as_str())
        .get_result::<i64>(db)?;
    Ok(QueueRow { id, is_paused: false, waiting: 0 })
}

/// By how much a transaction changes a queue's counters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) received: i64,
    pub(super) accepted: i64,
    pub(super) settled: i64,
    pub(super) ticks: i64,
    pub(super) stored: i64,
    pub(super) superseded: i64,
    pub(super) legacy: i64,
    pub(super) expired: i64,
    pub(super) waiting: i64,
    pub(super) leased: i64,
    pub(super) delayed: i64,
    pub(super) dead: i64,
    pub(super) purged: i64,
    pub(super) redelivered: i64,
}

impl Change {
    /// Adds the change to the counters.
    pub(super) fn apply(&self, db: &mut SqliteConnection, queue: i64) -> QueryResult<()> {
        if *self == Self::default() {
            return Ok(());
        }
        statement(
            "UPDATE queue_ledger SET received = received + ?, accepted = accepted + ?, settled = settled + ?,
                 ticks = ticks + ?, stored = stored + ?, superseded = superseded + ?, legacy = legacy + ?,
                 expired = expired + ?, waiting = waiting + ?, leased = leased + ?, delayed = delayed + ?,
                 dead = dead + ?, purged = purged + ?, redelivered = redelivered + ?
             WHERE id = ?",
        )
        .bind(self.received)
        .bind(self.accepted)
        .bind(self.settled)
        .bind(self.ticks)
        .bind(self.stored)
        .bind(self.superseded)
        .bind(self.legacy)
        .bind(self.expired)
        .bind(self.waiting)
        .bind(self.leased)
        .bind(self.delayed)
        .bind(self.dead)
        .bind(self.purged)
        .bind(self.redelivered)
        .bind(queue)
        .execute(db)
        .map(drop)
    }
}

/// Adds to the counters that have a reason.
pub(super) fn count_reasons<'a>(
    db: &mut SqliteConnection,
    queue: i64,
    kind: &str,
    counts: impl IntoIterator<Item = (&'a Box<str>, &'a u64)>,
) -> QueryResult<()> {
    for (reason, count) in counts {
        statement(
            "INSERT INTO queue_reason (queue, kind, reason, n) VALUES (?, ?, ?, ?)
             ON CONFLICT DO UPDATE SET n = n + excluded.n",
        )
        .bind(queue)
        .bind(kind)
        .bind(&**reason)
        .bind(*count)
        .execute(db)?;
    }
    Ok(())
}

/// A count as SQLite holds it.
pub(super) fn signed<N: TryInto<i64>>(count: N) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// A counter of the table as the ledger holds it.
pub(super) fn unsigned<N: TryFrom<i64> + Default>(count: i64) -> N {
    N::try_from(count).unwrap_or_default()
}
