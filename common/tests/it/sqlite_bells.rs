//! Bells beside a database: the folder they hang in.

use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::time::Duration;

use common::broker::{BrokerError, sqlite};
use common::presence::InstanceId;
use tokio::time::timeout;

use crate::sqlite_broker::{open, put, queue};

const LONG: Duration = Duration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(20);

fn files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

#[tokio::test]
async fn bells_left_over_by_killed_processes_are_removed_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let bells = folder.path().join("q.db-bells");
    let (one, two) = (open(&folder.path().join("q.db")).await, open(&folder.path().join("q.db")).await);
    let mut bell = one.bell(&[queue()]);
    let own = files(&bells);
    assert_eq!(own.len(), 1);
    assert_eq!(std::fs::metadata(&bells).unwrap().permissions().mode() & 0o777, 0o700);

    // A socket that is closed without being unlinked: what a killed process leaves.
    let leave = |name: &str| drop(UnixDatagram::bind(bells.join(name)).expect("a socket"));
    leave("killed-1");
    std::fs::write(bells.join("note"), "somebody else's").unwrap();
    put(&*two, InstanceId::fresh(), 1, &[b"1".to_vec()]).await;
    let mut left = files(&bells);
    left.sort();
    let mut expected = [own[0].clone(), "note".to_owned()];
    expected.sort();
    assert_eq!(left, expected);
    timeout(PATIENCE, bell.rung(LONG)).await.expect("the living one is rung").expect("it can be heard");

    leave("killed-2");
    drop(bell);
    drop(two.bell(&[queue()]));
    assert_eq!(files(&bells), ["note"], "who comes removes them as well, and takes its own away");
}

#[tokio::test]
async fn a_bell_whose_path_is_too_long_says_so_and_disturbs_no_task() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("long".repeat(30)).join("q.db");
    let broker = sqlite::connect(&path).await.expect("open");
    let deaf = broker.bell(&[queue()]).rung(LONG).await.expect_err("no such path");
    let BrokerError::Unfit { problem, fix, .. } = &deaf else { panic!("{deaf:?}") };
    assert!(problem.contains("q.db-bells") && fix.contains("shorter"), "{problem} {fix}");
    put(&*broker, InstanceId::fresh(), 1, &[b"1".to_vec()]).await;
}

#[tokio::test]
async fn a_process_that_never_waits_is_rung_without_end_and_without_harm() {
    let folder = tempfile::tempdir().unwrap();
    let broker = open(&folder.path().join("q.db")).await;
    let mut bell = broker.bell(&[queue()]);
    let producer = InstanceId::fresh();
    for batch in 1..=1_000 {
        put(&*broker, producer, batch, &[b"1".to_vec()]).await;
    }
    timeout(PATIENCE, bell.rung(LONG)).await.expect("it was rung").expect("it can be heard");
    let asked_at = common::clock::monotonic();
    bell.rung(Duration::from_millis(30)).await.expect("it can be heard");
    assert!(Duration::from_millis(30) <= asked_at.elapsed(), "all rings were heard at once");
}
