//! The policy `spool`: what the broker does not take goes to the disk, and from there to the broker, once and in order.

use std::fs;
use std::path::{Path, PathBuf};

use common::testing::eventually;
use listener::{ListenerOptions, Overflow, SpoolOptions};
use tempfile::TempDir;

use crate::memory_broker::Mood;
use crate::rig::Rig;
use crate::server::PATIENCE;

mod redis;

const ROOMY: u64 = 64 << 20;

fn spooling(options: &mut ListenerOptions, folder: &Path, bytes_max: u64) {
    options.buffer.overflow = Overflow::Spool;
    options.spool = Some(SpoolOptions { folder: folder.join("spool"), bytes_max });
}

fn files(folder: &TempDir, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder.path().join("spool")).into_iter().flatten();
    let named = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().contains(ending);
    entries.map(|entry| entry.unwrap().path()).filter(named).collect()
}

/// Waits until so many messages are in the spool and none is in memory.
async fn spooled(rig: &Rig, count: u64) {
    let shown = || rig.broker.listener().is_some_and(|state| state.buffered == 0 && spooled_now(&state) == count);
    eventually("spooled", PATIENCE, async || shown()).await;
}

fn spooled_now(state: &common::presence::ListenerState) -> u64 {
    state.counts.unwrap_or_default().spooled
}

fn arrived(rig: &Rig) -> Vec<u64> {
    rig.broker.seen().iter().map(|seen| seen.seq.into()).collect()
}

#[tokio::test]
async fn what_a_broker_that_is_away_does_not_take_is_kept_on_disk_and_handed_over_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(&["BTCUSDT"], |options| {
        spooling(options, folder.path(), ROOMY);
        options.enqueue.tasks_max = 50;
        options.accepted_log = Some(folder.path().join("accepted.log"));
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    peer.trades("BTCUSDT", 0..10).await;
    rig.tasks(10).await;
    assert!(!folder.path().join("spool").exists(), "nothing is made before it is needed");
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 10..3_000).await;
    spooled(&rig, 2_990).await;
    let trouble = rig.broker.listener().unwrap().trouble.unwrap();
    assert_eq!(trouble, "cannot reach the broker at memory: connection refused");
    rig.broker.set(Mood::Up);
    rig.tasks(3_000).await;
    peer.trades("BTCUSDT", 3_000..3_010).await;
    rig.tasks(3_010).await;
    assert_eq!(arrived(&rig), (0..3_010).collect::<Vec<_>>());
    assert_eq!(rig.broker.state().received, 3_010);
    let calm = || rig.broker.listener().is_some_and(|state| state.trouble.is_none() && spooled_now(&state) == 0);
    eventually("all is well", PATIENCE, async || calm() && files(&folder, ".db").is_empty()).await;
    let summary = rig.stop().await;
    assert_eq!((summary.accepted, summary.spooled, summary.recovered), (3_010, 0, 0));

    // The account says of each batch when it was durable where.
    let log = fs::read_to_string(folder.path().join("accepted.log")).unwrap();
    let of = |word: &str| log.lines().filter_map(|line| line.strip_prefix(word)).collect::<Vec<_>>();
    let (accepted, spooled) = (of("accepted "), of("spooled "));
    assert!(!spooled.is_empty() && spooled.iter().all(|line| accepted.contains(line)), "{log}");
}

#[tokio::test]
async fn batches_of_unknown_outcome_are_repeated_as_they_were() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(&["BTCUSDT"], |options| {
        spooling(options, folder.path(), ROOMY);
        options.enqueue.tasks_max = 50;
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.broker.set(Mood::LosesReplies);
    peer.trades("BTCUSDT", 0..500).await;
    rig.tasks(500).await;
    rig.broker.set(Mood::Up);
    assert_eq!(arrived(&rig), (0..500).collect::<Vec<_>>());
    let summary = rig.stop().await;
    assert_eq!((summary.accepted, summary.spooled), (500, 0));
}

#[tokio::test]
async fn a_silent_or_a_full_broker_costs_nothing_even_with_a_small_buffer() {
    for mood in [Mood::Silent, Mood::Full] {
        let folder = tempfile::tempdir().unwrap();
        let rig = Rig::start(&["BTCUSDT"], |options| {
            spooling(options, folder.path(), ROOMY);
            options.buffer.messages_max = 2_000;
        })
        .await;
        let mut peer = rig.server.accept_subscribed().await;
        rig.live().await;
        rig.broker.set(mood);
        for from in (0..18_000).step_by(1_500) {
            peer.trades("BTCUSDT", from..from + 1_500).await;
            spooled(&rig, from + 1_500).await;
        }
        rig.broker.set(Mood::Up);
        rig.tasks(18_000).await;
        assert_eq!(arrived(&rig), (0..18_000).collect::<Vec<_>>());
        let summary = rig.stop().await;
        assert_eq!((summary.accepted, summary.shed.len()), (18_000, 0), "{summary:?}");
    }
}

#[tokio::test]
async fn a_stopping_listener_leaves_its_messages_to_the_next_one() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(&["BTCUSDT"], |options| spooling(options, folder.path(), ROOMY)).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Silent);
    peer.trades("BTCUSDT", 0..500).await;
    peer.ping("all read").await;
    let summary = rig.stop().await;
    assert_eq!((summary.received, summary.accepted, summary.spooled, summary.buffered), (500, 0, 500, 0));

    // Under any policy: nobody else would empty it.
    let rig = Rig::start(&["BTCUSDT"], |options| {
        spooling(options, folder.path(), ROOMY);
        options.buffer.overflow = Overflow::Merge;
    })
    .await;
    rig.tasks(500).await;
    assert_eq!(arrived(&rig), (0..500).collect::<Vec<_>>());
    assert_eq!(rig.broker.state().received, 500, "the counts of the first life come with its messages");
    eventually("the empty file is deleted", PATIENCE, async || files(&folder, ".db").is_empty()).await;
    let summary = rig.stop().await;
    assert_eq!((summary.received, summary.recovered, summary.accepted), (0, 500, 500));
}

