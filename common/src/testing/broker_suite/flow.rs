//! In at the tail, out at the head, once.

use std::time::Duration;

use super::Place;
use super::hand::{Hand, LONG, batch_of, texts};
use crate::broker::Enqueued;
use crate::queue::{IntakeCounts, Settled, Taken};

/// First in, first out, over any number of enqueues and takes.
pub async fn tasks_come_out_in_the_order_they_went_in(place: Place) {
    let (producer, worker) = (Hand::new(&place.one), Hand::new(&place.two));
    producer.put(&["1", "2", "3"]).await;
    producer.put(&["4"]).await;
    producer.put(&["5", "6"]).await;
    let first = worker.batch(2).await;
    let second = worker.batch(3).await;
    assert_eq!((texts(&first), first.deliveries), (vec!["1".to_owned(), "2".to_owned()], 1));
    assert_eq!(texts(&second), ["3", "4", "5"]);
    assert_eq!(texts(&worker.batch(100).await), ["6"]);
    assert_eq!(worker.take(100).await, Taken::Empty);
}

/// Neither more tasks nor much more bytes than asked for, and always one.
pub async fn a_take_is_limited_in_tasks_and_bytes(place: Place) {
    let hand = Hand::new(&place.one);
    let tasks: Vec<Vec<u8>> = (0..300_u32).map(|i| format!("{i:0100}").into_bytes()).collect();
    assert_eq!(hand.put_bytes(&tasks).await, Enqueued::Accepted);
    let mut narrow = hand.wish(300, LONG);
    narrow.bytes_max = 1;
    assert_eq!(batch_of(hand.take_as(&narrow).await).tasks, tasks[..1], "always one");
    let mut few = hand.wish(300, LONG);
    few.bytes_max = 5_000;
    let batch = batch_of(hand.take_as(&few).await);
    assert!((49..=51).contains(&batch.tasks.len()), "{} tasks of 100 bytes for 5000", batch.tasks.len());
    let taken = 1 + batch.tasks.len();
    assert_eq!(batch.tasks, tasks[1..taken]);
    assert_eq!(hand.batch(7).await.tasks, tasks[taken..taken + 7]);
    assert_eq!(hand.batch(300).await.tasks, tasks[taken + 7..], "what did not fit kept its place");
}

/// One long task among many short ones: no batch is much too big, and nobody changes places.
pub async fn many_tasks_leave_in_their_order_whatever_their_sizes(place: Place) {
    let hand = Hand::new(&place.one);
    let length = |number: usize| if number == 500 { 60_000 } else { 20 };
    let tasks: Vec<Vec<u8>> = (0..1_000).map(|i| format!("{i:0width$}", width = length(i)).into_bytes()).collect();
    assert_eq!(hand.put_bytes(&tasks).await, Enqueued::Accepted);
    let mut seen = Vec::new();
    while seen.len() < tasks.len() {
        let mut wish = hand.wish(300, LONG);
        wish.bytes_max = 50_000;
        let batch = batch_of(hand.take_as(&wish).await).tasks;
        let before_last: usize = batch.iter().rev().skip(1).map(Vec::len).sum();
        assert!(batch.len() <= 300 && before_last < 50_000, "{} tasks, {before_last} bytes", batch.len());
        seen.extend(batch);
    }
    assert!(seen == tasks, "in order, each once");
    assert_eq!(hand.take(1).await, Taken::Empty);
}

/// The answer to a take may be lost: the same name gets the same tasks, and they are taken once.
pub async fn a_repeated_take_returns_the_same_batch(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3"]).await;
    let wish = hand.wish(2, LONG);
    let first = hand.take_as(&wish).await;
    assert_eq!(hand.take_as(&wish).await, first);
    assert_eq!(Hand::new(&place.two).take_as(&wish).await, first, "over another connection too");
    assert_eq!(hand.places().await, [1, 2, 0, 0, 0]);
    assert_eq!(hand.census().await.ledger.redelivered, 0);
}

/// The answer to a settlement may be lost as well.
pub async fn a_settled_lease_counts_once_however_often_it_is_settled(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2"]).await;
    let settlement = hand.all_stored(&hand.batch(10).await);
    assert_eq!(hand.settle(&settlement).await, Settled::Done);
    assert_eq!(hand.settle(&settlement).await, Settled::Already);
    assert_eq!(Hand::new(&place.two).settle(&settlement).await, Settled::Already);
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.settled, ledger.ticks, ledger.stored), (2, 2, 2));
}

