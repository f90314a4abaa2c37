//! `kill -9`, again and again, while a recording is replayed.

use common::testing::eventually;

use super::recordings::Recording;
use super::replay::{assert_contiguous, assert_shows};
use super::rig::{Pair, Rig, SOON};

/// The recording's six minutes take about nine seconds.
const SPEED: &str = "40x";

/// More than are ever on their way between the exchange's socket and the queue.
const RESENT: &str = "5000";

/// Which beat of the exchange's statistics, one a second, is the listener's last.
const LISTENER_DIES_AT: u32 = 4;

#[tokio::test]
async fn no_trade_is_lost_when_workers_and_listener_are_killed_embedded() {
    killed_all_the_time(Pair::Embedded).await;
}

#[tokio::test]
async fn no_trade_is_lost_when_workers_and_listener_are_killed_on_servers() {
    killed_all_the_time(Pair::Servers).await;
}

async fn killed_all_the_time(pair: Pair) {
    let Some(recording) = Recording::find("hft_spot_btcusdt_20240808.txt.gz") else { return };
    let mut rig = Rig::new(pair).await;
    let replay = ["--replay", &recording.path, "--speed", SPEED, "--wait-for", "2", "--hold", "--resend", RESENT];
    let endpoint = rig.exchange(&replay).await;
    let workers = ["worker-1", "worker-2"];
    for worker in workers {
        rig.processes.start(worker, &["worker"]);
    }
    let listen = |rig: &mut Rig| rig.listen(&endpoint, "BTCUSDT", "trade,bookTicker");
    listen(&mut rig);

    let mut kills = 0;
    for (beat, worker) in (1..).zip(workers.iter().cycle()) {
        if !next_beat(&rig).await {
            break;
        }
        rig.processes.kill(worker);
        rig.processes.start(worker, &["worker"]);
        kills += 1;
        if beat == LISTENER_DIES_AT {
            rig.processes.kill("listener");
            listen(&mut rig);
        }
    }
    assert!(LISTENER_DIES_AT < kills, "the replay was over after {kills} kills");

    let wanted = recording.number(&["trades"]).to_string();
    let known = "SELECT CAST(count(DISTINCT trade_id) AS TEXT) AS value FROM tick_history";
    eventually("every trade is stored", SOON, async || rig.values(known).await == [&*wanted]).await;
    // It hands over what it still holds, so that nothing changes any more behind the checks.
    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.ended(0).await;

    rig.assert_all_is_well();
    assert_shows(&rig, &recording).await;
    assert_contiguous(&rig.values(TRADES).await, &recording);
    // The exchange sent some messages again, as a listener's successor needs; each of these deliveries is a tick of its
    // own, with an order of its own. What must not happen is one delivery stored twice.
    let deliveries = rig.values(DELIVERIES).await;
    let mut distinct = deliveries.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct.len(), deliveries.len());
    let ledger = rig.ledger();
    assert_eq!(ledger.of("settled"), deliveries.len() as u64, "{ledger:?}");
    let (resent, again) = (rig.exchange_stats()["resent"].clone(), ledger.of("redelivered"));
    eprintln!("{pair:?}: {kills} kills of workers, 1 of the listener; {resent} sent again, {again} redelivered");
}

const TRADES: &str = "SELECT CAST(trade_id AS TEXT) AS value FROM tick_history WHERE trade_id IS NOT NULL";

const DELIVERIES: &str =
    "SELECT CAST(order_key AS TEXT) || '/' || CAST(index_in_message AS TEXT) AS value FROM tick_history";

/// Waits until the replay has gone on for about a second; `false` when it is over.
async fn next_beat(rig: &Rig) -> bool {
    let sent = |rig: &Rig| rig.exchange_stats()["sent_total"].as_u64().unwrap_or_default();
    let before = sent(rig);
    let is_over = |rig: &Rig| rig.exchange_stats()["finished"] == true;
    eventually("the replay goes on", SOON, async || before < sent(rig) || is_over(rig)).await;
    !is_over(rig)
}
