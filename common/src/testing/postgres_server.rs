//! A PostgreSQL server of a test's own, whose methods fail the test when the server does not do as told.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use crate::servers;
pub use crate::servers::Durability;

/// A running (or stopped) server.
#[derive(Debug)]
pub struct PostgresServer(servers::PostgresServer);

impl PostgresServer {
    /// Creates a database cluster and starts its server.
    pub async fn start(durability: Durability) -> Self {
        Self(servers::PostgresServer::start(durability).await.expect("a PostgreSQL for this test"))
    }

    /// A new, empty database; its URL.
    pub async fn database(&self) -> String {
        self.0.database().await.expect("a database can be created")
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        self.0.url(database)
    }

    /// Stops the server: open sessions are ended, what was committed stays.
    pub async fn stop(&self) {
        self.0.stop().await.expect("the server stops");
    }

    /// Starts a stopped server again, on the same port.
    pub async fn resume(&self) {
        self.0.resume().await.expect("the server starts again");
    }

    /// Stops and starts it.
    pub async fn restart(&self) {
        self.stop().await;
        self.resume().await;
    }

    /// Stands still with all its sessions, as under a frozen disk: connections stay open and nothing answers.
    pub fn freeze(&self) {
        self.0.freeze().expect("our own server can be frozen");
    }

    /// Goes on after [`freeze`](Self::freeze).
    pub fn thaw(&self) {
        self.0.thaw().expect("our own server can go on");
    }
}

/// Runs statements and returns the rows of all of them as text.
///
/// # Panics
/// When the server refuses.
pub async fn sql(url: &str, statements: &str) -> Vec<Vec<Option<String>>> {
    servers::sql(url, statements).await.expect("the server takes the statements")
}
