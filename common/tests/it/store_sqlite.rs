//! SQLite as price store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::PathBuf;
use std::sync::Arc;

use common::sqlite::SqliteThread;
use common::store::{PriceStore, StoreError, sqlite};
use common::testing::store_suite::Subject;
use diesel::RunQueryDsl;
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
