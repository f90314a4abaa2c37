//! PostgreSQL as price store.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;

use common::store::{PriceStore, StoreOptions, postgres};
use common::testing::store_suite::Subject;
use common::testing::{Durability, PostgresServer, sql};
use tokio::sync::OnceCell;

/// One server for all tests of this binary; each has a database of its own.
async fn server() -> &'static PostgresServer {
    static SERVER: OnceCell<PostgresServer> = OnceCell::const_new();
    SERVER.get_or_init(|| PostgresServer::start(Durability::None)).await
}

async fn open(url: &str) -> Arc<dyn PriceStore> {
    postgres::connect(url, StoreOptions { connections: 4 }).await.unwrap()
}

async fn subject() -> Subject {
    let url = server().await.database().await;
    let handles = [open(&url).await, open(&url).await];
    handles[0].migrate().await.unwrap();
    let sql = move |statement: String| {
        let url = url.clone();
        let rows = async move { sql(&url, &statement).await.into_iter().map(|mut row| row.swap_remove(0)).collect() };
        Box::pin(rows) as _
    };
    Subject { handles, sql: Box::new(sql) }
}

mod conformance {
    common::store_suite!(super::subject);
}
