//! The thread that owns a SQLite connection.

use common::sqlite::{SqliteThread, ThreadGone};
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sqlite::SqliteConnection;

#[tokio::test]
async fn a_call_that_panics_is_rolled_back_and_the_next_one_works() {
    let folder = tempfile::tempdir().unwrap();
    let thread = SqliteThread::open(&folder.path().join("t.db")).await.unwrap();
    thread.call(|db| db.batch_execute("CREATE TABLE t (n INTEGER)")).await.unwrap().unwrap();
    let panicked = thread
        .call(|db: &mut SqliteConnection| {
            db.batch_execute("BEGIN IMMEDIATE; INSERT INTO t VALUES (1)").unwrap();
            panic!("a bug");
        })
        .await;
    assert_eq!(panicked, Err(ThreadGone));
    let inserted = thread
        .call(|db| {
            diesel::sql_query("INSERT INTO t SELECT 2 FROM (SELECT count(*) AS n FROM t) WHERE n = 0").execute(db)
        })
        .await;
    assert_eq!(inserted.unwrap().unwrap(), 1, "the half-done row is not there");
}

#[tokio::test]
async fn calls_made_before_the_last_handle_is_dropped_still_run() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.db");
    let thread = SqliteThread::open(&path).await.unwrap();
    let work = tokio::spawn({
        let thread = thread.clone();
        async move { thread.call(|db| db.batch_execute("CREATE TABLE t (n INTEGER)")).await }
    });
    work.await.unwrap().unwrap().unwrap();
    drop(thread);
    let again = SqliteThread::open(&path).await.unwrap();
    again.call(|db| db.batch_execute("INSERT INTO t VALUES (1)")).await.unwrap().unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn a_new_file_is_readable_by_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep/er/t.db");
    let thread = SqliteThread::open(&path).await.unwrap();
    thread.call(|db| db.batch_execute("CREATE TABLE t (n INTEGER)")).await.unwrap().unwrap();
    for name in ["t.db", "t.db-wal", "t.db-shm"] {
        let mode = std::fs::metadata(path.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}

#[tokio::test]
async fn a_name_that_sqlite_reads_as_something_else_is_still_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file:x?mode=memory");
    let thread = SqliteThread::open(&path).await.unwrap();
    thread.call(|db| db.batch_execute("CREATE TABLE t (n INTEGER)")).await.unwrap().unwrap();
    assert!(thread.path().is_absolute());
    assert!(thread.is_in_place());
    assert!(path.exists());
    std::fs::remove_file(&path).unwrap();
    assert!(!thread.is_in_place());
}
