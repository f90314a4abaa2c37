//! The spool's SQL. Every function runs within a transaction.

use diesel::connection::{DefaultLoadingMode, SimpleConnection};
use diesel::sql_types::{BigInt, Binary, Nullable, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, QueryResult, RunQueryDsl};

use super::record::{self, Packed};
use super::{Head, SpoolContent};
use crate::broker::sqlite::ledger::{signed, unsigned};
use crate::broker::sqlite::trouble::Trouble;
use crate::sqlite::{query, statement};

/// The version of the tables below.
const VERSION: i64 = 1;

/// Ids are never used again, so a hole among them is a record that is missing.
const TABLES: &str = "
CREATE TABLE spool_schema (version INTEGER NOT NULL);
CREATE TABLE spool_enqueue (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    tasks INTEGER NOT NULL,
    envelope TEXT NOT NULL,
    checksum BLOB NOT NULL,
    body BLOB NOT NULL
);
";

/// What SQLite needs beside the records, in bytes: a few pages, and the unused ends of pages.
const OVERHEAD_BYTES: u64 = 16 * 4096;
const OVERHEAD_PART: u64 = 32;

/// A few pages for the empty tables, whatever the limit is.
const PAGES_MIN: u64 = 16;

/// Makes the tables, or checks those that are there.
pub(super) fn prepare(db: &mut SqliteConnection, bytes_max: u64) -> Result<SpoolContent, Trouble> {
    let page = pragma(db, "PRAGMA page_size")?.max(1);
    db.batch_execute(&format!("PRAGMA max_page_count = {}", (bytes_max / page).max(PAGES_MIN)))?;
    if query::<BigInt>("SELECT count(*) FROM sqlite_schema").get_result::<i64>(db)? == 0 {
        db.batch_execute(TABLES)?;
        statement("INSERT INTO spool_schema (version) VALUES (?)").bind(VERSION).execute(db)?;
        return Ok(SpoolContent { is_whole: true, ..SpoolContent::default() });
    }
    let is_ours = query::<BigInt>(
        "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name IN ('spool_schema', 'spool_enqueue')",
    );
    if is_ours.get_result::<i64>(db)? != 2 {
        return Err(Trouble::Damaged("it holds the tables of another program".to_owned()));
    }
    match query::<BigInt>("SELECT version FROM spool_schema").get_result::<i64>(db).optional()? {
        Some(VERSION) => {}
        Some(other) if VERSION < other => {
            return Err(Trouble::Unfit {
                problem: format!("its tables have version {other}, this program writes version {VERSION}"),
                fix: "start a listener of the program that wrote it, which drains it".to_owned(),
            });
        }
        Some(_) | None => return Err(Trouble::Damaged("its version cannot be read".to_owned())),
    }
    let verdict = query::<Text>("PRAGMA quick_check(1)").get_result::<String>(db)?;
    if verdict != "ok" {
        return Err(Trouble::Damaged(verdict.trim().to_owned()));
    }
    content(db)
}

fn content(db: &mut SqliteConnection) -> Result<SpoolContent, Trouble> {
    let (enqueues, tasks, first, last) = query::<(BigInt, BigInt, BigInt, BigInt)>(
        "SELECT count(*), coalesce(sum(tasks), 0), coalesce(min(id), 0), coalesce(max(id), 0) FROM spool_enqueue",
    )
    .get_result::<(i64, i64, i64, i64)>(db)?;
    let given = query::<BigInt>("SELECT seq FROM sqlite_sequence WHERE name = 'spool_enqueue'");
    let given = given.get_result::<i64>(db).optional()?.unwrap_or(0);
    let is_whole = enqueues == 0 || (last == given && last.checked_sub(first) == Some(enqueues - 1));
    Ok(SpoolContent { enqueues: unsigned(enqueues), tasks: unsigned(tasks), is_whole })
}

pub(super) fn insert(db: &mut SqliteConnection, record: &Packed) -> Result<i64, Trouble> {
    let inserted =
        query::<BigInt>("INSERT INTO spool_enqueue (tasks, envelope, checksum, body) VALUES (?, ?, ?, ?) RETURNING id")
            .bind(record.tasks)
            .bind(&*record.envelope)
            .bind(&record.checksum[..])
            .bind(&record.body[..])
            .get_result::<i64>(db)?;
    Ok(inserted)
}

pub(super) fn head(db: &mut SqliteConnection, after: i64, max: usize, bytes_max: usize) -> Result<Head, Trouble> {
    // Nullable, because a damaged row may say so of any column.
    type Columns = (BigInt, Nullable<Binary>, Nullable<Binary>, Nullable<Binary>);
    type Values = (i64, Option<Vec<u8>>, Option<Vec<u8>>, Option<Vec<u8>>);
    let rows =
        query::<Columns>("SELECT id, envelope, body, checksum FROM spool_enqueue WHERE ? < id ORDER BY id LIMIT ?")
            .bind(after)
            .bind(signed(max))
            .load_iter::<Values, DefaultLoadingMode>(db)?;
    let mut head = Head::default();
    let mut bytes = 0;
    for row in rows {
        let (id, envelope, body, checksum) = row?;
        head.last = Some(id);
        bytes += body.as_ref().map_or(0, Vec::len);
        let read = envelope.zip(body).zip(checksum);
        match read.and_then(|((envelope, body), checksum)| record::unpack(id, &envelope, &body, &checksum)) {
            Some(spooled) => head.enqueues.push(spooled),
            None => head.damaged += 1,
        }
        if bytes_max <= bytes {
            break;
        }
    }
    Ok(head)
}

pub(super) fn remove(db: &mut SqliteConnection, last: i64) -> Result<(), Trouble> {
    statement("DELETE FROM spool_enqueue WHERE id <= ?").bind(last).execute(db)?;
    Ok(())
}

/// Bytes of the pages that hold something.
pub(super) fn bytes_used(db: &mut SqliteConnection) -> Result<u64, Trouble> {
    let [page, pages, free] =
        [pragma(db, "PRAGMA page_size")?, pragma(db, "PRAGMA page_count")?, pragma(db, "PRAGMA freelist_count")?];
    Ok(page * pages.saturating_sub(free))
}

/// What a file of so many bytes would need with one more record.
pub(super) fn with_overhead(bytes: u64) -> u64 {
    bytes.saturating_add(OVERHEAD_BYTES).saturating_add(bytes / OVERHEAD_PART)
}

fn pragma(db: &mut SqliteConnection, text: &'static str) -> QueryResult<u64> {
    query::<BigInt>(text).get_result::<i64>(db).map(unsigned)
}
