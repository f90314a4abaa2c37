//! What Redis does to its clients, and how the broker takes it.

use std::sync::Arc;
use std::time::Duration;

use common::broker::redis::connect;
use common::broker::{Broker, BrokerError, Enqueued};
use common::queue::{Settled, Taken};
use common::testing::broker_suite::Hand;
use common::testing::{RedisServer, eventually};
use common::wipe::WipeWatch;

/// The promise: work goes on this soon after Redis does.
const RECOVERY_MAX: Duration = Duration::from_secs(1);
const PATIENCE: Duration = Duration::from_secs(20);

async fn broker(server: &RedisServer) -> Arc<dyn Broker> {
    connect(&server.url()).await.expect("the server runs")
}

async fn refusal(server: &RedisServer, url: &str) -> BrokerError {
    let outcome = match connect(url).await {
        Ok(broker) => broker.preflight().await.map(drop),
        Err(error) => Err(error),
    };
    let error = outcome.expect_err("it must not be used");
    assert!(!format!("{error} {error:?}").contains("secret"), "{error:?}");
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", server.port())), "{error}");
    error
}

#[tokio::test]
async fn a_full_redis_refuses_tasks_and_can_still_be_drained() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "noeviction"]).await;
    let hand = Hand::new(&broker(&server).await);
    let task = vec![b'x'; 1_000];
    let tasks = vec![task.clone(); 2_000];
    assert_eq!(hand.put_bytes(&tasks).await, Enqueued::Accepted);
    let held = hand.batch(500).await;
    server.cli(&["CONFIG", "SET", "maxmemory", "1mb"]);

    let one = [task];
    let enqueue = async |batch| {
        let counts = common::queue::IntakeCounts::default();
        let producer = common::presence::InstanceId::fresh();
        let queue = &hand.queue;
        let enqueue =
            common::broker::Enqueue { queue, producer, batch, tasks: &one, waiting_max: 1_000_000, counts: &counts };
        hand.broker.enqueue(&enqueue).await
    };
    let refused = enqueue(1).await;
    assert!(matches!(refused, Err(BrokerError::OutOfRoom { .. })), "{refused:?}");
    assert_eq!(hand.places().await, [1_500, 500, 0, 0, 0], "nothing was added, looking is allowed");

    assert_eq!(hand.broker.renew(&hand.queue, &[held.lease], Duration::from_mins(1)).await.expect("renew"), []);
    assert_eq!(hand.broker.release(&hand.queue, held.lease).await.expect("release"), Settled::Done);
    hand.die_with(100).await;
    hand.broker.next_epoch().await.expect("an epoch");
    hand.broker.set_paused(&hand.queue, true).await.expect("pause");
    hand.broker.set_paused(&hand.queue, false).await.expect("resume");
    eventually("the full queue runs dry", PATIENCE, async || {
        hand.drain().await;
        hand.census().await.ledger.open() == 0
    })
    .await;
    assert_eq!(hand.places().await, [0, 0, 0, 0, 2_000]);
    server.cli(&["CONFIG", "SET", "maxmemory", "100mb"]);
    assert_eq!(enqueue(1).await.expect("there is room again"), Enqueued::Accepted);
    assert_eq!(hand.drain().await.len(), 1);
}

#[tokio::test]
async fn forgotten_scripts_are_loaded_again() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&broker(&server).await);
    hand.put(&["1", "2"]).await;
    assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
    let batch = hand.batch(1).await;
    assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
    assert_eq!(hand.store(&batch).await, Settled::Done);
    assert_eq!(server.cli(&["SCRIPT", "FLUSH"]), "OK");
    hand.put(&["3"]).await;
    assert_eq!(hand.drain().await, ["2", "3"]);
}