/// The hot path: settle this, give me the next.
pub async fn one_round_trip_settles_and_takes_the_next_batch(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3"]).await;
    let first = hand.batch(2).await;
    let wish = hand.wish(2, LONG);
    let settlement = hand.all_stored(&first);
    let (settled, taken) = hand.broker.settle(&settlement, Some(&wish)).await.expect("settle");
    assert_eq!(settled, Settled::Done);
    let second = batch_of(taken.expect("a take was asked for"));
    assert_eq!((second.lease, texts(&second)), (wish.lease, vec!["3".to_owned()]));
    let repeated = hand.broker.settle(&settlement, Some(&wish)).await.expect("settle");
    assert_eq!(repeated, (Settled::Already, Some(Taken::Batch(second.clone()))));
    let last = hand.broker.settle(&hand.all_stored(&second), Some(&hand.wish(2, LONG))).await.expect("settle");
    assert_eq!(last, (Settled::Done, Some(Taken::Empty)));
    assert_eq!(hand.places().await, [0, 0, 0, 0, 3]);
}

/// A worker whose batch is the last one need not look again before the bell rings.
pub async fn a_batch_says_whether_it_is_the_last(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3"]).await;
    let first = hand.batch(2).await;
    let wish = hand.wish(2, LONG);
    let (_, second) = hand.broker.settle(&hand.all_stored(&first), Some(&wish)).await.expect("settle");
    let second = batch_of(second.expect("a take was asked for"));
    assert_eq!((first.is_last, second.is_last), (false, true));
    hand.put(&["4", "5"]).await;
    assert!(!batch_of(hand.take_as(&wish).await).is_last, "asked again, it says what is so now");

    hand.broker.release(&hand.queue, second.lease).await.expect("release");
    let again = hand.batch(2).await;
    assert_eq!((texts(&again), again.is_last), (vec!["3".into()], false), "others wait behind the released one");
    hand.broker.release(&hand.queue, again.lease).await.expect("release");
    let (again, rest) = (hand.batch(2).await, hand.batch(2).await);
    assert_eq!((again.is_last, rest.is_last), (false, true));
    hand.broker.release(&hand.queue, rest.lease).await.expect("release");
    hand.broker.release(&hand.queue, again.lease).await.expect("release");
    assert!(!hand.batch(2).await.is_last, "a second one is due");
    assert!(hand.batch(2).await.is_last);
}

/// A worker on several partitions settles in one and takes from another.
pub async fn the_next_batch_may_come_from_another_queue(place: Place) {
    let (here, there) = (Hand::on(&place.one, "suite.p0"), Hand::on(&place.one, "suite.p1"));
    here.put(&["here"]).await;
    there.put(&["there"]).await;
    let batch = here.batch(10).await;
    let (settled, taken) =
        here.broker.settle(&here.all_stored(&batch), Some(&there.wish(10, LONG))).await.expect("settle");
    assert_eq!(
        (settled, texts(&batch_of(taken.expect("a take was asked for")))),
        (Settled::Done, vec!["there".into()])
    );
    assert_eq!((here.places().await, there.places().await), ([0, 0, 0, 0, 1], [0, 1, 0, 0, 0]));
}

/// The answer to an enqueue may be lost.
pub async fn a_repeated_enqueue_adds_nothing(place: Place) {
    let hand = Hand::new(&place.one);
    let counts = IntakeCounts { received: 2, ..IntakeCounts::default() };
    let tasks = [b"1".to_vec(), b"2".to_vec()];
    assert_eq!(hand.put_as(1, &tasks, 10, &counts).await, Enqueued::Accepted);
    assert_eq!(hand.put_as(1, &tasks, 10, &counts).await, Enqueued::Already);
    assert_eq!(hand.put_as(2, &[b"3".to_vec()], 10, &counts).await, Enqueued::Accepted);
    assert_eq!(hand.put_as(1, &tasks, 10, &counts).await, Enqueued::Already, "an older one is a repetition too");
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.accepted, ledger.received), (3, 4));
    assert_eq!(hand.drain().await, ["1", "2", "3"]);
    assert_eq!(hand.put_as(2, &tasks, 10, &counts).await, Enqueued::Already, "also when its tasks are gone");
}

/// Large enqueues may take another way into the broker than small ones; the promises are the same.
pub async fn an_enqueue_of_many_tasks_comes_in_once_and_whole_or_not_at_all(place: Place) {
    const MANY: usize = 1_000;
    let hand = Hand::new(&place.one);
    let counts = IntakeCounts { received: MANY as u64, ..IntakeCounts::default() };
    let tasks: Vec<Vec<u8>> = (0..3 * MANY).map(|number| number.to_string().into_bytes()).collect();
    let [first, second, third] = [0, 1, 2].map(|part| &tasks[part * MANY..(part + 1) * MANY]);
    let max = 2 * MANY as u64;
    assert_eq!(hand.put_as(1, first, max, &counts).await, Enqueued::Accepted, "an empty queue");
    assert_eq!(hand.put_as(1, first, max, &counts).await, Enqueued::Already);
    assert_eq!(hand.put_as(2, second, max, &counts).await, Enqueued::Accepted, "behind others");
    assert_eq!(hand.put_as(3, third, max, &counts).await, Enqueued::Full { waiting: max });
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.accepted, ledger.waiting, ledger.received), (max, max, max));
    let mut seen = hand.drain().await;
    assert_eq!(hand.put_as(2, second, max, &counts).await, Enqueued::Already, "also when its tasks are gone");
    assert_eq!(hand.put_as(3, third, max, &counts).await, Enqueued::Accepted, "the same batch, once there is room");
    seen.extend(hand.drain().await);
    assert!(seen.iter().map(String::as_bytes).eq(tasks.iter().map(Vec::as_slice)), "in the order they went in");
}

