//! Dead letters: kept until a person decides.

use std::collections::BTreeSet;

use diesel::sql_types::Text;
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::body;
use super::chunks::{self, Holder, WAITING};
use super::ledger::{self, Change, signed};
use super::trouble::Trouble;
use crate::queue::{DeadFilter, DeadId, DeadLetter, DeadPage, QueueName};
use crate::sqlite::{query, statement};

/// Letters of one page.
const PAGE_MAX: u32 = 1_000;

/// Keeps letters. Does not count them.
pub(super) fn insert(db: &mut SqliteConnection, queue: i64, letters: &[DeadLetter]) -> Result<(), Trouble> {
    for letter in letters {
        let text = serde_json::to_string(letter).map_err(|error| Trouble::Refused(error.to_string()))?;
        statement("INSERT INTO queue_dead (queue, id, reason, code, letter) VALUES (?, ?, ?, ?, ?)")
            .bind(queue)
            .bind(&*letter.id.to_string())
            .bind(&*letter.reason)
            .bind(letter.code.as_deref())
            .bind(&*text)
            .execute(db)?;
    }
    Ok(())
}

/// One page, oldest first.
pub(super) fn page(
    db: &mut SqliteConnection,
    queue: &QueueName,
    filter: &DeadFilter,
    from: Option<DeadId>,
    limit: u32,
) -> Result<DeadPage, Trouble> {
    let Some(queue) = ledger::find(db, queue)? else { return Ok(DeadPage::default()) };
    let limit = limit.clamp(1, PAGE_MAX);
    let only = filter.id.map(|id| id.to_string());
    let texts = query::<Text>(
        "SELECT letter FROM queue_dead WHERE queue = ? AND id >= ? AND id = coalesce(?, id)
             AND reason = coalesce(?, reason) AND code IS coalesce(?, code)
             AND (? IS NULL OR json_extract(letter, '$.symbol') = ?)
             AND (? = 0 OR json_extract(letter, '$.died_at') < ?)
         ORDER BY id LIMIT ?",
    )
    .bind(queue.id)
    .bind(&*from.map(|id| id.to_string()).unwrap_or_default())
    .bind(only.as_deref())
    .bind(filter.reason.as_deref())
    .bind(filter.code.as_deref())
    .bind(filter.symbol.as_deref())
    .bind(filter.symbol.as_deref())
    .bind(i64::from(filter.died_before.is_some()))
    .bind(filter.died_before.unwrap_or_default().0)
    .bind(limit + 1) // the one more says where the next page starts
    .load::<String>(db)?;
    let mut letters = texts.iter().map(|text| parse(text)).collect::<Result<Vec<_>, _>>()?;
    let next = letters.get(limit as usize).map(|letter| letter.id);
    letters.truncate(limit as usize);
    Ok(DeadPage { letters, next })
}

/// Puts letters back to the tail. Within a transaction.
pub(super) fn retry(db: &mut SqliteConnection, queue: &QueueName, ids: &[DeadId]) -> Result<u64, Trouble> {
    let Some(queue) = ledger::find(db, queue)? else { return Ok(0) };
    let mut tasks = Vec::new();
    // Oldest first, and each once, whatever the caller's list looks like.
    for id in ids.iter().collect::<BTreeSet<_>>() {
        if let Some(text) = remove(db, queue.id, *id)? {
            tasks.push(parse(&text)?.task);
        }
    }
    let bodies = body::pack(&tasks).ok_or_else(|| Trouble::Damaged("a dead letter is longer than 4 GiB".to_owned()))?;
    chunks::append(db, Holder { queue: queue.id, batch: WAITING }, &bodies)?;
    let count = signed(tasks.len());
    Change { dead: -count, waiting: count, ..Change::default() }.apply(db, queue.id)?;
    Ok(count.unsigned_abs())
}

/// Deletes letters. Within a transaction.
pub(super) fn purge(db: &mut SqliteConnection, queue: &QueueName, ids: &[DeadId]) -> Result<u64, Trouble> {
    let Some(queue) = ledger::find(db, queue)? else { return Ok(0) };
    let mut count = 0;
    for id in ids {
        count += i64::from(remove(db, queue.id, *id)?.is_some());
    }
    Change { dead: -count, purged: count, ..Change::default() }.apply(db, queue.id)?;
    Ok(count.unsigned_abs())
}

fn remove(db: &mut SqliteConnection, queue: i64, id: DeadId) -> QueryResult<Option<String>> {
    query::<Text>("DELETE FROM queue_dead WHERE queue = ? AND id = ? RETURNING letter")
        .bind(queue)
        .bind(&*id.to_string())
        .get_result(db)
        .optional()
}

fn parse(text: &str) -> Result<DeadLetter, Trouble> {
    serde_json::from_str(text).map_err(|error| Trouble::Damaged(format!("a dead letter cannot be read: {error}")))
}
