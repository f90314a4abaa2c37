//! Workers that freeze, die and come back at the worst moment.

use std::time::Duration;

use common::broker::{self, Broker, Enqueue, Enqueued};
use common::clock;
use common::presence::InstanceId;
use common::queue::{IntakeCounts, LeaseId, Retry, Settled, Settlement, Take, Taken, Task, TickCounts, WIRE_VERSION};
use common::testing::eventually;
use secrecy::SecretString;
use serde_json::value::RawValue;
use std::sync::Arc;

use super::rig::{Pair, Rig, SOON};

#[tokio::test]
async fn what_is_queued_while_the_only_worker_is_frozen_and_killed_is_stored_by_the_next_embedded() {
    frozen_and_killed(Pair::Embedded).await;
}

#[tokio::test]
async fn what_is_queued_while_the_only_worker_is_frozen_and_killed_is_stored_by_the_next_on_servers() {
    frozen_and_killed(Pair::Servers).await;
}

/// The ring for what is queued goes to the frozen worker, or a take of its is under way: no task may go with either.
async fn frozen_and_killed(pair: Pair) {
    const ROUNDS: u32 = 8;
    let mut rig = Rig::new(pair).await;
    let broker = connect(&rig).await;
    for round in 1..=ROUNDS {
        let names = [format!("frozen-{round}"), format!("next-{round}")];
        rig.processes.start(&names[0], &["worker"]);
        let id = rig.processes.id(&names[0]);
        let took = || async { has_taken(&*broker, id).await };
        eventually("the worker asks for work", SOON, took).await;
        rig.processes.signal(&names[0], "-STOP");
        put(&*broker, round, 10).await;
        rig.processes.kill(&names[0]);
        rig.processes.start(&names[1], &["worker"]);
        rig.ended(0).await;
        assert_eq!(rig.ledger().of("settled"), u64::from(round) * 10, "round {round}");
        assert_eq!(rig.processes.stop(&names[1], "-TERM").await, Some(0));
    }
    rig.assert_all_is_well();
}

async fn has_taken(broker: &dyn Broker, id: u32) -> bool {
    let presences = broker.presences().await.expect("presences");
    presences.iter().filter(|presence| presence.pid == id).any(|presence| match &presence.part {
        common::presence::Part::Worker(worker) => worker.last_take_at.is_some(),
        common::presence::Part::Listener(_) => false,
    })
}

#[tokio::test]
async fn a_worker_that_was_frozen_past_its_lease_changes_nothing_when_it_goes_on_embedded() {
    frozen_past_its_lease(Pair::Embedded).await;
}

#[tokio::test]
async fn a_worker_that_was_frozen_past_its_lease_changes_nothing_when_it_goes_on_on_servers() {
    frozen_past_its_lease(Pair::Servers).await;
}

async fn frozen_past_its_lease(pair: Pair) {
    const FREEZES: u64 = 5;
    let mut rig = Rig::new(pair).await;
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "2000"]).await;
    rig.processes.start("first", &["worker"]);
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT", "trade,bookTicker");
    goes_on(&rig).await;
    rig.processes.start("second", &["worker"]);
    let mut frozen_with_a_batch = 0;
    for _ in 0..FREEZES {
        let before = rig.ledger().of("redelivered");
        rig.processes.signal("first", "-STOP");
        // Longer than its lease of 2 s: the other one has everything by then.
        let frozen_at = clock::monotonic();
        eventually("its lease is over", SOON, async || Duration::from_secs(4) < frozen_at.elapsed()).await;
        if pair == Pair::Servers {
            goes_on(&rig).await;
        } // else it may be frozen with the file's lock, which nobody can take from it, not even to look
        rig.processes.signal("first", "-CONT");
        goes_on(&rig).await;
        frozen_with_a_batch += u64::from(before < rig.ledger().of("redelivered"));
    }
    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.ended(0).await;
    rig.assert_all_is_well();
    eprintln!("{pair:?}: {frozen_with_a_batch} of {FREEZES} freezes hit a batch in work");
}

#[tokio::test]
async fn twenty_restarts_under_load_lose_nothing_and_do_nothing_twice() {
    const CYCLES: u32 = 20;
    let mut rig = Rig::new(Pair::Servers).await;
    rig.processes.set("TIDEMILL_WORKER__LEASE", "15s");
    let endpoint = rig.exchange(&["--symbols", "20", "--rate", "2000"]).await;
    rig.listen(&endpoint, "BTCUSDT,ETHUSDT,BNBUSDT,SOLUSDT", "trade,bookTicker");
    for cycle in 0..CYCLES {
        let name = format!("worker-{cycle}");
        let wanted = rig.ledger().of("settled") + 100;
        rig.processes.start(&name, &["worker"]);
        eventually("work goes on", SOON, async || wanted < rig.ledger().of("settled")).await;
        assert_eq!(rig.processes.stop(&name, "-TERM").await, Some(0), "cycle {cycle}");
        assert_eq!(rig.ledger().of("leased"), 0, "cycle {cycle}");
    }
    assert_eq!(rig.processes.stop("listener", "-TERM").await, Some(0));
    rig.processes.start("last", &["worker"]);
    rig.ended(0).await;
    rig.assert_all_is_well();
    assert_eq!(rig.ledger().of("redelivered"), 0);
}

