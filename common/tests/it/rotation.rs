//! A password that is changed while we run: we wait, say why, and go on with what stands in the file by then.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::time::Duration;

use common::broker::BrokerError;
use common::store::{StoreError, StoreOptions};
use common::testing::broker_suite::Hand;
use common::testing::{Durability, PostgresServer, RedisServer, eventually, sql};
use common::{Address, broker, clock, store};

const PATIENCE: Duration = Duration::from_secs(20);

/// What is promised, 2 s, and what a machine full of tests may add to it.
const BACK_WITHIN: Duration = Duration::from_secs(5);

/// Long enough for the pauses between tries to be at their longest.
const DENIED: Duration = Duration::from_secs(4);

fn address(file: &Path, url: &str) -> Address {
    std::fs::write(file, format!("{url}\n")).unwrap();
    Address::new(url.to_owned().into(), Some(file.to_owned()))
}

#[tokio::test]
async fn a_new_password_of_redis_is_read_from_the_file_without_a_restart() {
    let server = RedisServer::start_with(&["--requirepass", "first-CANARY"]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let hand = Hand::new(&broker::connect(address(&file, &server.url())).await.unwrap());
    hand.put(&["1"]).await;
    let cli = |words: &[&str]| {
        let mut command = std::process::Command::new("redis-cli");
        command.env("REDISCLI_AUTH", "second-CANARY").args(["-p", &server.port().to_string()]).args(words);
        String::from_utf8(command.output().unwrap().stdout).unwrap()
    };
    server.cli(&["CONFIG", "SET", "requirepass", "second-CANARY"]);
    cli(&["CONFIG", "RESETSTAT"]);
    cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
    let begun = clock::monotonic();
    eventually("it is denied for long", PATIENCE, async || {
        let denied = hand.broker.census(&hand.queue).await.unwrap_err();
        assert!(matches!(denied, BrokerError::Denied { .. }), "{denied:?}");
        assert!(!format!("{denied} {denied:?}").contains("CANARY"), "{denied:?}");
        DENIED < begun.elapsed()
    })
    .await;
    let stats = cli(&["INFO", "errorstats"]);
    let tries = stats.lines().find_map(|line| line.strip_prefix("errorstat_WRONGPASS:count="));
    let tries: u64 = tries.and_then(|count| count.trim().parse().ok()).unwrap();
    assert!(tries <= 8, "{tries} tries in {DENIED:?}");

    address(&file, &server.url().replace("first", "second"));
    let changed = clock::monotonic();
    eventually("it is let in", PATIENCE, async || hand.broker.census(&hand.queue).await.is_ok()).await;
    assert!(changed.elapsed() < BACK_WITHIN, "{:?}", changed.elapsed());
    assert_eq!(hand.drain().await, ["1"]);
}

#[tokio::test]
async fn a_url_of_another_redis_needs_a_restart() {
    let server = RedisServer::start_with(&["--requirepass", "first"]).await;
    let other = RedisServer::start_with(&["--requirepass", "first"]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let hand = Hand::new(&broker::connect(address(&file, &server.url())).await.unwrap());
    server.cli(&["CONFIG", "SET", "requirepass", "second"]);
    address(&file, &other.url());
    let mut kill = std::process::Command::new("redis-cli");
    kill.env("REDISCLI_AUTH", "second").args(["-p", &server.port().to_string()]);
    kill.args(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).output().unwrap();
    let denied = hand.broker.census(&hand.queue).await.unwrap_err();
    assert!(matches!(denied, BrokerError::Denied { .. }), "another queue is not this queue: {denied:?}");
}

#[tokio::test]
async fn a_new_password_of_postgresql_is_read_from_the_file_without_a_restart() {
    let server = PostgresServer::start(Durability::None).await;
    let admin = server.database().await;
    sql(&admin, "CREATE ROLE app LOGIN SUPERUSER PASSWORD 'first-CANARY'").await;
    let url = |password: &str| {
        let (_, place) = admin.split_once('@').unwrap();
        format!("postgres://app:{password}@{place}")
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("url");
    let options = StoreOptions { connections: 4 };
    let store = store::connect(address(&file, &url("first-CANARY")), options).await.unwrap();
    store.migrate().await.unwrap();
    sql(&admin, "ALTER ROLE app PASSWORD 'second-CANARY'").await;
    sql(&admin, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'app'").await;
    let begun = clock::monotonic();
    let mut said = None;
    eventually("it is denied for long", PATIENCE, async || {
        let denied = store.census().await.unwrap_err();
        assert!(!format!("{denied} {denied:?}").contains("CANARY"), "{denied:?}");
        let StoreError::Systemic { code, .. } = denied else { return false };
        said = code.or(said.take());
        DENIED < begun.elapsed()
    })
    .await;
    assert_eq!(said.as_deref(), Some("28P01"));
    address(&file, &url("second-CANARY"));
    let changed = clock::monotonic();
    eventually("it is let in", PATIENCE, async || store.census().await.is_ok()).await;
    assert!(changed.elapsed() < BACK_WITHIN, "{:?}", changed.elapsed());
}
