//! PostgreSQL goes away in all its ways: what was asked for happens once, nothing is blamed on a row, and the pool is whole
//! again soon after.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::store::{PriceStore, StoreError, StoreOptions, postgres};
use common::testing::{Durability, PostgresServer, eventually, sql};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::store_postgres::{instruments, trades};

const PATIENCE: Duration = Duration::from_secs(20);

/// What is promised.
const BACK_WITHIN: Duration = Duration::from_secs(2);

/// As many calls as the pool has connections.
const CALLS: u32 = 4;

async fn store_of(url: &str) -> Arc<dyn PriceStore> {
    let store = postgres::connect(url, StoreOptions { connections: CALLS }).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// Passes everything on to `port`, until `cut` is set: then questions still pass, and instead of the next answer comes
/// the end of the connection.
async fn cable(port: u16, cut: Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let own = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(carry(client, port, Arc::clone(&cut)));
        }
    });
    own
}

async fn carry(client: TcpStream, port: u16, cut: Arc<AtomicBool>) {
    let server = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    let mut answer = vec![0; 1 << 16];
    while let Ok(bytes @ 1..) = from_server.read(&mut answer).await {
        if cut.swap(false, Ordering::SeqCst) || to_client.write_all(&answer[..bytes]).await.is_err() {
            return;
        }
    }
}

#[tokio::test]
async fn a_commit_whose_answer_was_lost_is_repeated_without_effect() {
    let server = PostgresServer::start(Durability::None).await;
    let url = server.database().await;
    let cut = Arc::<AtomicBool>::default();
    let (before, after) = url.split_at(url.find("@127.0.0.1:").unwrap() + "@127.0.0.1:".len());
    let (port, rest) = after.split_once('/').unwrap();
    let own = cable(port.parse().unwrap(), Arc::clone(&cut)).await;
    let store = store_of(&format!("{before}{own}/{rest}")).await;
    let ids = instruments(&*store, 3).await;
    store.write(&trades(&ids, 1)).await.unwrap();
    for seq in 2..30 {
        cut.store(true, Ordering::SeqCst);
        let unknown = store.write(&trades(&ids, seq)).await.unwrap_err();
        assert!(matches!(unknown, StoreError::Systemic { .. }), "{unknown:?}");
        let again = store.write(&trades(&ids, seq)).await.unwrap();
        assert!(again.stored.iter().all(|slots| slots.is_empty()), "it had taken effect: {again:?}");
    }
    assert_eq!(store.prices().await.unwrap().len(), 3);
}

/// All calls at once, each on a connection of its own.
async fn all_write(
    store: &Arc<dyn PriceStore>,
    ids: &[common::store::InstrumentId],
    seq: u32,
) -> Result<(), StoreError> {
    let writes = (0..CALLS).map(|call| {
        let (store, batch) = (Arc::clone(store), trades(ids, seq + call));
        tokio::spawn(async move { store.write(&batch).await.map(drop) })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap()?;
    }
    Ok(())
}

#[tokio::test]
async fn the_pool_is_whole_again_soon_after_a_frozen_server_goes_on() {
    let server = PostgresServer::start(Durability::None).await;
    let store = store_of(&server.database().await).await;
    let ids = instruments(&*store, 3).await;
    all_write(&store, &ids, 1).await.unwrap();
    server.freeze();
    // Whoever stops waiting closes its connection; a new one cannot be made while the server stands still.
    let given_up = (0..CALLS).map(|call| {
        let (store, batch) = (Arc::clone(&store), trades(&ids, 10 + call));
        tokio::spawn(async move { tokio::time::timeout(Duration::from_millis(300), store.write(&batch)).await })
    });
    for call in given_up.collect::<Vec<_>>() {
        assert!(call.await.unwrap().is_err());
    }
    let waits = Arc::clone(&store);
    let unfit = tokio::spawn(async move { waits.census().await });
    let error = unfit.await.unwrap().unwrap_err();
    assert!(matches!(error, StoreError::Systemic { .. }), "{error:?}");
    server.thaw();
    let thawed = common::clock::monotonic();
    eventually("all connections write", PATIENCE, async || all_write(&store, &ids, 20).await.is_ok()).await;
    let took = thawed.elapsed();
    eprintln!("frozen: whole again {took:?} after it went on");
    assert!(took < BACK_WITHIN, "{took:?}");
}

#[tokio::test]
async fn a_server_without_room_for_sessions_is_named_and_found_again() {
    let server = PostgresServer::start(Durability::None).await;
    let url = server.database().await;
    let store = store_of(&url).await;
    let ids = instruments(&*store, 3).await;
    sql(&url, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'tidemill'").await;
    let mut sessions = Vec::new();
    while let Ok((client, connection)) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await {
        sessions.push((client, tokio::spawn(connection)));
    }
    let mut code = None;
    eventually("the reason is named", PATIENCE, async || {
        let Err(StoreError::Systemic { code: said, .. }) = store.write(&trades(&ids, 1)).await else { return false };
        code = said;
        code.is_some()
    })
    .await;
    assert_eq!(code.as_deref(), Some("53300"));
    drop(sessions);
    let free = common::clock::monotonic();
    eventually("it writes again", PATIENCE, async || store.write(&trades(&ids, 2)).await.is_ok()).await;
    assert!(free.elapsed() < BACK_WITHIN, "{:?}", free.elapsed());
}

#[tokio::test]
async fn a_row_that_another_session_locks_is_contention_and_no_rows_fault() {
    let server = PostgresServer::start(Durability::None).await;
    let url = server.database().await;
    let ids = instruments(&*store_of(&url).await, 3).await;
    sql(&url, "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET lock_timeout = 200', current_database()); END $$")
        .await;
    let store = store_of(&url).await;
    let (client, connection) = tokio_postgres::connect(&url, tokio_postgres::NoTls).await.unwrap();
    let other = tokio::spawn(connection);
    client.simple_query("BEGIN; SELECT id FROM ticker_price_data ORDER BY id DESC FOR UPDATE").await.unwrap();
    let busy = store.write_each(&trades(&ids, 1)).await.unwrap_err();
    assert!(matches!(busy, StoreError::Contention { .. }), "{busy:?}");
    client.simple_query("COMMIT").await.unwrap();
    assert_eq!(store.write(&trades(&ids, 1)).await.unwrap().stored.len(), 3);
    drop(client);
    other.await.unwrap().unwrap();
}

#[tokio::test]
async fn while_it_is_away_one_caller_tries_and_the_others_share_the_answer() {
    let server = PostgresServer::start(Durability::None).await;
    let store = store_of(&server.database().await).await;
    let ids = instruments(&*store, 3).await;
    server.stop().await;
    let begun = common::clock::monotonic();
    for seq in 0..2_000 {
        let away = store.write(&trades(&ids, seq + 1)).await.unwrap_err();
        assert!(matches!(away, StoreError::Systemic { .. }), "{away:?}");
    }
    assert!(begun.elapsed() < Duration::from_secs(10), "shared answers cost nothing: {:?}", begun.elapsed());
    server.resume().await;
    let back = common::clock::monotonic();
    eventually("it writes again", PATIENCE, async || all_write(&store, &ids, 3_000).await.is_ok()).await;
    let took = back.elapsed();
    eprintln!("stopped: whole again {took:?} after its return");
    assert!(took < BACK_WITHIN, "{took:?}");
}
