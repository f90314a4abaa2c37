//! PostgreSQL as price store: the common demands, and what only a server can do to us.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use common::market::{Epoch, Fields, Instrument, Kind, OrderKey};
use common::store::{
    InstrumentId, Listing, PriceRow, PriceStore, Registration, RowOutcome, StoreError, StoreOptions, UnknownTicker,
    WriteBatch, postgres,
};
use common::testing::store_suite::Subject;
use common::testing::{Durability, PostgresServer, eventually, sql};
use tokio::sync::OnceCell;

/// One server for all tests of this binary that do not stop it; each has a database of its own.
async fn server() -> &'static PostgresServer {
    static SERVER: OnceCell<PostgresServer> = OnceCell::const_new();
    SERVER.get_or_init(|| PostgresServer::start(Durability::None)).await
}

async fn open(url: &str) -> Arc<dyn PriceStore> {
    postgres::connect(url, StoreOptions { connections: 4 }).await.unwrap()
}

/// A migrated database and its URL.
async fn migrated() -> (Arc<dyn PriceStore>, String) {
    let url = server().await.database().await;
    let store = open(&url).await;
    store.migrate().await.unwrap();
    (store, url)
}

async fn subject() -> Subject {
    let (store, url) = migrated().await;
    let handles = [store, open(&url).await];
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

pub(crate) async fn instruments(store: &dyn PriceStore, count: usize) -> Vec<InstrumentId> {
    let listing = |number: usize| {
        let underlying: Box<str> = format!("T{number}").into();
        let instrument = Instrument {
            exchange: "TEST".into(),
            underlying: underlying.clone(),
            kind: Kind::Spot,
            expiry: None,
            option: None,
            series: None,
        };
        Listing { feed: "test".into(), symbol: underlying, instrument }
    };
    let listings: Vec<_> = (0..count).map(listing).collect();
    let registrations = store.register(&listings, UnknownTicker::Create).await.unwrap();
    let id = |registration| if let Registration::Row(id) = registration { id } else { panic!("an unknown ticker") };
    let mut ids: Vec<_> = registrations.into_iter().map(id).collect();
    ids.sort_unstable();
    ids
}

/// One trade for each.
pub(crate) fn trades(ids: &[InstrumentId], seq: u32) -> WriteBatch {
    let order = OrderKey::new(Epoch::new(7).unwrap(), seq).unwrap();
    let row = |id: &InstrumentId| {
        let mut row = PriceRow::empty(*id);
        let fields = Fields { last_price: Some("1.5".parse().unwrap()), ..Fields::default() };
        row.merge(&fields, order, None, common::clock::now());
        row
    };
    WriteBatch { rows: ids.iter().map(row).collect(), ..WriteBatch::default() }
}

fn code(error: &StoreError) -> Option<&str> {
    let StoreError::Systemic { code, .. } = error else { panic!("{error:?} is not systemic") };
    code.as_deref()
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[tokio::test]
async fn a_database_without_tables_is_named_with_its_remedy() {
    let url = server().await.database().await;
    let store = open(&url).await;
    let batch = trades(&[InstrumentId(1)], 1);
    for error in [
        store.write(&batch).await.unwrap_err(),
        store.write_each(&batch).await.unwrap_err(),
        store.prices().await.unwrap_err(),
        store.census().await.unwrap_err(),
    ] {
        assert_eq!(code(&error), Some("42P01"));
        assert!(chain(&error).contains("run `tidemill migrate`"), "{}", chain(&error));
    }
    store.migrate().await.unwrap();
    assert_eq!(store.census().await.unwrap().priced, 0);
}

#[tokio::test]
async fn two_processes_may_migrate_an_empty_database_at_once() {
    let url = server().await.database().await;
    let (first, second) = (open(&url).await, open(&url).await);
    let (first, second) = tokio::join!(first.migrate(), second.migrate());
    let mut applied = [first.unwrap(), second.unwrap()];
    applied.sort_by_key(Vec::len);
    assert_eq!(applied[0], Vec::<String>::new());
    assert_eq!(applied[1].len(), migrations().len());
}

/// The folders of the migrations, oldest first.
fn migrations() -> Vec<std::path::PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/postgres");
    let mut folders: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

#[tokio::test]
async fn every_migration_can_be_taken_back() {
    let (_, url) = migrated().await;
    for folder in migrations().iter().rev() {
        sql(&url, &std::fs::read_to_string(folder.join("down.sql")).unwrap()).await;
    }
    let left = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace
        AND relname NOT LIKE '\\_\\_diesel%' UNION ALL
        SELECT proname FROM pg_proc WHERE pronamespace = 'public'::regnamespace";
    assert_eq!(sql(&url, left).await, Vec::<Vec<_>>::new());
    for folder in migrations() {
        sql(&url, &std::fs::read_to_string(folder.join("up.sql")).unwrap()).await;
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_and_not_shown() {
    let url = server().await.database().await.replace("only-for-tests", "s3cret");
    let error = open(&url).await.census().await.unwrap_err();
    assert_eq!(code(&error), Some("28P01"));
    assert!(chain(&error).contains("password authentication failed"), "{}", chain(&error));
    assert!(!format!("{error:?} {}", chain(&error)).contains("s3cret"), "{error:?}");
}

#[tokio::test]
async fn a_missing_database_and_a_closed_port_are_systemic() {
    let missing = open(&server().await.url("nowhere")).await.census().await.unwrap_err();
    assert_eq!(code(&missing), Some("3D000"));
    let closed = open("postgres://ann@127.0.0.1:1/prices").await.census().await.unwrap_err();
    assert_eq!(code(&closed), None);
    assert!(chain(&closed).contains("postgres://127.0.0.1:1/prices"), "{}", chain(&closed));
}

#[tokio::test]
async fn the_table_refuses_what_is_no_price() {
    let (store, url) = migrated().await;
    instruments(&*store, 1).await;
    let prices = ["last_price", "bid_price", "ask_price", "open_price", "high_price", "low_price", "previous_close"];
    let sizes = ["last_size", "bid_size", "ask_size", "volume", "open_interest"];
    let never = ["NaN", "Infinity", "-Infinity"];
    let of = |columns: &[&'static str], beyond: &[&'static str]| -> Vec<_> {
        let values: Vec<_> = never.iter().chain(beyond).copied().collect();
        columns.iter().flat_map(|&column| values.clone().into_iter().map(move |value| (column, value))).collect()
    };
    for (column, value) in [of(&prices, &["1e15", "-1e15"]), of(&sizes, &["1e24", "-0.1"])].concat() {
        let refused = sql(
            &url,
            &format!(
                "DO $$ BEGIN UPDATE ticker_price_data SET {column} = '{value}'; RAISE 'stored';
                 EXCEPTION WHEN check_violation THEN NULL; END $$; SELECT count({column}) FROM ticker_price_data"
            ),
        )
        .await;
        assert_eq!(refused, [[Some("0".to_owned())]], "{column} {value}");
    }
}

#[tokio::test]
async fn the_hot_statements_are_prepared_once_for_each_connection() {
    let (_, url) = migrated().await;
    let store = postgres::connect(&url, StoreOptions { connections: 1 }).await.unwrap();
    let ids = instruments(&*store, 3).await;
    // The view shows the statements of one's own connection only: a trigger looks from within it.
    sql(
        &url,
        "CREATE TABLE seen (name text, statement text);
         CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            INSERT INTO seen SELECT name, statement FROM pg_prepared_statements; RETURN NULL; END $$;
         CREATE TRIGGER look AFTER UPDATE ON ticker_price_data FOR EACH STATEMENT EXECUTE FUNCTION look()",
    )
    .await;
    for seq in 1..=5 {
        store.write(&trades(&ids, seq)).await.unwrap();
    }
    let prepared = sql(&url, "SELECT name, count(*) FROM seen WHERE statement LIKE 'UPDATE%' GROUP BY name").await;
    assert_eq!(prepared.len(), 1, "one statement: {prepared:?}");
    assert_eq!(prepared[0][1].as_deref(), Some("5"), "there at each of the five writes");
}

#[tokio::test]
async fn a_restarted_server_is_found_again() {
    let server = PostgresServer::start(Durability::None).await;
    let store = open(&server.database().await).await;
    store.migrate().await.unwrap();
    let ids = instruments(&*store, 3).await;
    store.write(&trades(&ids, 1)).await.unwrap();

    server.stop().await;
    let away = store.write(&trades(&ids, 2)).await.unwrap_err();
    assert!(matches!(away, StoreError::Systemic { .. }), "{away:?}");
    assert!(away.is_transient());
    server.resume().await;
    let batch = trades(&ids, 2);
    eventually("the store writes again", Duration::from_secs(5), async || store.write(&batch).await.is_ok()).await;
    assert_eq!(store.prices().await.unwrap().len(), 3, "what was committed stayed");
}

/// The caller's own limit is shorter than ours here; whoever stops waiting leaves no broken connection behind.
#[tokio::test]
async fn a_call_that_was_given_up_leaves_nothing_behind() {
    let server = PostgresServer::start(Durability::None).await;
    let store = postgres::connect(&server.database().await, StoreOptions { connections: 1 }).await.unwrap();
    store.migrate().await.unwrap();
    let ids = instruments(&*store, 3).await;
    server.freeze();
    let batch = trades(&ids, 1);
    let given_up = tokio::time::timeout(Duration::from_millis(300), store.write(&batch)).await;
    assert!(given_up.is_err(), "a frozen server does not answer: {given_up:?}");
    server.thaw();
    assert_eq!(store.write(&trades(&ids, 2)).await.unwrap().stored.len(), 3, "on a connection of its own");
}

#[tokio::test]
async fn a_terminated_session_costs_one_call() {
    let (_, url) = migrated().await;
    let store = postgres::connect(&url, StoreOptions { connections: 1 }).await.unwrap();
    let ids = instruments(&*store, 3).await;
    let others = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'tidemill'";
    assert_eq!(sql(&url, others).await.len(), 1);
    let ended = store.write(&trades(&ids, 1)).await.unwrap_err();
    assert!(matches!(ended, StoreError::Systemic { .. }), "{ended:?}");
    assert_eq!(store.write(&trades(&ids, 1)).await.unwrap().stored.len(), 3);
}

#[tokio::test]
async fn a_session_that_is_ended_in_mid_statement_blames_no_row() {
    let (store, url) = migrated().await;
    let ids = instruments(&*store, 3).await;
    let trigger = |action: &str| {
        format!(
            "CREATE OR REPLACE FUNCTION act() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {action}; RETURN NEW; END $$;
             DROP TRIGGER IF EXISTS act ON ticker_price_data;
             CREATE TRIGGER act BEFORE UPDATE ON ticker_price_data FOR EACH ROW EXECUTE FUNCTION act()"
        )
    };
    sql(&url, &trigger("PERFORM pg_terminate_backend(pg_backend_pid())")).await;
    for error in
        [store.write(&trades(&ids, 1)).await.unwrap_err(), store.write_each(&trades(&ids, 1)).await.unwrap_err()]
    {
        assert!(matches!(error, StoreError::Systemic { .. }), "{error:?}");
    }
    // No room, as a full disk says it: the row path names the code that the library hides.
    sql(&url, &trigger("RAISE 'no space left' USING ERRCODE = '53100'")).await;
    assert_eq!(code(&store.write_each(&trades(&ids, 1)).await.unwrap_err()), Some("53100"));
    sql(&url, &trigger("RAISE 'busy' USING ERRCODE = '40P01'")).await;
    let busy = store.write_each(&trades(&ids, 1)).await.unwrap_err();
    assert!(matches!(busy, StoreError::Contention { .. }), "{busy:?}");
    assert_eq!(store.census().await.unwrap().priced, 0);

    sql(&url, &trigger("IF NEW.id % 3 = 0 THEN RAISE 'no threes' USING ERRCODE = '22003'; END IF")).await;
    assert!(matches!(store.write(&trades(&ids, 1)).await, Err(StoreError::Row { .. })));
    let outcomes = store.write_each(&trades(&ids, 1)).await.unwrap();
    for (id, outcome) in ids.iter().zip(outcomes) {
        match outcome {
            RowOutcome::Refused(refusal) => {
                assert_eq!((id.0 % 3, &*refusal.code, refusal.message.as_str()), (0, "22003", "no threes"));
            }
            RowOutcome::Stored(_) => assert_ne!(id.0 % 3, 0),
            RowOutcome::Legacy(_) | RowOutcome::Vanished => panic!("{outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_lost_column_and_a_read_only_database_are_systemic() {
    let (store, url) = migrated().await;
    let ids = instruments(&*store, 1).await;
    sql(&url, "ALTER TABLE ticker_price_data RENAME COLUMN bid_price TO bid").await;
    assert_eq!(code(&store.write_each(&trades(&ids, 1)).await.unwrap_err()), Some("42703"));
    sql(&url, "ALTER TABLE ticker_price_data RENAME COLUMN bid TO bid_price").await;

    let name = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    sql(&url, &format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    let store = open(&url).await;
    for error in
        [store.write(&trades(&ids, 1)).await.unwrap_err(), store.write_each(&trades(&ids, 1)).await.unwrap_err()]
    {
        assert_eq!(code(&error), Some("25006"));
    }
}

#[tokio::test]
async fn a_time_outside_the_calendar_is_refused_alone() {
    let (store, _) = migrated().await;
    let ids = instruments(&*store, 3).await;
    let mut batch = trades(&ids, 1);
    batch.rows[1].trade_at = Some(common::clock::UnixMicros(i64::MIN));
    assert!(matches!(store.write(&batch).await, Err(StoreError::Row { .. })));
    let outcomes = store.write_each(&batch).await.unwrap();
    let [RowOutcome::Stored(_), RowOutcome::Refused(refusal), RowOutcome::Stored(_)] = outcomes.as_slice() else {
        panic!("{outcomes:?}")
    };
    assert_eq!(&*refusal.code, "22008");
}
