//! The keys on Redis are a contract: other clients share the queue, operators look at it, Cluster places it.

use std::time::Duration;

use common::broker::redis::connect;
use common::broker::{BrokerError, Enqueued};
use common::queue::{DeadFilter, Settled, Taken};
use common::testing::RedisServer;
use common::testing::broker_suite::Hand;

async fn open() -> (RedisServer, Hand) {
    let server = RedisServer::start_with(&[]).await;
    let broker = connect(&server.url()).await.expect("the server runs");
    let hand = Hand::on(&broker, "websocket_data");
    (server, hand)
}

#[tokio::test]
async fn the_pending_list_has_the_bare_name_and_its_head_at_the_right() {
    let (server, hand) = open().await;
    hand.put(&["oldest", "newest"]).await;
    assert_eq!(server.cli(&["LRANGE", "websocket_data", "0", "-1"]), "newest\noldest");
    // A client of another kind pushes as Celery does.
    server.cli(&["LPUSH", "websocket_data", "foreign"]);
    let ledger = hand.broker.census(&hand.queue).await.expect("census").ledger;
    assert_eq!((ledger.waiting, ledger.accepted, ledger.uncounted()), (3, 2, 1));
    let batch = hand.batch(10).await;
    assert_eq!(batch.tasks, [&b"oldest"[..], b"newest", b"foreign"]);
    let mut ending = hand.all_stored(&batch);
    ending.counts.foreign = 1;
    assert_eq!(hand.settle(&ending).await, Settled::Done);
    assert_eq!(hand.census().await.ledger.accepted, 3, "balanced again");
}

#[tokio::test]
async fn every_key_of_a_queue_lies_in_its_slot_and_nothing_with_a_task_expires() {
    let (server, hand) = open().await;
    let dead = hand.bury(&["dead"], "row", None).await;
    hand.put(&["1", "2", "3"]).await;
    let released = hand.batch(1).await;
    hand.die_with(1).await;
    hand.broker.release(&hand.queue, released.lease).await.expect("release");
    hand.batch(1).await;
    hand.broker.set_paused(&hand.queue, true).await.expect("pause");
    hand.broker.next_epoch().await.expect("an epoch");
    assert_eq!(dead.len(), 1);

    let keys = server.cli(&["KEYS", "*"]);
    for key in keys.lines() {
        let ours = key == "websocket_data" || key.starts_with("tidemill:{websocket_data}:");
        assert!(ours || ["tidemill:epoch", "tidemill:queues"].contains(&key), "{key}");
        let expires = server.cli(&["TTL", key]) != "-1";
        let may = key.contains(":t:") || key.contains(":p:") || key.ends_with(":bell");
        assert_eq!(expires, may, "{key}");
    }
    let batches = keys.lines().filter(|key| key.contains("}:b:")).count();
    assert_eq!(batches, 2, "one leased, one waiting for its time: {keys}");
}

#[tokio::test]
async fn a_drained_queue_leaves_only_its_books() {
    let (server, hand) = open().await;
    for _ in 0..3 {
        hand.put(&["1", "2", "3"]).await;
        hand.die_with(2).await;
        hand.batch_in_time(10).await;
        // What is still leased is given up by hand, so that nothing is left.
        let census = hand.census().await;
        assert!(0 < census.leases);
        server.cli(&["EVAL", EXPIRE_ALL, "1", "tidemill:{websocket_data}:leases"]);
        hand.reap_one().await;
        while hand.census().await.ledger.open() != 0 {
            hand.drain().await;
        }
    }
    let keys = server.cli(&["KEYS", "*"]);
    let mut left: Vec<&str> =
        keys.lines().filter(|key| !key.contains(":t:") && !key.contains(":p:") && !key.ends_with(":bell")).collect();
    left.sort_unstable();
    assert_eq!(left, ["tidemill:queues", "tidemill:{websocket_data}:stats"]);
}

/// Moves all deadlines into the past.
const EXPIRE_ALL: &str = "for _, lease in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do \
                          redis.call('ZADD', KEYS[1], 1, lease) end";

#[tokio::test]
async fn a_key_of_another_kind_is_an_error_that_changes_nothing() {
    let (server, hand) = open().await;
    server.cli(&["SET", "websocket_data", "somebody else's"]);
    let taken = hand.broker.take(&hand.wish(1, Duration::from_mins(1))).await;
    assert!(matches!(&taken, Err(BrokerError::Unexpected { answer, .. }) if answer.contains("WRONGTYPE")), "{taken:?}");
    server.cli(&["DEL", "websocket_data"]);
    assert_eq!(hand.take(1).await, Taken::Empty);
    assert_eq!(hand.put_bytes(&[b"1".to_vec()]).await, Enqueued::Accepted);
    assert_eq!(hand.drain().await, ["1"]);
}

#[tokio::test]
async fn a_dead_letter_that_somebody_spoiled_hides_no_other_and_can_be_purged() {
    let (server, hand) = open().await;
    let dead = hand.bury(&["1", "2"], "row", None).await;
    server.cli(&["HDEL", "tidemill:{websocket_data}:letters", &dead[0].id.to_string()]);
    let page = hand.broker.dead_page(&hand.queue, &DeadFilter::default(), None, 10).await.expect("a page");
    assert_eq!((page.letters.len(), &*page.letters[0].reason, &page.letters[1]), (2, "unreadable", &dead[1]));
    let ids = [dead[0].id, dead[1].id];
    assert_eq!(hand.broker.dead_retry(&hand.queue, &ids).await.expect("retry"), 1);
    assert_eq!(hand.broker.dead_purge(&hand.queue, &ids).await.expect("purge"), 1);
    hand.census().await;
}
