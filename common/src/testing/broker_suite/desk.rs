//! What operators and the status page see.

use std::time::Duration;

use super::Place;
use super::hand::{Hand, LONG, PATIENCE, SHORT, texts};
use crate::broker::Census;
use crate::clock::{self, UnixMicros};
use crate::market::Epoch;
use crate::presence::{InstanceId, ListenerState, Part, Presence, WorkerState};
use crate::queue::{Settled, Taken};
use crate::testing::eventually;

/// Work that is under way goes on, new work is not given, and nothing is lost by it.
pub async fn a_paused_queue_gives_nothing_and_ends_what_it_gave(place: Place) {
    let (hand, operator) = (Hand::new(&place.one), Hand::new(&place.two));
    hand.put(&["1", "2"]).await;
    let wish = hand.wish(1, LONG);
    let running = super::hand::batch_of(hand.take_as(&wish).await);
    operator.broker.set_paused(&operator.queue, true).await.expect("pause");
    operator.broker.set_paused(&operator.queue, true).await.expect("pause again");
    assert_eq!(hand.take(1).await, Taken::Paused);
    assert_eq!(hand.take_as(&wish).await, Taken::Batch(running.clone()), "that lease runs already");
    hand.put(&["3"]).await;
    let ended = hand.broker.settle(&hand.all_stored(&running), Some(&hand.wish(1, LONG))).await.expect("settle");
    assert_eq!(ended, (Settled::Done, Some(Taken::Paused)));
    assert!(hand.census().await.paused);
    operator.broker.set_paused(&operator.queue, false).await.expect("resume");
    assert!(!hand.census().await.paused);
    assert_eq!(hand.drain().await, ["2", "3"]);
}

/// Unique in a deployment, and never below the clock.
pub async fn epochs_rise_across_handles(place: Place) {
    // The broker's clock is this machine's here; a second of tolerance for its steps.
    let before = Epoch::floor_at(UnixMicros(clock::now().0 - 1_000_000));
    let mut last = before;
    for broker in [&place.one, &place.two, &place.two, &place.one, &place.one] {
        let epoch = broker.next_epoch().await.expect("an epoch");
        assert!(last < epoch, "{epoch:?} after {last:?}");
        last = epoch;
    }
    let after = Epoch::floor_at(clock::now().after(Duration::from_secs(1)));
    assert!(last.get() <= after.get() + 5, "{last:?} is far ahead of the clock");
    let many = futures_util::future::join_all((0..50).map(|i| {
        let broker = if i % 2 == 0 { &place.one } else { &place.two };
        broker.next_epoch()
    }))
    .await;
    let distinct: std::collections::BTreeSet<u64> =
        many.into_iter().map(|epoch| epoch.expect("an epoch").get()).collect();
    assert_eq!(distinct.len(), 50, "asked at the same time");
    assert!(Some(&last.get()) < distinct.first());
}

/// A process is there as long as it says so.
pub async fn a_presence_runs_out_or_departs(place: Place) {
    let presence = |part| Presence {
        instance: InstanceId::fresh(),
        host: "host \"a\"".into(),
        pid: 7,
        life: None,
        version: "0.1.0".into(),
        started_at: clock::now(),
        beat_at: clock::now(),
        memory_bytes: 1 << 40,
        cpu_us: 5,
        part,
    };
    let mut worker = presence(Part::Worker(WorkerState { concurrency: 4, ..WorkerState::default() }));
    let listener = presence(Part::Listener(ListenerState::default()));
    let brief = presence(Part::Listener(ListenerState { buffered: 1, ..ListenerState::default() }));
    place.one.announce(&worker, LONG).await.expect("announce");
    place.one.announce(&listener, LONG).await.expect("announce");
    place.one.announce(&brief, SHORT).await.expect("announce");
    worker.cpu_us = 6;
    place.one.announce(&worker, LONG).await.expect("announce again");
    eventually("the brief one runs out, the others stay", PATIENCE, async || {
        let mut there = place.two.presences().await.expect("presences");
        there.sort_by_key(|presence| presence.instance);
        assert!(there.contains(&worker) && there.contains(&listener), "{there:?}");
        there == [worker.clone(), listener.clone()]
    })
    .await;
    place.two.depart(listener.instance).await.expect("depart");
    place.two.depart(listener.instance).await.expect("depart again");
    assert_eq!(place.one.presences().await.expect("presences"), [worker]);
}

/// By enqueue, by take or by an operator's command; and never twice.
pub async fn a_queue_is_known_once_it_was_used(place: Place) {
    assert_eq!(place.one.queues().await.expect("queues"), []);
    let [first, second, third] = ["suite.a", "suite.b", "suite.c"].map(|name| Hand::on(&place.one, name));
    second.put(&["1"]).await;
    second.put(&["2"]).await;
    assert_eq!(place.two.queues().await.expect("queues"), std::slice::from_ref(&second.queue));
    assert_eq!(first.take(1).await, Taken::Empty);
    place.one.set_paused(&third.queue, true).await.expect("pause");
    assert_eq!(place.two.queues().await.expect("queues"), [first.queue, second.queue, third.queue]);
}

/// Its age is the queue's lag.
pub async fn a_census_sees_the_oldest_waiting_task(place: Place) {
    let hand = Hand::new(&place.one);
    let task = |at: i64| format!(r#"{{"v":1,"feed":"f","kind":"k","conn":1,"epoch":5,"seq":1,"at":{at},"body":{{}}}}"#);
    hand.put(&[&task(1_763_726_400_000_001), &task(1_763_726_400_000_002), "garbage"]).await;
    assert_eq!(hand.census().await.oldest_at, Some(UnixMicros(1_763_726_400_000_001)));
    let held = hand.batch(1).await;
    let census = hand.census().await;
    assert_eq!((census.oldest_at, census.leases), (Some(UnixMicros(1_763_726_400_000_002)), 1));
    hand.batch(1).await;
    let census = hand.census().await;
    assert_eq!((census.oldest_at, census.leases), (None, 2), "garbage has no time");
    hand.store(&held).await;
    assert_eq!(texts(&hand.batch(1).await), ["garbage"]);
    let census = hand.census().await;
    assert_eq!((census.oldest_at, census.leases, census.ledger.leased), (None, 2, 2));
}

/// Looking at a queue, or ending what never was, does not make it.
pub async fn an_unused_queue_is_empty_and_balanced(place: Place) {
    let hand = Hand::new(&place.one);
    assert_eq!(hand.census().await, Census::default());
    assert_eq!(hand.take(10).await, Taken::Empty);
    assert_eq!(hand.broker.reap(&hand.queue).await.expect("reap"), crate::queue::Reaped::default());
    assert_eq!(hand.census().await, Census::default());
}

/// What the other promises run on is trusted.
pub async fn a_fit_broker_passes_its_preflight(place: Place) {
    let warnings = place.one.preflight().await.expect("fit");
    assert!(warnings.iter().all(|warning| !warning.is_empty()), "{warnings:?}");
}
