//! The promises that all brokers make, kept by the SQLite broker.

use common::broker::sqlite;
use common::testing::broker_suite::Place;

async fn open() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("q.db");
    let (one, two) = (sqlite::connect(&path).await.unwrap(), sqlite::connect(&path).await.unwrap());
    Place::new(one, two, folder)
}

common::broker_suite!(open);
