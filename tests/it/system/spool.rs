//! A listener that is killed while its messages are on the disk: what was durable arrives, once.

use std::collections::BTreeSet;
use std::path::Path;

use common::testing::eventually;

use super::rig::{Pair, Rig, SOON};

/// The lines of the account of accepted messages that begin with `word`, without it; a repetition counts once.
fn noted(log: &Path, word: &str) -> BTreeSet<String> {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    // Killed in the middle of a line: that one is not there yet.
    let whole = text.rsplit_once('\n').map_or("", |(whole, _)| whole);
    whole.lines().filter_map(|line| Some(line.strip_prefix(word)?.to_owned())).collect()
}

fn messages(lines: &BTreeSet<String>) -> u64 {
    let of = |line: &String| {
        let mut words = line.rsplit(' ').map(|word| word.parse::<u64>().expect("a seq"));
        let (last, first) = (words.next().expect("the last seq"), words.next().expect("the first seq"));
        last - first + 1
    };
    lines.iter().map(of).sum()
}

#[tokio::test]
async fn a_listener_that_is_killed_with_a_spool_leaves_nothing_behind() {
    let mut rig = Rig::new(Pair::Servers).await;
    let log = rig.folder.path().join("accepted.log");
    rig.processes.set("TIDEMILL_LISTENER__OVERFLOW", "spool");
    rig.processes.set("TIDEMILL_LISTENER__ACCEPTED_LOG", log.display().to_string());
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "2000"]).await;
    let symbols = "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT";
    rig.listen(&endpoint, symbols, "trade,bookTicker");
    rig.processes.start("worker", &["worker"]);
    eventually("ticks are stored", SOON, async || 200 < rig.ledger().of("settled")).await;

    let redis = rig.redis.as_ref().expect("the pair has Redis");
    redis.pause();
    eventually("messages are on the disk", SOON, async || 1_000 < messages(&noted(&log, "spooled "))).await;
    rig.processes.kill("listener");
    let spooled = noted(&log, "spooled ");
    rig.redis.as_ref().expect("the pair has Redis").resume();
    rig.listen(&endpoint, symbols, "trade,bookTicker");
    eventually("what the first life left is accepted", SOON, async || spooled.is_subset(&noted(&log, "accepted ")))
        .await;

    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.ended(0).await;
    rig.assert_all_is_well();
    let ledger = rig.ledger();
    assert_eq!(ledger.of("settled"), ledger.of("accepted"), "{ledger:?}");
    assert_eq!(ledger.of("accepted"), messages(&noted(&log, "accepted ")), "not one was accepted twice: {ledger:?}");
    let spool = rig.folder.path().join("data/spool");
    let files = std::fs::read_dir(&spool).expect("the spool's folder");
    let left =
        files.filter(|file| file.as_ref().is_ok_and(|file| file.path().extension().is_some_and(|end| end == "db")));
    assert_eq!(left.count(), 0);
}
