//! SQLite as price store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use common::sqlite::SqliteThread;
use common::store::{PriceStore, StoreError, sqlite};
use common::testing::store_suite::Subject;
use diesel::RunQueryDsl;
use diesel::connection::SimpleConnection;
use diesel::sql_types::{Nullable, Text};

#[derive(diesel::QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

/// A folder that goes when the last user of the file has gone.
fn file() -> (Arc<tempfile::TempDir>, PathBuf) {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let file = folder.path().join("prices.db");
    (folder, file)
}

async fn subject() -> Subject {
    let (folder, file) = file();
    let handles: [Arc<dyn PriceStore>; 2] =
        [sqlite::connect(&file).await.unwrap(), sqlite::connect(&file).await.unwrap()];
    handles[0].migrate().await.unwrap();
    let thread = SqliteThread::open(&file).await.unwrap();
    let sql = move |statement: String| {
        let (thread, folder) = (thread.clone(), Arc::clone(&folder));
        let rows = async move {
            let rows: Vec<Row> =
                thread.call(move |connection| diesel::sql_query(statement).load(connection)).await.unwrap().unwrap();
            drop(folder);
            rows.into_iter().map(|row| row.value).collect()
        };
        Box::pin(rows) as _
    };
    Subject { handles, sql: Box::new(sql) }
}

mod conformance {
    common::store_suite!(super::subject);
}

#[tokio::test]
async fn a_file_without_tables_is_named_with_its_remedy() {
    let (_folder, file) = file();
    let error = sqlite::connect(&file).await.unwrap().census().await.unwrap_err();
    let StoreError::Systemic { code, source, .. } = &error else { panic!("{error:?}") };
    assert_eq!(code.as_deref(), Some("42P01"));
    assert!(source.to_string().contains("run `tidemill migrate`"), "{source}");
}

#[tokio::test]
async fn two_processes_may_migrate_a_new_file_at_once() {
    let (_folder, file) = file();
    let (first, second) = (sqlite::connect(&file).await.unwrap(), sqlite::connect(&file).await.unwrap());
    let (first, second) = tokio::join!(first.migrate(), second.migrate());
    let mut applied = [first.unwrap().len(), second.unwrap().len()];
    applied.sort_unstable();
    assert_eq!(applied[0], 0);
    assert!(0 < applied[1]);
}

#[tokio::test]
async fn what_is_no_database_is_named_with_its_remedy() {
    let (folder, file) = file();
    std::fs::write(&file, "this is a letter, not a database; it is long enough to have a header's length".repeat(40))
        .unwrap();
    for path in [file.as_path(), folder.path()] {
        let error = sqlite::connect(path).await.unwrap_err();
        let StoreError::Unfit { place, fix, .. } = &error else { panic!("{error:?}") };
        assert_eq!(*place, format!("sqlite:{}", path.display()));
        assert!(fix.contains("SQLite database"), "{fix}");
    }
}

#[tokio::test]
async fn a_damaged_page_is_refused_at_the_start_with_the_way_to_rescue_the_rest() {
    let (_folder, file) = file();
    let store = sqlite::connect(&file).await.unwrap();
    store.migrate().await.unwrap();
    drop(store);
    let mut bytes = Vec::new();
    common::testing::eventually("the file is closed", std::time::Duration::from_secs(10), async || {
        bytes = std::fs::read(&file).unwrap();
        !file.with_extension("db-wal").exists()
    })
    .await;
    let page = usize::from(u16::from_be_bytes([bytes[16], bytes[17]]));
    bytes[page..2 * page].fill(0xff);
    std::fs::write(&file, bytes).unwrap();
    let error = sqlite::connect(&file).await.unwrap_err();
    let StoreError::Unfit { problem, fix, .. } = &error else { panic!("{error:?}") };
    assert!(problem.contains("damaged") && fix.contains(".recover"), "{problem}: {fix}");
}

#[tokio::test]
async fn a_file_that_was_deleted_in_use_takes_no_more_rows() {
    let (_folder, file) = file();
    let store = sqlite::connect(&file).await.unwrap();
    store.migrate().await.unwrap();
    let elsewhere = file.with_extension("away");
    std::fs::rename(&file, &elsewhere).unwrap();
    let error = store.census().await.unwrap_err();
    assert!(matches!(&error, StoreError::Unfit { problem, .. } if problem.contains("deleted")), "{error:?}");
    std::fs::rename(&elsewhere, &file).unwrap();
    assert_eq!(store.census().await.unwrap().priced, 0, "the same file again");
}

#[tokio::test]
async fn a_file_that_another_process_locks_for_long_is_contention() {
    let (_folder, file) = file();
    let store = sqlite::connect(&file).await.unwrap();
    store.migrate().await.unwrap();
    let other = SqliteThread::open(&file).await.unwrap();
    other.call(|connection| connection.batch_execute("BEGIN IMMEDIATE")).await.unwrap().unwrap();
    let error = store.add_token("f", &"t".to_owned().into(), None).await.unwrap_err();
    assert!(matches!(error, StoreError::Contention { .. }), "{error:?}");
    other.call(|connection| connection.batch_execute("ROLLBACK")).await.unwrap().unwrap();
    store.add_token("f", &"t".to_owned().into(), None).await.unwrap();
}

#[tokio::test]
async fn every_migration_can_be_taken_back() {
    let (_folder, file) = file();
    sqlite::connect(&file).await.unwrap().migrate().await.unwrap();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/sqlite");
    let mut folders: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    let read = |name: &str, folder: &PathBuf| std::fs::read_to_string(folder.join(name)).unwrap();
    let down: String = folders.iter().rev().map(|folder| read("down.sql", folder)).collect();
    let up: String = folders.iter().map(|folder| read("up.sql", folder)).collect();
    let thread = SqliteThread::open(&file).await.unwrap();
    let left = thread
        .call(move |connection| {
            connection.batch_execute(&down)?;
            let left: Vec<Row> = diesel::sql_query(
                "SELECT name AS value FROM sqlite_master WHERE name NOT LIKE '\\_\\_diesel%' ESCAPE '\\' AND name NOT LIKE 'sqlite%'",
            )
            .load(connection)?;
            connection.batch_execute(&up)?;
            diesel::QueryResult::Ok(left)
        })
        .await
        .unwrap()
        .unwrap();
    assert!(left.is_empty(), "{:?}", left.into_iter().map(|row| row.value).collect::<Vec<_>>());
}

#[tokio::test]
async fn the_table_refuses_what_is_no_price() {
    let (_folder, file) = file();
    sqlite::connect(&file).await.unwrap().migrate().await.unwrap();
    let thread = SqliteThread::open(&file).await.unwrap();
    for (column, value) in [("last_price", "NaN"), ("bid_price", "Infinity"), ("low_price", "1e3"), ("volume", "-1")] {
        let insert = format!(
            "INSERT INTO ticker_base (id, ticker_symbol, name, exchange, created_at) VALUES (1, 'x', 'X', 'T', 0)
                ON CONFLICT DO NOTHING;
             INSERT INTO ticker_price_data (ticker_id, feed, symbol, instrument, kind, {column})
                VALUES (1, 'f', 'x', 'x', 'SPOT', '{value}')"
        );
        let refused = thread.call(move |connection| connection.batch_execute(&insert)).await.unwrap().unwrap_err();
        assert!(refused.to_string().contains(&format!("ticker_price_data_{column}_range")), "{refused}");
    }
}
