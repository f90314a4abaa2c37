//! Whoever waits for tasks is woken.

use std::time::Duration;

use futures_util::future::select;
use tokio::time::timeout;

use super::Place;
use super::hand::{Hand, LONG, PATIENCE, SHORT, retry};
use crate::broker::Bell;
use crate::clock;
use crate::queue::{IntakeCounts, Taken, TickCounts};
use crate::testing::eventually;

fn bell_of(hand: &Hand) -> Box<dyn Bell> {
    hand.broker.bell(std::slice::from_ref(&hand.queue))
}

/// Waits for so long that only a ring explains its end.
async fn hear(bell: &mut Box<dyn Bell>) {
    timeout(PATIENCE, bell.rung(LONG)).await.expect("it rings in time").expect("it can be heard");
}

/// Whether nothing rings for a short while.
async fn is_quiet(bell: &mut Box<dyn Bell>) -> bool {
    let asked_at = clock::monotonic();
    bell.rung(SHORT).await.expect("it can be heard");
    SHORT <= asked_at.elapsed()
}

/// Waits until what rang earlier is heard.
async fn hush(bell: &mut Box<dyn Bell>) {
    eventually("it is quiet", PATIENCE, async || is_quiet(bell).await).await;
}

/// Somebody waits at an empty queue; a task comes.
pub async fn an_enqueue_ends_a_wait(place: Place) {
    let (producer, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let mut bell = bell_of(&worker);
    assert_eq!(worker.take(10).await, Taken::Empty);
    hush(&mut bell).await;
    tokio::join!(hear(&mut bell), producer.put(&["1"]));
    assert_eq!(worker.drain().await, ["1"]);
}

/// The wait brings the batch along where the broker can do that; its name tells it from any other.
pub async fn a_wait_may_end_with_the_batch_itself(place: Place) {
    let (producer, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let mut bell = bell_of(&worker);
    let wish = worker.wish(10, LONG);
    assert_eq!(worker.take_as(&wish).await, Taken::Empty);
    hush(&mut bell).await;
    let wait = async { timeout(PATIENCE, bell.rung_and_take(LONG, &wish)).await.expect("it rings in time") };
    let (taken, ()) = tokio::join!(wait, producer.put(&["1"]));
    let again = worker.take_as(&wish).await;
    assert!(matches!(&again, Taken::Batch(batch) if batch.tasks == [b"1"]), "{again:?}");
    assert!(taken.expect("it can be heard").is_none_or(|taken| taken == again));
}

/// Nothing comes, or nothing may be taken.
pub async fn a_wait_without_a_ring_ends_without_a_batch(place: Place) {
    let worker = Hand::new(&place.one);
    let mut bell = bell_of(&worker);
    let wish = worker.wish(10, LONG);
    let taken = timeout(PATIENCE, bell.rung_and_take(SHORT, &wish)).await.expect("it ends").expect("it can be heard");
    assert!(taken.is_none_or(|taken| taken == Taken::Empty));
    worker.broker.set_paused(&worker.queue, true).await.expect("pause");
    worker.put(&["1"]).await;
    let taken = timeout(PATIENCE, bell.rung_and_take(SHORT, &wish)).await.expect("it ends").expect("it can be heard");
    assert!(taken.is_none_or(|taken| taken == Taken::Paused));
    assert_eq!(worker.census().await.ledger.waiting, 1);
}

/// The moment at which a wake-up is missed where it can be missed at all.
pub async fn what_is_enqueued_between_look_and_wait_is_heard(place: Place) {
    let (producer, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let mut bell = bell_of(&worker);
    for round in 0..20 {
        assert_eq!(worker.take(10).await, Taken::Empty);
        producer.put(&[&round.to_string()]).await;
        hear(&mut bell).await;
        assert_eq!(worker.drain().await, [round.to_string()]);
    }
}

/// Nothing comes.
pub async fn a_wait_ends_when_its_time_is_up(place: Place) {
    let worker = Hand::new(&place.one);
    let mut bell = bell_of(&worker);
    let asked_at = clock::monotonic();
    timeout(PATIENCE, bell.rung(SHORT)).await.expect("it ends").expect("it can be heard");
    assert!(SHORT <= asked_at.elapsed(), "nothing rang");
}

/// No ring is for somebody who is served already while another one sleeps.
pub async fn of_several_who_wait_each_enqueue_wakes_one(place: Place) {
    let (producer, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let (mut first, mut second) = (bell_of(&producer), bell_of(&worker));
    let (first, second) = (Box::pin(hear(&mut first)), Box::pin(hear(&mut second)));
    let both = select(first, second);
    let (((), rest), ()) = tokio::join!(async { both.await.into_inner() }, producer.put(&["1"]));
    tokio::join!(rest, producer.put(&["2"]));
}

/// More than one worker is needed for it.
pub async fn a_large_enqueue_wakes_several(place: Place) {
    let (producer, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let (mut first, mut second) = (bell_of(&producer), bell_of(&worker));
    producer.put_bytes(&vec![b"task".to_vec(); 2_000]).await;
    tokio::join!(hear(&mut first), hear(&mut second));
}

/// An enqueue is not the only thing that puts tasks within reach.
pub async fn whatever_puts_a_task_within_reach_rings(place: Place) {
    let (other, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let mut bell = bell_of(&worker);

    other.put(&["released"]).await;
    let batch = other.batch(10).await;
    hush(&mut bell).await;
    other.broker.release(&other.queue, batch.lease).await.expect("release");
    hear(&mut bell).await;
    assert_eq!(worker.drain().await, ["released"]);

    other.put(&["retried"]).await;
    let batch = other.batch(10).await;
    let mut ending = other.ending(&batch, 0, TickCounts::default());
    ending.retry = vec![retry(&["retried"], Duration::ZERO)];
    hush(&mut bell).await;
    other.settle(&ending).await;
    hear(&mut bell).await;
    assert_eq!(worker.drain().await, ["retried"]);

    let dead = other.bury(&["dead"], "row", None).await;
    hush(&mut bell).await;
    assert_eq!(other.broker.dead_retry(&other.queue, &[dead[0].id]).await.expect("retry"), 1);
    hear(&mut bell).await;
    assert_eq!(worker.drain().await, ["dead"]);

    other.broker.set_paused(&other.queue, true).await.expect("pause");
    other.put(&["paused"]).await;
    hush(&mut bell).await;
    other.broker.set_paused(&other.queue, false).await.expect("go on");
    hear(&mut bell).await;
    assert_eq!(worker.drain().await, ["paused"]);
}

/// A batch that is halved is due at once.
pub async fn a_halved_batch_rings(place: Place) {
    let (other, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let mut bell = bell_of(&worker);
    other.put(&["1", "2"]).await;
    other.die_with(10).await;
    let mut died = Taken::Empty;
    eventually("it comes again", PATIENCE, async || {
        died = other.take_as(&other.wish(10, SHORT)).await;
        matches!(died, Taken::Batch(_))
    })
    .await;
    hush(&mut bell).await;
    other.reap_one().await;
    hear(&mut bell).await;
    assert_eq!(worker.drain().await, ["1", "2"]);
}

/// Counts alone are nobody's work.
pub async fn an_enqueue_without_tasks_rings_nothing(place: Place) {
    let (producer, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    let mut bell = bell_of(&worker);
    hush(&mut bell).await;
    let counts = IntakeCounts { received: 1, ..IntakeCounts::default() };
    producer.put_as(1, &[], 10, &counts).await;
    assert!(is_quiet(&mut bell).await);
}