/// Batches are counted by each producer for itself.
pub async fn producers_do_not_disturb_each_other(place: Place) {
    let (one, two) = (Hand::new(&place.one), Hand::new(&place.two));
    one.put(&["1"]).await;
    two.put(&["2"]).await;
    one.put(&["3"]).await;
    assert_eq!(one.drain().await, ["1", "2", "3"]);
}

/// All or nothing: neither tasks nor counts of a refused enqueue are taken, and it can be repeated.
pub async fn an_enqueue_past_the_limit_is_refused_whole(place: Place) {
    let hand = Hand::new(&place.one);
    let counts = IntakeCounts { received: 2, ..IntakeCounts::default() };
    let [old, new] = [[b"1".to_vec(), b"2".to_vec()], [b"3".to_vec(), b"4".to_vec()]];
    assert_eq!(hand.put_as(1, &old, 3, &counts).await, Enqueued::Accepted);
    assert_eq!(hand.put_as(2, &new, 3, &counts).await, Enqueued::Full { waiting: 2 });
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.accepted, ledger.waiting, ledger.received), (2, 2, 2));
    hand.store(&hand.batch(1).await).await;
    assert_eq!(hand.put_as(2, &new, 3, &counts).await, Enqueued::Accepted, "the same batch, once there is room");
    assert_eq!(hand.drain().await, ["2", "3", "4"]);
}

/// What was rejected and shed is told even when there is nothing to enqueue.
pub async fn an_empty_enqueue_reports_its_counts(place: Place) {
    let hand = Hand::new(&place.one);
    let counts = IntakeCounts {
        received: 7,
        rejected: [("not_json".into(), 2)].into(),
        shed: [("merge".into(), 5), ("drop_oldest: \"x\"".into(), 1)].into(),
    };
    hand.put(&["1"]).await;
    assert_eq!(hand.put_as(2, &[], 0, &counts).await, Enqueued::Accepted, "counts need no room");
    assert_eq!(hand.put_as(3, &[], 0, &counts).await, Enqueued::Accepted);
    assert_eq!(hand.put_as(3, &[], 0, &counts).await, Enqueued::Already);
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.received, ledger.rejected["not_json"], ledger.accepted), (14, 4, 1));
    assert_eq!((ledger.shed["merge"], ledger.shed["drop_oldest: \"x\""]), (10, 2));
}

/// Tasks are opaque: no text, no end marker, nothing at all.
pub async fn bytes_travel_unchanged(place: Place) {
    let hand = Hand::new(&place.one);
    let every_byte: Vec<u8> = (0..=255).collect();
    let strange = [b"\xff\xfe\x00\n\r\n".to_vec(), Vec::new(), every_byte, vec![b'x'; 300_000], b"{\"v\":1}".to_vec()];
    assert_eq!(hand.put_bytes(&strange).await, Enqueued::Accepted);
    let wish = hand.wish(10, LONG);
    let batch = batch_of(hand.take_as(&wish).await);
    assert_eq!(batch.tasks, strange);
    assert_eq!(hand.take_as(&wish).await, Taken::Batch(batch.clone()));
    assert_eq!(hand.broker.release(&hand.queue, batch.lease).await.expect("release"), Settled::Done);
    assert_eq!(hand.batch(10).await.tasks, strange);
}

/// Full batches and a long queue.
pub async fn thousands_of_tasks_travel_in_order(place: Place) {
    let hand = Hand::new(&place.one);
    let tasks: Vec<Vec<u8>> = (0..12_345_u32).map(|i| i.to_string().into_bytes()).collect();
    assert_eq!(hand.put_bytes(&tasks).await, Enqueued::Accepted);
    let mut wish = hand.wish(5_000, Duration::from_mins(5));
    let mut batch = batch_of(hand.take_as(&wish).await);
    let mut seen = batch.tasks.clone();
    loop {
        wish = hand.wish(5_000, Duration::from_mins(5));
        let (settled, next) = hand.broker.settle(&hand.all_stored(&batch), Some(&wish)).await.expect("settle");
        assert_eq!(settled, Settled::Done);
        let Some(Taken::Batch(next)) = next else { break };
        seen.extend_from_slice(&next.tasks);
        batch = next;
    }
    assert!(seen == tasks, "12345 tasks in, the same out");
    assert_eq!(hand.places().await, [0, 0, 0, 0, 12_345]);
}
