//! Three listener processes share six connections; one is killed, one freezes, and it comes back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use common::broker::shards::HoldShards;
use common::clock;
use common::testing::eventually;
use serde_json::Value;

use super::presence_watch::PresenceWatch;
use super::rig::{Pair, Rig, SOON};
use super::venues::{Venue, walk};

const SYMBOLS: usize = 60;

/// Connections, each of ten symbols.
const SHARDS: usize = 6;

/// Low enough that what a frozen process does not read fits the socket.
const RATE: u32 = 300;

/// From the deaths on: leases run out, and two questions later the last listener holds all shards.
const HELD_WITHIN: Duration = HoldShards::TTL.saturating_add(Duration::from_secs(2));

/// The feed's limits let one connection be opened per second, and four are missing.
const SERVED_WITHIN: Duration = HELD_WITHIN.saturating_add(Duration::from_secs(4));

/// What `feed ls --json` says.
struct Sharing(Value);

impl Sharing {
    /// Null before the first listener is there, and where the broker is late for a look on a busy machine.
    fn of(rig: &Rig) -> Self {
        let (_, out, _) = rig.run(&["feed", "ls", "--json"]);
        let groups: Value = serde_json::from_str(&out).unwrap_or_default();
        Self(groups["groups"][0].clone())
    }

    /// Shards by process id, those of listeners that are known to the broker.
    fn shards_of(&self, process: u32) -> BTreeSet<u64> {
        let ending = format!("/{process}");
        let listeners = self.0["listeners"].as_array().into_iter().flatten();
        let own = listeners.filter(|listener| listener["process"].as_str().is_some_and(|it| it.ends_with(&ending)));
        own.flat_map(|listener| listener["shards"].as_array().into_iter().flatten().filter_map(Value::as_u64)).collect()
    }

    fn sizes(&self) -> Vec<usize> {
        let listeners = self.0["listeners"].as_array().into_iter().flatten();
        listeners.map(|listener| listener["shards"].as_array().map_or(0, Vec::len)).collect()
    }

    /// All shards have a holder, and the provider has confirmed all symbols.
    fn is_served(&self) -> bool {
        self.sizes().iter().sum::<usize>() == SHARDS && self.0["confirmed"] == SYMBOLS
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_last_listener_takes_over_and_a_thawed_one_gets_its_share_again() {
    let mut rig = Rig::new(Pair::Servers).await;
    rig.processes.set("TIDEMILL_STORE__HISTORY", "false");
    rig.processes.set("TIDEMILL_WORKER__LEASE", "15s");
    rig.processes.set("TIDEMILL_LISTENER__SYMBOLS_PER_CONNECTION", "10");
    let venue = Venue::open("binance", walk(SYMBOLS, RATE), "none").await;
    rig.processes.start("worker", &["worker"]);
    for name in ["killed", "frozen", "last"] {
        rig.listen_to(name, &venue, &venue.symbols, &["--channels", "trade"]);
    }
    let watch = Arc::new(PresenceWatch::start(&rig).await);
    let is_fair = |sharing: &Sharing, share: usize| sharing.is_served() && sharing.sizes().iter().all(|n| *n == share);
    eventually("each serves two shards", SOON, async || is_fair(&Sharing::of(&rig), 2) && venue.has(SHARDS)).await;

    let (frozen, last) = (rig.processes.id("frozen"), rig.processes.id("last"));
    rig.processes.signal("frozen", "-STOP");
    watch.freeze(frozen);
    rig.processes.kill("killed");
    let (held, served) = take_over(&rig, &watch, last).await;
    eprintln!("the last listener holds all {SHARDS} shards after {held:?}, and serves them after {served:?}");
    assert!(held <= HELD_WITHIN, "{held:?}");
    assert!(served <= SERVED_WITHIN, "{served:?}");

    let opened = venue.stats().connections_total;
    rig.processes.signal("frozen", "-CONT");
    watch.thaw(frozen);
    let thawed = clock::monotonic();
    eventually("each serves three shards", SOON, async || is_fair(&Sharing::of(&rig), 3) && venue.has(SHARDS)).await;
    eprintln!("fair shares {:?} after the thaw", thawed.elapsed());
    let sharing = Sharing::of(&rig);
    assert_eq!((sharing.shards_of(frozen).len(), sharing.shards_of(last).len()), (3, 3), "{}", sharing.0);
    assert_eq!(venue.stats().connections_total, opened + 3, "three connections moved, and no other was opened");
    let (twice, records) = watch.verdict();
    assert_eq!(twice, Vec::<String>::new(), "connections that two running listeners served at one time");
    eprintln!("none served by two, in {records} presence records");

    for name in ["frozen", "last"] {
        assert_eq!(rig.processes.stop(name, "-TERM").await, Some(0), "{name}");
    }
    rig.ended(0).await;
    let ledger = rig.ledger();
    for nothing in ["lost", "dead", "open", "shed"] {
        assert_eq!(ledger.of(nothing), 0, "{nothing}: {ledger:?}");
    }
    assert!(0 < ledger.of("settled"), "{ledger:?}");
}

/// How long it takes until the last listener holds all shards, and until the exchange has confirmed all of its symbols.
async fn take_over(rig: &Rig, watch: &PresenceWatch, last: u32) -> (Duration, Duration) {
    let begun = clock::monotonic();
    let holds = || Sharing::of(rig).shards_of(last).len() == SHARDS;
    eventually("the last one holds all", SOON, async || holds()).await;
    let held = begun.elapsed();
    eventually("the last one serves all", SOON, async || watch.confirmed(last) == SYMBOLS as u64).await;
    (held, begun.elapsed())
}
