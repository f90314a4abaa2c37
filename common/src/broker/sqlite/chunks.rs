//! Chunks: which tasks belong to which batch. No function here touches a counter.

use diesel::connection::DefaultLoadingMode;
use diesel::sql_types::{BigInt, Binary};
use diesel::sqlite::SqliteConnection;
use diesel::{QueryResult, RunQueryDsl};

use super::body::{self, Body};
use super::trouble::Trouble;
use crate::sqlite::{query, statement};

/// The waiting tasks of a queue, where a batch's id is asked for.
pub(super) const WAITING: i64 = 0;

/// Whose chunks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Holder {
    pub(super) queue: i64,
    pub(super) batch: i64,
}

/// The first tasks of a holder, and where they end.
#[derive(Debug, Default)]
pub(super) struct Head {
    /// Their bytes.
    pub(super) tasks: Vec<Vec<u8>>,
    /// The chunk that holds the last of them.
    last: Option<ChunkKey>,
    /// Where that chunk must be cut, if it holds more.
    cut: Option<Cut>,
}

#[derive(Debug, Clone, Copy)]
struct ChunkKey {
    body: i64,
    start: i64,
}

/// How much of a chunk stays before a cut.
#[derive(Debug, Clone, Copy)]
struct Cut {
    tasks: usize,
    bytes: usize,
}

/// How large a head may be: at most `tasks`, and no further one once it holds `bytes`.
#[derive(Debug, Clone, Copy)]
pub(super) struct HeadMax {
    pub(super) tasks: usize,
    pub(super) bytes: usize,
}

impl HeadMax {
    /// All there is.
    pub(super) const ALL: Self = Self { tasks: usize::MAX, bytes: usize::MAX };
}

/// Adds tasks at the end of a holder.
pub(super) fn append(db: &mut SqliteConnection, holder: Holder, bodies: &[Body]) -> QueryResult<()> {
    for body in bodies {
        let id = query::<BigInt>("INSERT INTO queue_body (body) VALUES (?) RETURNING id")
            .bind(&body.bytes[..])
            .get_result::<i64>(db)?;
        statement("INSERT INTO queue_chunk (queue, batch, body, start, tasks, bytes) VALUES (?, ?, ?, 0, ?, ?)")
            .bind(holder.queue)
            .bind(holder.batch)
            .bind(id)
            .bind(body.tasks)
            .bind(body.bytes.len())
            .execute(db)?;
    }
    Ok(())
}

/// Reads the first tasks of a holder, within `max`, but at least one if there is any.
pub(super) fn head(db: &mut SqliteConnection, holder: Holder, max: HeadMax) -> Result<Head, Trouble> {
    let chunks = query::<(BigInt, BigInt, Binary)>(
        "SELECT c.body, c.start, iif(c.shared, substr(b.body, c.start + 1, c.bytes), b.body)
         FROM queue_chunk c JOIN queue_body b ON b.id = c.body
         WHERE c.queue = ? AND c.batch = ? ORDER BY c.body, c.start",
    )
    .bind(holder.queue)
    .bind(holder.batch)
    .load_iter::<(i64, i64, Vec<u8>), DefaultLoadingMode>(db)?;
    let mut head = Head::default();
    let mut room = max.bytes;
    for chunk in chunks {
        let (body, start, bytes) = chunk?;
        head.last = Some(ChunkKey { body, start });
        let mut rest = &bytes[..];
        let mut taken = 0;
        while !rest.is_empty() && head.tasks.len() < max.tasks && (0 < room || head.tasks.is_empty()) {
            let (task, later) = body::split_first(rest)?;
            room = room.saturating_sub(task.len());
            head.tasks.push(task.to_vec());
            taken += 1;
            rest = later;
        }
        if !rest.is_empty() {
            head.cut = Some(Cut { tasks: taken, bytes: bytes.len() - rest.len() });
        }
        if max.tasks <= head.tasks.len() || room == 0 {
            break;
        }
    }
    Ok(head)
}

/// Gives the tasks of `head` to another batch of the queue.
pub(super) fn move_head(db: &mut SqliteConnection, from: Holder, to: i64, head: &Head) -> QueryResult<()> {
    let Some(last) = end(db, from, head)? else { return Ok(()) };
    statement("UPDATE queue_chunk SET batch = ? WHERE queue = ? AND batch = ? AND (body, start) <= (?, ?)")
        .bind(to)
        .bind(from.queue)
        .bind(from.batch)
        .bind(last.body)
        .bind(last.start)
        .execute(db)
        .map(drop)
}

/// Gives the tasks after `head` to another batch of the queue.
pub(super) fn move_rest(db: &mut SqliteConnection, from: Holder, to: i64, head: &Head) -> QueryResult<()> {
    let Some(last) = end(db, from, head)? else { return Ok(()) };
    statement("UPDATE queue_chunk SET batch = ? WHERE queue = ? AND batch = ? AND (body, start) > (?, ?)")
        .bind(to)
        .bind(from.queue)
        .bind(from.batch)
        .bind(last.body)
        .bind(last.start)
        .execute(db)
        .map(drop)
}

/// Makes `head` end at the end of a chunk.
fn end(db: &mut SqliteConnection, holder: Holder, head: &Head) -> QueryResult<Option<ChunkKey>> {
    let Some(last) = head.last else { return Ok(None) };
    if let Some(cut) = head.cut {
        statement(
            "INSERT INTO queue_chunk (queue, batch, body, start, tasks, bytes, shared)
             SELECT queue, batch, body, start + ?, tasks - ?, bytes - ?, 1 FROM queue_chunk
             WHERE queue = ? AND batch = ? AND body = ? AND start = ?",
        )
        .bind(cut.bytes)
        .bind(cut.tasks)
        .bind(cut.bytes)
        .bind(holder.queue)
        .bind(holder.batch)
        .bind(last.body)
        .bind(last.start)
        .execute(db)?;
        statement(
            "UPDATE queue_chunk SET tasks = ?, bytes = ?, shared = 1
             WHERE queue = ? AND batch = ? AND body = ? AND start = ?",
        )
        .bind(cut.tasks)
        .bind(cut.bytes)
        .bind(holder.queue)
        .bind(holder.batch)
        .bind(last.body)
        .bind(last.start)
        .execute(db)?;
    }
    Ok(Some(last))
}

/// Forgets all tasks of a batch, and the bodies that no other chunk lies in.
pub(super) fn delete(db: &mut SqliteConnection, holder: Holder) -> QueryResult<()> {
    statement(
        "DELETE FROM queue_body WHERE id IN (
             SELECT c.body FROM queue_chunk c WHERE c.queue = ? AND c.batch = ? AND (c.shared = 0 OR NOT EXISTS (
                 SELECT 1 FROM queue_chunk o WHERE o.shared = 1 AND o.body = c.body
                     AND NOT (o.queue = c.queue AND o.batch = c.batch))))",
    )
    .bind(holder.queue)
    .bind(holder.batch)
    .execute(db)?;
    statement("DELETE FROM queue_chunk WHERE queue = ? AND batch = ?")
        .bind(holder.queue)
        .bind(holder.batch)
        .execute(db)
        .map(drop)
}
