//! What a system has stored, read past it.

use common::store::{self, StoreOptions, StoredPrice};
use common::testing::sql;
use diesel::sql_types::{Nullable, Text};
use diesel::{Connection as _, QueryableByName, RunQueryDsl as _, SqliteConnection};
use secrecy::SecretString;

use super::rig::Rig;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Nullable<Text>)]
    value: Option<String>,
}

impl Rig {
    /// The prices, by canonical instrument.
    pub(super) async fn prices(&self) -> Vec<StoredPrice> {
        let url = SecretString::from(self.store_url.as_str());
        let store = store::connect(&url, StoreOptions { connections: 1 }).await.expect("the store opens");
        store.prices().await.expect("the prices can be read")
    }

    /// The column `value` of a query that both databases understand, as text.
    pub(super) async fn values(&self, query: &str) -> Vec<String> {
        let rows: Vec<Option<String>> = if self.postgres.is_some() {
            sql(&self.store_url, query).await.into_iter().map(|mut row| row.swap_remove(0)).collect()
        } else {
            let rows = diesel::sql_query(query).load::<Row>(&mut self.file()).expect("the query is good");
            rows.into_iter().map(|row| row.value).collect()
        };
        rows.into_iter().flatten().collect()
    }

    /// Changes the store as its owner would.
    pub(super) async fn alter(&self, statement: &str) {
        if self.postgres.is_some() {
            sql(&self.store_url, statement).await;
        } else {
            diesel::sql_query(statement).execute(&mut self.file()).expect("the statement is good");
        }
    }

    fn file(&self) -> SqliteConnection {
        let path = self.store_url.strip_prefix("sqlite:").expect("the embedded store");
        let mut file = SqliteConnection::establish(path).expect("the store's file opens");
        diesel::sql_query("PRAGMA busy_timeout = 30000").execute(&mut file).expect("SQLite has this setting");
        file
    }
}

/// Values of one slot, or `None` where nothing is stored.
pub(super) fn shown(price: &StoredPrice) -> [Option<String>; 3] {
    let fields = &price.row.fields;
    [fields.last_price, fields.bid_price, fields.ask_price].map(|price| price.map(|price| price.to_string()))
}