#[tokio::test]
async fn very_many_delayed_tasks_cost_a_worker_no_memory() {
    const BATCHES: u32 = 200;
    const GROWTH_MAX: u64 = 8 << 20;
    let mut rig = Rig::new(Pair::Servers).await;
    let broker = connect(&rig).await;
    rig.processes.start("worker", &["worker"]);
    put(&*broker, 1, 100).await;
    rig.ended(0).await;
    // As much work as there will be delayed, so that what working itself needs is there.
    for round in 2..2 + BATCHES {
        put(&*broker, round, 1_000).await;
    }
    rig.ended(0).await;
    let before = memory(&*broker).await;
    rig.processes.signal("worker", "-STOP");
    // The take that stands behind its last wait would bring it one more batch.
    let clients = || rig.redis.as_ref().expect("a Redis of its own").cli(&["INFO", "clients"]);
    eventually("that wait has ended", SOON, async || clients().contains("blocked_clients:0")).await;
    for round in 1_000..1_000 + BATCHES {
        put(&*broker, round, 1_000).await;
        delay(&*broker).await;
    }
    rig.processes.signal("worker", "-CONT");
    assert_eq!(rig.ledger().of("delayed"), u64::from(BATCHES) * 1_000);
    put(&*broker, 5_000, 100).await;
    let settled = u64::from(BATCHES) * 1_000 + 200;
    eventually("new tasks go past them", SOON, async || rig.ledger().of("settled") == settled).await;
    let after = memory(&*broker).await;
    assert!(after < before + GROWTH_MAX, "{before} bytes before, {after} with 200,000 delayed tasks");
    eprintln!("a worker's memory: {before} bytes before, {after} with 200,000 delayed tasks");
}

/// The worker's, as of now.
async fn memory(broker: &dyn Broker) -> u64 {
    let asked = clock::now();
    let mut bytes = 0;
    eventually("the worker beats", SOON, async || {
        let presences = broker.presences().await.expect("presences");
        let fresh = presences.iter().find(|presence| asked < presence.beat_at);
        bytes = fresh.map_or(0, |presence| presence.memory_bytes);
        0 < bytes
    })
    .await;
    bytes
}

/// Takes what waits and delays it for an hour.
async fn delay(broker: &dyn Broker) {
    let ttl = Duration::from_mins(1);
    let (queue, lease) = (queue(), LeaseId::fresh());
    let take = Take { queue: queue.clone(), lease, tasks_max: 1_000, bytes_max: 8 << 20, ttl, worker: "test".into() };
    let Taken::Batch(batch) = broker.take(&take).await.expect("take") else { panic!("the worker is frozen") };
    let retry = vec![Retry { tasks: batch.tasks, after: Duration::from_hours(1) }];
    let settlement = Settlement { queue, lease, settled: 0, counts: TickCounts::default(), retry, dead: Vec::new() };
    assert_eq!(broker.settle(&settlement, None).await.expect("settle").0, Settled::Done);
}

/// Until another five hundred tasks have ended.
async fn goes_on(rig: &Rig) {
    let wanted = rig.ledger().of("settled") + 500;
    let settled = |rig: &Rig| rig.ledger().0["settled"].as_u64().unwrap_or(0); // a busy broker may be late for a look
    eventually("work goes on", SOON, async || wanted < settled(rig)).await;
}

async fn connect(rig: &Rig) -> Arc<dyn Broker> {
    broker::connect(&SecretString::from(rig.broker_url.as_str())).await.expect("the broker opens")
}

fn queue() -> common::queue::QueueName {
    "websocket_data".parse().expect("a good name")
}

/// Trades as a listener enqueues them.
async fn put(broker: &dyn Broker, round: u32, count: u32) {
    let epoch = broker.next_epoch().await.expect("an epoch");
    let at = clock::now();
    let task = |number: u32| {
        let body = format!(
            r#"{{"stream":"btcusdt@trade","data":{{"e":"trade","E":1,"s":"BTCUSDT","t":{number},"p":"{round}.5","q":"1","T":1,"m":true}}}}"#
        );
        let body = RawValue::from_string(body).expect("it is JSON");
        let (feed, kind) = ("binance".into(), "trade".into());
        Task { v: WIRE_VERSION, feed, kind, conn: 1, epoch, seq: number, at, attempt: 0, body: &body }.encode()
    };
    let tasks: Vec<Vec<u8>> = (1..=count).map(task).collect();
    let (queue, producer, counts) = (queue(), InstanceId::fresh(), IntakeCounts::default());
    let enqueue = Enqueue { queue: &queue, producer, batch: 1, tasks: &tasks, waiting_max: 1_000_000, counts: &counts };
    assert_eq!(broker.enqueue(&enqueue).await.expect("the broker takes it"), Enqueued::Accepted);
}
