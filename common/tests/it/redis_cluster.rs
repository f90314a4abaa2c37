//! A Redis in cluster mode refuses a script that leaves its key's slot: promises that need every script, on one that
//! holds all slots. (Each needs a new one, which takes two seconds to serve; so not all promises.)

use std::time::Duration;

use common::broker::redis::connect;
use common::testing::broker_suite::{Hand, Place};
use common::testing::{RedisServer, eventually};

async fn open() -> Place {
    let server = RedisServer::start_with(&["--cluster-enabled", "yes"]).await;
    assert_eq!(server.cli(&["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]), "OK");
    eventually("the cluster serves", Duration::from_secs(20), async || {
        server.cli(&["CLUSTER", "INFO"]).contains("cluster_state:ok")
    })
    .await;
    let [one, two] = [connect(&server.url()).await, connect(&server.url()).await];
    Place::new(one.expect("the server runs"), two.expect("the server runs"), server)
}

#[tokio::test]
async fn a_wait_for_queues_in_several_slots_is_short_and_ends_with_a_ring_of_the_first() {
    let place = open().await;
    let (first, second) = (Hand::on(&place.one, "suite.p0"), Hand::on(&place.one, "suite.p1"));
    let mut bell = place.two.bell(&[first.queue.clone(), second.queue.clone()]);
    for hand in [&first, &second, &first, &second] {
        hand.put(&["1"]).await;
        let heard = tokio::time::timeout(Duration::from_secs(20), bell.rung(Duration::from_mins(1))).await;
        heard.expect("it ends in time").expect("it can be heard");
    }
}

common::broker_suite!(open:
    what_is_enqueued_between_look_and_wait_is_heard
    whatever_puts_a_task_within_reach_rings
    the_counters_balance_at_every_step
    a_purged_dead_letter_is_gone_and_counted
    a_presence_runs_out_or_departs
    a_queue_is_known_once_it_was_used
    epochs_rise_across_handles
    random_work_loses_and_doubles_nothing
    random_owners_never_hold_one_shard_together
    a_long_roster_is_put_together_and_means_the_same
);