#[tokio::test]
async fn a_restart_with_the_append_only_file_keeps_everything() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let hand = Hand::new(&broker(&server).await);
    let dead = hand.bury(&["dead"], "row", None).await;
    hand.put(&["1", "2", "3", "4"]).await;
    let wish = hand.wish(2, Duration::from_mins(1));
    let held = hand.take_as(&wish).await;
    let released = hand.batch(1).await;
    hand.broker.release(&hand.queue, released.lease).await.expect("release");
    let before = hand.census().await;
    let epoch = hand.broker.next_epoch().await.expect("an epoch");

    server.restart().await;
    eventually("it answers again", RECOVERY_MAX, async || hand.broker.census(&hand.queue).await.is_ok()).await;
    assert_eq!(hand.census().await, before);
    assert_eq!(hand.take_as(&wish).await, held, "a lease outlives the server");
    assert!(epoch < hand.broker.next_epoch().await.expect("an epoch"));
    let Taken::Batch(held) = held else { panic!("no batch, but {held:?}") };
    assert_eq!(hand.store(&held).await, Settled::Done);
    assert_eq!(hand.broker.dead_retry(&hand.queue, &[dead[0].id]).await.expect("retry"), 1);
    assert_eq!(hand.drain().await, ["3", "4", "dead"]);
}

#[tokio::test]
async fn a_killed_connection_comes_back_unnoticed() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&broker(&server).await);
    for round in 0..20 {
        hand.put(&[&round.to_string()]).await;
        assert_eq!(server.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]), "1");
        assert_eq!(hand.drain().await, [round.to_string()]);
    }
}

#[tokio::test]
async fn an_outage_is_an_error_at_once_and_over_when_redis_is_back() {
    let mut server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&broker(&server).await);
    hand.put(&["lost with the server, which keeps nothing"]).await;
    server.stop();
    for _ in 0..3 {
        let away = hand.broker.take(&hand.wish(1, RECOVERY_MAX)).await;
        assert!(matches!(away, Err(BrokerError::Unavailable { .. })), "{away:?}");
    }
    server.start().await;
    eventually("it answers again", RECOVERY_MAX, async || hand.broker.census(&hand.queue).await.is_ok()).await;
    hand.put(&["1"]).await;
    assert_eq!(hand.broker.queues().await.expect("queues"), std::slice::from_ref(&hand.queue), "known again");
    assert_eq!(hand.drain().await, ["1"]);
}

#[tokio::test]
async fn an_emptied_redis_learns_the_queue_again() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&broker(&server).await);
    hand.put(&["1"]).await;
    let before = hand.broker.next_epoch().await.expect("an epoch");
    server.cli(&["FLUSHALL"]);
    hand.put(&["2"]).await;
    assert_eq!(hand.broker.queues().await.expect("queues"), std::slice::from_ref(&hand.queue));
    // An epoch is a tenth of a second; the one given before was at most a few ahead of the clock.
    eventually("epochs are above the lost one", PATIENCE, async || {
        before < hand.broker.next_epoch().await.expect("an epoch")
    })
    .await;
}

