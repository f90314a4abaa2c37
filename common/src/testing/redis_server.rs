//! A private Redis for one test, whose methods fail the test when the server does not do as told.

#![expect(clippy::expect_used, reason = "a test that cannot go on fails")]

use std::path::Path;

use crate::servers;

/// A `redis-server` of our own.
#[derive(Debug)]
pub struct RedisServer(servers::RedisServer);

impl RedisServer {
    /// Starts one that keeps nothing on disk; `args` (e.g. `--appendonly yes`) come after our own and win.
    pub async fn start_with(args: &[&str]) -> Self {
        Self(servers::RedisServer::start_with(args).await.expect("a Redis for this test"))
    }

    /// Its URL, with the password if it asks for one.
    pub fn url(&self) -> String {
        self.0.url()
    }

    /// Its port on the loopback interface.
    pub fn port(&self) -> u16 {
        self.0.address().port()
    }

    /// Its working folder, where it keeps its files.
    pub fn folder(&self) -> &Path {
        self.0.folder()
    }

    /// Starts it again on the same port and folder; returns when it answers.
    pub async fn start(&mut self) {
        self.0.start().await.expect("Redis starts again");
    }

    /// Kills it as a crash would: no last snapshot, no farewell.
    pub fn stop(&mut self) {
        self.0.kill().expect("our own child can be killed");
    }

    /// Kills it and starts it again.
    pub async fn restart(&mut self) {
        self.stop();
        self.start().await;
    }

    /// Freezes it: the kernel still accepts connections and bytes, nobody answers.
    pub fn pause(&self) {
        self.0.freeze().expect("our own child can be frozen");
    }

    /// Lets it go on.
    pub fn resume(&self) {
        self.0.thaw().expect("our own child can go on");
    }

    /// Runs one command as `redis-cli` does and returns what it printed.
    pub fn cli(&self, args: &[&str]) -> String {
        self.0.cli(args).expect("redis-cli runs")
    }
}
