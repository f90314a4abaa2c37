//! Places on brokers of their own, that can be meddled with.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};

use super::{Outside, Place};
use crate::broker::{redis, sqlite};
use crate::queue::QueueName;
use crate::testing::RedisServer;

/// On a Redis of its own.
pub async fn redis_place() -> Place {
    let server = Arc::new(RedisServer::start_with(&[]).await);
    let [one, two] = [redis::connect(&server.url()).await, redis::connect(&server.url()).await];
    let outside = RedisOperator(Arc::clone(&server));
    Place::new(one.expect("the server runs"), two.expect("the server runs"), server).with_outside(outside)
}

/// In the file `q.db` of a folder.
pub async fn sqlite_place(folder: &Path) -> Place {
    let path = folder.join("q.db");
    let [one, two] = [sqlite::connect(&path).await, sqlite::connect(&path).await];
    Place::new(one.expect("open"), two.expect("open"), ()).with_outside(SqliteOperator(path))
}

/// Somebody with `redis-cli`.
#[derive(Debug)]
struct RedisOperator(Arc<RedisServer>);

impl Outside for RedisOperator {
    fn forget_scripts(&self) {
        assert_eq!(self.0.cli(&["SCRIPT", "FLUSH"]), "OK");
    }

    fn set_full(&self, is_full: bool) -> bool {
        assert_eq!(self.0.cli(&["CONFIG", "SET", "maxmemory", if is_full { "1" } else { "0" }]), "OK");
        is_full
    }

    fn delete_leases(&self, queue: &QueueName) {
        self.0.cli(&["DEL", &format!("tidemill:{{{queue}}}:leases")]);
    }

    fn remembers_names(&self) -> bool {
        true
    }
}

/// Somebody with `sqlite3`.
#[derive(Debug)]
struct SqliteOperator(PathBuf);

impl Outside for SqliteOperator {
    fn forget_scripts(&self) {} // it has none

    fn set_full(&self, _is_full: bool) -> bool {
        false // a full disk is a test of its own
    }

    fn delete_leases(&self, queue: &QueueName) {
        let mut db = SqliteConnection::establish(&self.0.to_string_lossy()).expect("open");
        let delete = format!(
            "PRAGMA busy_timeout = 5000;
             DELETE FROM queue_batch WHERE lease IS NOT NULL
                 AND queue = (SELECT id FROM queue_ledger WHERE name = '{queue}')"
        );
        db.batch_execute(&delete).expect("a good statement");
    }

    fn remembers_names(&self) -> bool {
        false // the name was in the row
    }
}
