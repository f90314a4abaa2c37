//! The tables. All names begin with `queue_`, so that a queue can live in the price store's file.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Text};
use diesel::sqlite::SqliteConnection;
use diesel::{OptionalExtension, RunQueryDsl};

use super::trouble::Trouble;
use crate::sqlite::{query, statement};

/// The version of the tables below. A row of our own and not `PRAGMA user_version`: that belongs to the whole file.
const VERSION: i64 = 1;

/// A queue's tasks lie in immutable **bodies**, many to a row. A **chunk** is a range of a body; it belongs to a
/// batch, or to the waiting tasks (batch 0). Taking, returning and halving batches re-labels and cuts chunks; no task
/// is ever copied. `shared` is 1 where other chunks may lie in the same body. Within a batch the order is
/// `(body, start)`: bodies are numbered as they come.
///
/// A batch with a lease is leased until `due_at`; one without is delayed until then. `since` is when `due_at` was
/// set: both are needed to keep a delay's length when the clock is set back.
const TABLES: &str = "
CREATE TABLE queue_schema (version INTEGER NOT NULL);
CREATE TABLE queue_meta (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE queue_ledger (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    paused INTEGER NOT NULL DEFAULT 0,
    received INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    settled INTEGER NOT NULL DEFAULT 0,
    ticks INTEGER NOT NULL DEFAULT 0,
    stored INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0,
    legacy INTEGER NOT NULL DEFAULT 0,
    expired INTEGER NOT NULL DEFAULT 0,
    waiting INTEGER NOT NULL DEFAULT 0 CHECK (0 <= waiting),
    leased INTEGER NOT NULL DEFAULT 0 CHECK (0 <= leased),
    delayed INTEGER NOT NULL DEFAULT 0 CHECK (0 <= delayed),
    dead INTEGER NOT NULL DEFAULT 0 CHECK (0 <= dead),
    purged INTEGER NOT NULL DEFAULT 0,
    redelivered INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE queue_reason (
    queue INTEGER NOT NULL,
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (queue, kind, reason)
) WITHOUT ROWID;
CREATE TABLE queue_body (id INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE queue_chunk (
    queue INTEGER NOT NULL,
    batch INTEGER NOT NULL,
    body INTEGER NOT NULL,
    start INTEGER NOT NULL,
    tasks INTEGER NOT NULL CHECK (0 < tasks),
    bytes INTEGER NOT NULL,
    shared INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (queue, batch, body, start)
) WITHOUT ROWID;
CREATE INDEX queue_chunk_shared ON queue_chunk (body) WHERE shared = 1;
CREATE TABLE queue_batch (
    id INTEGER PRIMARY KEY,
    queue INTEGER NOT NULL,
    lease TEXT,
    due_at INTEGER NOT NULL,
    since INTEGER NOT NULL,
    tasks INTEGER NOT NULL,
    deliveries INTEGER NOT NULL,
    suspicion INTEGER NOT NULL DEFAULT 0,
    alone INTEGER NOT NULL DEFAULT 0,
    worker TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX queue_batch_lease ON queue_batch (queue, lease) WHERE lease IS NOT NULL;
CREATE INDEX queue_batch_due ON queue_batch (queue, due_at, id) WHERE lease IS NULL;
CREATE TABLE queue_tombstone (
    queue INTEGER NOT NULL,
    lease TEXT NOT NULL,
    outcome TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    PRIMARY KEY (queue, lease)
) WITHOUT ROWID;
CREATE TABLE queue_producer (
    queue INTEGER NOT NULL,
    producer TEXT NOT NULL,
    last_batch INTEGER NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (queue, producer)
) WITHOUT ROWID;
CREATE TABLE queue_dead (
    queue INTEGER NOT NULL,
    id TEXT NOT NULL,
    reason TEXT NOT NULL,
    code TEXT,
    letter TEXT NOT NULL,
    UNIQUE (queue, id)
);
CREATE TABLE queue_presence (
    instance TEXT PRIMARY KEY,
    expires_at INTEGER NOT NULL,
    record TEXT NOT NULL
) WITHOUT ROWID;
";

/// Tables of groups of listeners. They came later and changed no other, so a file without them only gets them, and the
/// version stays: a program that does not know them works on with the queue.
const GROUP_TABLES: &str = "
CREATE TABLE IF NOT EXISTS queue_owner (
    group_name TEXT NOT NULL,
    owner TEXT NOT NULL,
    deadline INTEGER NOT NULL,
    ttl_us INTEGER NOT NULL,
    plan INTEGER NOT NULL,
    waited_for INTEGER NOT NULL,
    PRIMARY KEY (group_name, owner)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue_shard (
    group_name TEXT NOT NULL,
    shard INTEGER NOT NULL,
    owner TEXT NOT NULL,
    since INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    PRIMARY KEY (group_name, shard)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue_roster (
    group_name TEXT NOT NULL,
    revision INTEGER NOT NULL,
    id TEXT NOT NULL,
    event TEXT NOT NULL,
    PRIMARY KEY (group_name, revision),
    UNIQUE (group_name, id)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS queue_group (name TEXT PRIMARY KEY) WITHOUT ROWID;
";

/// Creates the tables where they are missing; refuses those of a newer program. Within a transaction.
pub(super) fn prepare(db: &mut SqliteConnection) -> Result<(), Trouble> {
    let present = query::<Text>("SELECT name FROM sqlite_schema WHERE type = 'table' AND name = 'queue_schema'")
        .get_result::<String>(db)
        .optional()?;
    if present.is_none() {
        db.batch_execute(TABLES)?;
        db.batch_execute(GROUP_TABLES)?;
        statement("INSERT INTO queue_schema (version) VALUES (?)").bind(VERSION).execute(db)?;
        return Ok(());
    }
    let version = query::<BigInt>("SELECT version FROM queue_schema").get_result::<i64>(db).optional()?;
    match version {
        Some(VERSION) => Ok(db.batch_execute(GROUP_TABLES)?),
        Some(other) => Err(Trouble::Unfit {
            problem: format!("its tables have version {other}, this program writes version {VERSION}"),
            fix: "use the program version that wrote the file, or another file".to_owned(),
        }),
        None => Err(Trouble::Damaged("the row of queue_schema is missing".to_owned())),
    }
}
