//! Whether the tables of a SQLite broker agree with each other.

use std::path::Path;

use diesel::connection::SimpleConnection;
use diesel::sql_types::BigInt;
use diesel::{Connection, QueryableByName, RunQueryDsl, SqliteConnection};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

/// Each statement counts what must not be.
const CHECKS: [(&str, &str); 8] = [
    (
        "waiting tasks that the ledger does not count",
        "SELECT count(*) AS n FROM queue_ledger l WHERE waiting <>
             (SELECT coalesce(sum(tasks), 0) FROM queue_chunk c WHERE c.queue = l.id AND c.batch = 0)",
    ),
    (
        "leased or delayed tasks that the ledger does not count",
        "SELECT count(*) AS n FROM queue_ledger l WHERE
             leased <> (SELECT coalesce(sum(tasks), 0) FROM queue_batch WHERE queue = l.id AND lease IS NOT NULL) OR
             delayed <> (SELECT coalesce(sum(tasks), 0) FROM queue_batch WHERE queue = l.id AND lease IS NULL)",
    ),
    (
        "dead letters that the ledger does not count",
        "SELECT count(*) AS n FROM queue_ledger l WHERE dead <> (SELECT count(*) FROM queue_dead WHERE queue = l.id)",
    ),
    (
        "batches that do not have the tasks they say",
        "SELECT count(*) AS n FROM queue_batch b WHERE tasks <>
             (SELECT coalesce(sum(tasks), 0) FROM queue_chunk c WHERE c.queue = b.queue AND c.batch = b.id)",
    ),
    (
        "chunks of no batch",
        "SELECT count(*) AS n FROM queue_chunk WHERE batch <> 0 AND batch NOT IN (SELECT id FROM queue_batch)",
    ),
    ("bodies nobody needs", "SELECT count(*) AS n FROM queue_body WHERE id NOT IN (SELECT body FROM queue_chunk)"),
    (
        "chunks that overlap, or reach past their body",
        "SELECT count(*) AS n FROM (SELECT c.start + c.bytes AS past,
             coalesce(lead(c.start) OVER (PARTITION BY c.body ORDER BY c.start), length(b.body)) AS next
             FROM queue_chunk c LEFT JOIN queue_body b ON b.id = c.body) WHERE next IS NULL OR next < past",
    ),
    (
        "bodies of several chunks that say they have one",
        "SELECT count(*) AS n FROM queue_chunk c WHERE shared = 0 AND
             1 < (SELECT count(*) FROM queue_chunk o WHERE o.body = c.body)",
    ),
];

/// Fails the test when the tables disagree.
pub(crate) fn audit(path: &Path) {
    for (what, check) in CHECKS {
        assert_eq!(count(path, check), 0, "{what}");
    }
}

/// Changes the file behind the broker's back.
pub(crate) fn tamper(path: &Path, statements: &str) {
    connect(path).batch_execute(statements).expect("a good statement");
}

/// What `statement` counts.
pub(crate) fn count(path: &Path, statement: &str) -> i64 {
    let found: Count = diesel::sql_query(statement).get_result(&mut connect(path)).expect("a count");
    found.n
}

fn connect(path: &Path) -> SqliteConnection {
    let mut db = SqliteConnection::establish(&path.to_string_lossy()).expect("open");
    // The broker's thread may still be closing the file.
    db.batch_execute("PRAGMA busy_timeout = 5000").expect("a setting");
    db
}
