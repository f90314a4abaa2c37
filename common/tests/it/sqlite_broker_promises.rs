//! The SQLite broker keeps every promise of a broker.

use std::path::Path;

use common::broker::sqlite;
use common::testing::broker_suite::{self, Place};

use crate::sqlite_broker_audit::audit;

async fn place_in(folder: &Path) -> Place {
    let path = folder.join("q.db");
    let [one, two] = [sqlite::connect(&path).await, sqlite::connect(&path).await];
    Place::new(one.expect("open"), two.expect("open"), ())
}

async fn open() -> Place {
    let folder = tempfile::tempdir().expect("a folder");
    let Place { one, two, .. } = place_in(folder.path()).await;
    Place::new(one, two, folder)
}

common::broker_suite!(open);

#[tokio::test]
async fn random_work_leaves_tables_that_agree() {
    let folder = tempfile::tempdir().unwrap();
    broker_suite::random_work_loses_and_doubles_nothing(place_in(folder.path()).await).await;
    audit(&folder.path().join("q.db"));
}
