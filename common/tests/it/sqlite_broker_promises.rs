//! The SQLite broker keeps every promise of a broker.

use common::testing::broker_suite::{self, Place, sqlite_place};

use crate::sqlite_broker_audit::audit;

async fn open() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    sqlite_place(folder.path()).await.kept_with(folder)
}

common::broker_suite!(open);

#[tokio::test]
async fn random_work_leaves_tables_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    broker_suite::random_work_loses_and_doubles_nothing(sqlite_place(folder.path()).await).await;
    audit(&folder.path().join("q.db"));
}