#[tokio::test]
async fn a_full_spool_falls_back_to_merging_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(&["BTCUSDT"], |options| {
        spooling(options, folder.path(), 1 << 20);
        options.buffer.messages_max = 1_000;
        options.enqueue.tasks_max = 500;
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    let told = || rig.broker.listener().and_then(|state| state.trouble).unwrap_or_default();
    let mut sent = 0;
    while !told().contains("is full: `listener.spool_max` is 1MiB") {
        peer.trades("BTCUSDT", sent..sent + 500).await;
        sent += 500;
        let is_spooled = || rig.broker.listener().is_some_and(|state| spooled_now(&state) == sent);
        eventually("spooled or told", PATIENCE, async || is_spooled() || told().contains("is full")).await;
        assert!(sent < 100_000, "1 MiB holds fewer than that: {}", told());
    }
    peer.trades("BTCUSDT", sent..sent + 5_000).await;
    sent += 5_000;
    let received = || rig.broker.listener().and_then(|state| state.counts).unwrap_or_default().received;
    eventually("all is read", PATIENCE, async || received() == sent).await;
    rig.broker.set(Mood::Up);
    spooled(&rig, 0).await;
    eventually("calm again", PATIENCE, async || told().is_empty()).await;
    let seqs = arrived(&rig);
    assert!(seqs.is_sorted(), "the order holds all the way");
    assert_eq!(seqs.last(), Some(&(sent - 1)), "the newest is never given up");
    let summary = rig.stop().await;
    assert_eq!(summary.received, sent);
    assert!(0 < summary.shed["merge"] && summary.shed["merge"] <= 5_500, "{summary:?}");
    assert_eq!((summary.spooled, summary.buffered), (0, 0));
}

#[tokio::test]
async fn a_damaged_spool_is_set_aside_and_a_fresh_one_is_begun() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("spool")).unwrap();
    fs::write(folder.path().join("spool/binance.1.db"), vec![7; 10_000]).unwrap();
    let rig = Rig::start(&["BTCUSDT"], |options| spooling(options, folder.path(), ROOMY)).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    assert_eq!(files(&folder, "binance.1.db.corrupt-").len(), 1);
    let told = || rig.broker.listener().and_then(|state| state.trouble).unwrap_or_default();
    eventually("told", PATIENCE, async || told().contains(".recover")).await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..100).await;
    spooled(&rig, 100).await;
    rig.broker.set(Mood::Up);
    rig.tasks(100).await;
    assert!(told().contains("what it holds was not handed over"), "it stays to be seen: {}", told());
    rig.stop().await;
}

#[tokio::test]
async fn a_record_that_is_not_as_it_was_written_is_counted_and_its_neighbours_are_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(&["BTCUSDT"], |options| {
        spooling(options, folder.path(), ROOMY);
        options.enqueue.tasks_max = 10;
    })
    .await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..100).await;
    spooled(&rig, 100).await;
    rig.stop().await;

    let path = files(&folder, ".db").remove(0);
    let mut bytes = fs::read(&path).unwrap();
    let needle = br#""seq":42,"#;
    let at = bytes.windows(needle.len()).position(|bytes| bytes == needle).unwrap();
    bytes[at + 6] ^= 1; // 42 becomes 52: no parser would notice
    fs::write(&path, bytes).unwrap();

    let rig = Rig::start(&["BTCUSDT"], |options| spooling(options, folder.path(), ROOMY)).await;
    eventually("set aside", PATIENCE, async || !files(&folder, ".db.corrupt-").is_empty()).await;
    let seqs = arrived(&rig);
    let lost = 100 - u64::try_from(seqs.len()).unwrap();
    assert!((1..=10).contains(&lost) && !seqs.contains(&42), "{seqs:?}");
    let summary = rig.stop().await;
    assert_eq!((summary.recovered, summary.accepted, summary.shed["spool_damaged"]), (100, 100 - lost, lost));
}

#[tokio::test]
async fn a_disk_that_fails_ends_the_file_but_what_it_holds_is_handed_over() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::start(&["BTCUSDT"], |options| spooling(options, folder.path(), ROOMY)).await;
    let mut peer = rig.server.accept_subscribed().await;
    rig.live().await;
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 0..100).await;
    spooled(&rig, 100).await;
    fs::remove_file(files(&folder, ".db").remove(0)).unwrap();
    peer.trades("BTCUSDT", 100..200).await;
    rig.buffered(100).await;
    eventually("it is told", PATIENCE, async || {
        let told = rig.broker.listener().and_then(|state| state.trouble);
        told.is_some_and(|told| told.contains("cannot be written: it was deleted"))
    })
    .await;
    rig.broker.set(Mood::Up);
    rig.tasks(200).await;
    assert_eq!(arrived(&rig), (0..200).collect::<Vec<_>>());
    rig.broker.set(Mood::Away);
    peer.trades("BTCUSDT", 200..300).await;
    spooled(&rig, 100).await; // in a fresh file
    rig.broker.set(Mood::Up);
    rig.tasks(300).await;
    let summary = rig.stop().await;
    assert_eq!((summary.accepted, summary.shed.len()), (300, 0));
}