#[tokio::test]
async fn a_generation_lasts_through_restarts_and_ends_when_redis_is_emptied() {
    let mut server = RedisServer::start_with(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    let hand = Hand::new(&broker(&server).await);
    assert_eq!(hand.census().await.generation, None);
    hand.put(&["1", "2"]).await;
    let before = hand.census().await;
    assert!(before.generation.is_some());
    server.restart().await;
    eventually("it answers again", RECOVERY_MAX, async || hand.broker.census(&hand.queue).await.is_ok()).await;
    hand.drain().await;
    assert_eq!(hand.census().await.generation, before.generation);

    let mut watch = WipeWatch::new(hand.queue.clone());
    assert_eq!(watch.look(&before, [2; 2], common::clock::now()), None);
    server.cli(&["FLUSHALL"]);
    let wiped = watch.look(&hand.census().await, [2; 2], common::clock::now()).expect("it is noticed at once");
    assert_eq!((wiped.known_accepted, wiped.lost_max), (2, 2));
    hand.put(&["3"]).await;
    let after = hand.census().await;
    assert!(before.generation < after.generation, "{before:?} {after:?}");
    assert_eq!(watch.look(&after, [3; 2], common::clock::now()), None, "it is told once");
}

#[tokio::test]
async fn a_frozen_redis_is_unavailable_in_time_and_its_late_work_is_done_once() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&broker(&server).await);
    hand.put(&["1", "2"]).await;
    let batch = hand.batch(1).await;
    let ending = hand.all_stored(&batch);
    let wish = hand.wish(1, Duration::from_mins(1));
    server.pause();
    let outcome = hand.broker.settle(&ending, Some(&wish)).await;
    assert!(matches!(outcome, Err(BrokerError::Unavailable { .. })), "{outcome:?}");
    server.resume();
    // Unknown, not failed: the first one may run at any moment now. The repetition must fit either way.
    let (settled, taken) = hand.broker.settle(&ending, Some(&wish)).await.expect("it answers again");
    assert!(matches!(settled, Settled::Done | Settled::Already), "{settled:?}");
    assert!(matches!(taken, Some(Taken::Batch(batch)) if batch.tasks == [b"2"]));
    assert_eq!(hand.places().await, [0, 1, 0, 0, 1]);
}

#[tokio::test]
async fn a_redis_that_evicts_is_refused_with_the_way_to_fix_it() {
    let server = RedisServer::start_with(&["--maxmemory-policy", "allkeys-lru"]).await;
    let error = refusal(&server, &server.url()).await;
    let BrokerError::Unfit { problem, fix, .. } = &error else { panic!("{error:?}") };
    assert!(problem.contains("allkeys-lru"), "{problem}");
    let command: Vec<&str> = fix.split(' ').collect();
    assert_eq!(server.cli(&command), "OK", "the fix works as it is written");
    broker(&server).await.preflight().await.expect("fit now");
}

#[tokio::test]
async fn lacking_persistence_is_a_warning() {
    for (args, expected) in [
        (&["--appendonly", "no"][..], Some("persistence is off")),
        (&["--save", "900 1"], Some("last snapshot")),
        (&["--appendonly", "yes"], None),
    ] {
        let server = RedisServer::start_with(args).await;
        let warnings = broker(&server).await.preflight().await.expect("fit");
        assert_eq!(warnings.len(), usize::from(expected.is_some()), "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.contains(expected.unwrap_or_default())), "{warnings:?}");
    }
}

#[tokio::test]
async fn a_wrong_or_missing_password_is_denied_without_showing_it() {
    let server = RedisServer::start_with(&["--requirepass", "right-secret"]).await;
    let place = format!("127.0.0.1:{}", server.port());
    for url in
        [format!("redis://:wrong-secret@{place}"), format!("redis://{place}"), format!("redis://a:secret@{place}")]
    {
        let error = refusal(&server, &url).await;
        assert!(matches!(error, BrokerError::Denied { .. }), "{error:?}");
    }
    broker(&server).await.preflight().await.expect("the right one");
}

#[tokio::test]
async fn a_changed_password_is_denied_and_heals_when_it_is_changed_back() {
    let server = RedisServer::start_with(&["--requirepass", "first"]).await;
    let hand = Hand::new(&broker(&server).await);
    hand.put(&["1"]).await;
    server.cli(&["CONFIG", "SET", "requirepass", "second"]);
    // Connections that are open stay so: new ones must log in.
    let cut = |password: &str| {
        let port = server.port().to_string();
        let mut command = std::process::Command::new("redis-cli");
        command.env("REDISCLI_AUTH", password).args(["-p", &port]);
        command
    };
    cut("second").args(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]).output().expect("redis-cli");
    let denied = hand.broker.census(&hand.queue).await;
    assert!(matches!(denied, Err(BrokerError::Denied { .. })), "{denied:?}");
    assert!(denied.expect_err("denied").is_transient(), "a person may repair it while we wait");
    cut("second").args(["CONFIG", "SET", "requirepass", "first"]).output().expect("redis-cli");
    eventually("the old password serves again", RECOVERY_MAX, async || hand.broker.census(&hand.queue).await.is_ok())
        .await;
    assert_eq!(hand.drain().await, ["1"]);
}

