//! A full Redis and a PostgreSQL that is away: everything waits, nothing is lost, and all goes on by itself.

use std::time::Duration;

use common::clock;
use common::testing::eventually;

use super::rig::{Pair, Rig, SOON};

/// Room that is left to Redis: the tasks of a few seconds.
const ROOM_BYTES: u64 = 4 << 20;

/// How long PostgreSQL is away.
const AWAY: Duration = Duration::from_secs(5);

/// What is promised is two seconds; a busy machine gets more.
const BACK_WITHIN: Duration = Duration::from_secs(15);

#[tokio::test]
async fn a_full_redis_is_emptied_and_intake_resumes_by_itself() {
    let mut rig = Rig::new(Pair::Servers).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "4000"]).await;
    let symbols = "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT";
    rig.listen(&endpoint, symbols, "trade,bookTicker");
    eventually("tasks are accepted", SOON, async || 0 < rig.ledger().of("accepted")).await;
    let limit = used_memory(&rig) + ROOM_BYTES;
    redis(&rig, &["CONFIG", "SET", "maxmemory", &limit.to_string()]);
    eventually("the listener says why it waits", SOON, async || trouble(&rig).is_some_and(|said| !said.is_empty()))
        .await;
    let said = trouble(&rig).unwrap_or_default();
    assert!(said.contains("out of memory"), "{said}");
    let full = rig.ledger();
    assert_eq!((full.of("lost"), full.of("settled")), (0, 0), "{full:?}");

    rig.processes.start("worker", &["worker"]);
    let accepted = full.of("accepted");
    eventually("intake goes on", SOON, async || accepted < rig.ledger().of("accepted")).await;
    eventually("the listener's trouble is over", SOON, async || trouble(&rig).is_some_and(|said| said.is_empty()))
        .await;
    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.ended(0).await;
    let ledger = rig.ledger();
    assert_eq!((ledger.of("lost"), ledger.of("dead")), (0, 0), "{ledger:?}");
    assert_eq!(ledger.0["balanced"], true, "{ledger:?}");
    assert_eq!(ledger.of("settled"), ledger.of("accepted"), "{ledger:?}");
}

/// Why the listener waits, empty while it does not; `None` where no listener is seen.
fn trouble(rig: &Rig) -> Option<String> {
    let listener = rig.status()["listeners"][0].take();
    listener.is_object().then(|| listener["trouble"].as_str().unwrap_or_default().to_owned())
}

fn redis(rig: &Rig, command: &[&str]) -> String {
    rig.redis.as_ref().expect("the pair has Redis").cli(command)
}

fn used_memory(rig: &Rig) -> u64 {
    let memory = redis(rig, &["INFO", "memory"]);
    let used = memory.lines().find_map(|line| line.strip_prefix("used_memory:"));
    used.and_then(|used| used.trim().parse().ok()).expect("Redis tells its memory")
}

#[tokio::test]
async fn work_goes_on_soon_after_postgresql_is_back_and_nothing_is_given_up() {
    let mut rig = Rig::new(Pair::Servers).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "1000"]).await;
    for worker in ["worker-1", "worker-2"] {
        rig.processes.start(worker, &["worker"]);
    }
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT", "trade,bookTicker");
    eventually("ticks are stored", SOON, async || 1_000 < rig.ledger().of("settled")).await;

    let postgres = rig.postgres.as_ref().expect("the pair has PostgreSQL");
    postgres.stop().await;
    let stopped = clock::monotonic();
    eventually("workers say what they wait for", SOON, async || {
        let workers = rig.status()["workers"].take();
        let troubled = |worker: &serde_json::Value| worker["trouble"].is_string();
        AWAY <= stopped.elapsed() && workers.as_array().is_some_and(|workers| workers.iter().all(troubled))
    })
    .await;
    let before = rig.ledger();
    assert_eq!((before.of("dead"), before.of("lost")), (0, 0), "{before:?}");
    postgres.resume().await;
    let back = clock::monotonic();
    let settled = before.of("settled");
    eventually("work goes on", SOON, async || settled < rig.ledger().of("settled")).await;
    let took = back.elapsed();
    eprintln!("PostgreSQL was away for {AWAY:?}; the next settlement was seen {took:?} after its return");
    assert!(took < BACK_WITHIN, "{took:?}");

    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.ended(0).await;
    rig.assert_all_is_well();
    let ledger = rig.ledger();
    assert_eq!(ledger.of("settled"), ledger.of("accepted"), "{ledger:?}");
}