#[tokio::test]
async fn a_user_without_administrative_rights_can_work() {
    let server = RedisServer::start_with(&[]).await;
    server.cli(&["ACL", "SETUSER", "worker", "on", ">secret", "~*", "&*", "+@all", "-@dangerous", "-@admin"]);
    let url = format!("redis://worker:secret@127.0.0.1:{}", server.port());
    let broker = connect(&url).await.expect("the server runs");
    let warnings = broker.preflight().await.expect("only unchecked");
    assert!(warnings.iter().any(|warning| warning.contains("unchecked")), "{warnings:?}");
    let hand = Hand::new(&broker);
    hand.put(&["1"]).await;
    assert_eq!(hand.drain().await, ["1"]);

    server.cli(&["ACL", "SETUSER", "reader", "on", ">secret", "~*", "+@read", "+ping"]);
    let url = format!("redis://reader:secret@127.0.0.1:{}", server.port());
    let reader = connect(&url).await.expect("the server runs");
    let denied = reader.take(&hand.wish(1, RECOVERY_MAX)).await;
    assert!(matches!(denied, Err(BrokerError::Denied { .. })), "{denied:?}");
}

#[tokio::test]
async fn nobody_listening_is_unavailable() {
    let mut server = RedisServer::start_with(&[]).await;
    server.stop();
    let error = refusal(&server, &server.url()).await;
    assert!(matches!(error, BrokerError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn tls_where_there_is_none_is_an_error_and_no_panic() {
    let server = RedisServer::start_with(&[]).await;
    let error = refusal(&server, &format!("rediss://:secret@127.0.0.1:{}", server.port())).await;
    assert!(matches!(error, BrokerError::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn a_sweep_over_many_dead_workers_is_bounded_and_the_next_goes_on() {
    const WORKERS: u32 = 120;
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&broker(&server).await);
    let tasks: Vec<String> = (0..WORKERS).map(|i| i.to_string()).collect();
    hand.put(&tasks.iter().map(String::as_str).collect::<Vec<_>>()).await;
    for _ in 0..WORKERS {
        hand.take_as(&hand.wish(1, Duration::from_millis(1))).await;
    }
    let (mut returned, mut sweeps) = (0, 0);
    eventually("all are returned", PATIENCE, async || {
        let reaped = hand.broker.reap(&hand.queue).await.expect("reap");
        assert!(reaped.returned <= 50, "{reaped:?}");
        returned += reaped.returned;
        sweeps += u32::from(0 < reaped.returned);
        returned == WORKERS
    })
    .await;
    assert!(3 <= sweeps, "{sweeps} sweeps");
    let mut drained = Vec::new();
    eventually("all are due", PATIENCE, async || {
        drained.extend(hand.drain().await);
        drained.len() == tasks.len()
    })
    .await;
    drained.sort_by_key(|task| task.parse::<u32>().expect("a number"));
    assert_eq!(drained, tasks);
}

#[tokio::test]
async fn a_replica_is_unavailable_for_work() {
    let server = RedisServer::start_with(&[]).await;
    let hand = Hand::new(&broker(&server).await);
    hand.put(&["1"]).await;
    server.cli(&["REPLICAOF", "127.0.0.1", "1"]);
    let outcome = hand.broker.take(&hand.wish(1, RECOVERY_MAX)).await;
    assert!(matches!(outcome, Err(BrokerError::Unavailable { .. })), "{outcome:?}");
    server.cli(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(hand.drain().await, ["1"]);
}
