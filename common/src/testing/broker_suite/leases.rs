//! The right to work on a batch: fenced, renewed, given back, taken away.

use super::Place;
use super::hand::{Hand, LONG, PATIENCE, SHORT, batch_of, texts};
use crate::queue::{LeaseId, Reaped, Settled, Taken};
use crate::testing::eventually;

/// A worker that was frozen past its deadline cannot end what is somebody else's now.
pub async fn a_stale_settlement_is_lost_and_changes_nothing(place: Place) {
    let (slow, quick) = (Hand::new(&place.one), Hand::new(&place.two));
    slow.put(&["1", "2"]).await;
    let stale = slow.die_with(10).await;
    let mut ending = slow.all_stored(&stale);
    assert_eq!(slow.settle(&ending).await, Settled::Lost, "while it waits for its next worker");
    let current = quick.batch_in_time(10).await;
    assert_eq!((texts(&current), current.deliveries), (texts(&stale), 2));
    assert_eq!(slow.settle(&ending).await, Settled::Lost, "while its next worker works");
    ending.settled = 1;
    ending.dead = vec![super::hand::letter(b"2", "row", None)];
    assert_eq!(slow.settle(&ending).await, Settled::Lost, "whatever it says");
    assert_eq!(slow.broker.release(&slow.queue, stale.lease).await.expect("release"), Settled::Lost);
    assert_eq!(quick.places().await, [0, 2, 0, 0, 0]);
    assert_eq!(quick.store(&current).await, Settled::Done);
    assert_eq!(slow.settle(&ending).await, Settled::Lost, "and after it");
    let ledger = quick.census().await.ledger;
    assert_eq!((ledger.settled, ledger.stored, ledger.dead, ledger.redelivered), (2, 2, 0, 2));
}

/// A take that was held up on its way must not open a batch under a name its worker has given up.
pub async fn a_ghost_take_of_a_reaped_lease_is_used(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1"]).await;
    let wish = hand.wish(10, SHORT);
    batch_of(hand.take_as(&wish).await);
    hand.reap_one().await;
    hand.put(&["2"]).await;
    assert_eq!(hand.take_as(&wish).await, Taken::Used);
    let [waiting, leased, delayed, ..] = hand.places().await;
    assert_eq!((waiting, leased, delayed), (1, 0, 1));
    assert_eq!(texts(&hand.batch_in_time(10).await).len(), 1);
}

/// The same for a name that ended well, and for one that was given back.
pub async fn a_name_that_was_settled_takes_nothing_more(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3"]).await;
    let settled = hand.wish(1, LONG);
    hand.store(&batch_of(hand.take_as(&settled).await)).await;
    assert_eq!(hand.take_as(&settled).await, Taken::Used);
    let released = hand.wish(1, LONG);
    batch_of(hand.take_as(&released).await);
    assert_eq!(hand.broker.release(&hand.queue, released.lease).await.expect("release"), Settled::Done);
    assert_eq!(hand.take_as(&released).await, Taken::Used);
    assert_eq!(hand.drain().await, ["2", "3"]);
}

/// A worker that stops hands back what it has not begun; nobody holds it against the tasks.
pub async fn a_released_batch_comes_first_and_is_no_delivery(place: Place) {
    let (stopping, other) = (Hand::new(&place.one), Hand::new(&place.two));
    stopping.put(&["1", "2", "3"]).await;
    let batch = stopping.batch(2).await;
    assert_eq!(stopping.broker.release(&stopping.queue, batch.lease).await.expect("release"), Settled::Done);
    assert_eq!(stopping.places().await, [1, 0, 2, 0, 0]);
    let again = other.batch(10).await;
    assert_eq!((texts(&again), again.deliveries), (vec!["1".to_owned(), "2".to_owned()], 1));
    assert_eq!(texts(&other.batch(10).await), ["3"]);
    assert_eq!(other.census().await.ledger.redelivered, 0);
}

/// Releasing twice is safe; settling afterwards is too late.
pub async fn a_released_lease_is_over(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1"]).await;
    let batch = hand.batch(1).await;
    assert_eq!(hand.broker.release(&hand.queue, batch.lease).await.expect("release"), Settled::Done);
    assert_eq!(hand.broker.release(&hand.queue, batch.lease).await.expect("release"), Settled::Already);
    assert_eq!(hand.store(&batch).await, Settled::Lost);
    let never = LeaseId::fresh();
    assert_eq!(hand.broker.release(&hand.queue, never).await.expect("release"), Settled::Lost);
    assert_eq!(hand.drain().await, ["1"]);
}

/// Work that takes longer than a lease stays with its worker as long as that says so.
pub async fn a_renewed_lease_is_kept(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["kept", "lost"]).await;
    let kept = batch_of(hand.take_as(&hand.wish(1, SHORT * 10)).await);
    let lost = batch_of(hand.take_as(&hand.wish(1, SHORT)).await);
    let renewed = hand.broker.renew(&hand.queue, &[kept.lease], LONG).await.expect("renew");
    assert_eq!(renewed, []);
    hand.reap_one().await;
    assert_eq!((hand.store(&kept).await, hand.store(&lost).await), (Settled::Done, Settled::Lost));
}

/// A worker learns which of its leases are gone, so that it drops their work.
pub async fn a_renewal_names_the_leases_that_are_lost(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3"]).await;
    let lost = batch_of(hand.take_as(&hand.wish(1, SHORT)).await);
    let (held, settled) = (hand.batch(1).await, hand.batch(1).await);
    hand.reap_one().await;
    hand.store(&settled).await;
    let names = [lost.lease, held.lease, settled.lease];
    let gone = hand.broker.renew(&hand.queue, &names, LONG).await.expect("renew");
    assert_eq!(gone, [lost.lease, settled.lease]);
    assert_eq!(hand.broker.renew(&hand.queue, &[], LONG).await.expect("renew"), []);
}

/// Tasks of a dead worker are served before those that came later.
pub async fn an_expired_lease_goes_back_to_the_head(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3", "4"]).await;
    batch_of(hand.take_as(&hand.wish(2, SHORT)).await);
    let mut reaped = Reaped::default();
    eventually("the lease is reaped", PATIENCE, async || {
        reaped = hand.broker.reap(&hand.queue).await.expect("reap");
        reaped != Reaped::default()
    })
    .await;
    assert_eq!(reaped, Reaped { returned: 1, bisected: 0, convicted: 0 });
    assert_eq!(hand.places().await, [2, 0, 2, 0, 0]);
    eventually("the batch is due before those that wait", PATIENCE, async || {
        let batch = hand.batch(2).await;
        let first = texts(&batch) == ["1", "2"];
        if !first {
            // It came before the returned batch was due: hand it back, in its place.
            hand.broker.release(&hand.queue, batch.lease).await.expect("release");
        }
        first
    })
    .await;
    assert_eq!(hand.drain().await, ["3", "4"]);
    assert_eq!(hand.broker.reap(&hand.queue).await.expect("reap"), Reaped::default());
}

/// A worker with small batches takes its part of a large returned one; the rest keeps its place.
pub async fn a_returned_batch_larger_than_the_take_is_split_in_order(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3", "4", "5"]).await;
    let batch = hand.batch(5).await;
    hand.broker.release(&hand.queue, batch.lease).await.expect("release");
    hand.put(&["6"]).await;
    let parts = [hand.batch(2).await, hand.batch(2).await, hand.batch(2).await, hand.batch(2).await];
    let seen = parts.each_ref().map(texts);
    assert_eq!(seen, [vec!["1", "2"], vec!["3", "4"], vec!["5"], vec!["6"]]);
    assert_eq!(hand.places().await, [0, 6, 0, 0, 0]);
}

/// One of these tasks may be what kills workers: look for it by halves, order kept.
pub async fn a_batch_that_expires_twice_is_halved_in_order(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3", "4", "5"]).await;
    let first = hand.die_with(10).await;
    let second = hand.die_with(10).await;
    assert_eq!((texts(&second), second.deliveries), (texts(&first), 2));
    let older = hand.batch_in_time(10).await;
    let newer = hand.batch_in_time(10).await;
    assert_eq!((texts(&older), older.deliveries), (["1", "2", "3"].map(String::from).to_vec(), 3));
    assert_eq!((texts(&newer), newer.deliveries), (["4", "5"].map(String::from).to_vec(), 3));
    assert_eq!((hand.store(&older).await, hand.store(&newer).await), (Settled::Done, Settled::Done));
    assert_eq!(hand.census().await.ledger.redelivered, 10);
}

/// The one that kills is found, and buried with its bytes; its innocent neighbours are not.
pub async fn a_task_is_convicted_only_after_expiring_alone_three_times(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "\u{1}killer\n", "4", "5"]).await;
    let (mut deaths, mut alone) = (0, 0);
    while hand.census().await.ledger.dead == 0 {
        let Taken::Batch(batch) = hand.take_as(&hand.wish(10, SHORT * 5)).await else {
            tokio::task::yield_now().await; // the returned batch is not due yet
            continue;
        };
        if !texts(&batch).contains(&"\u{1}killer\n".to_owned()) {
            hand.store(&batch).await; // lost on a very slow machine, and then it is tried again
            continue;
        }
        hand.reap_one().await;
        deaths += 1;
        alone += u32::from(batch.tasks.len() == 1);
        assert!(deaths < 20, "never convicted");
    }
    assert_eq!(alone, 3);
    assert!(deaths <= 2 + 3 + 3, "{deaths} workers died: two with all, three while halving five, three with it alone");
    hand.drain().await;
    assert_eq!(hand.places().await, [0, 0, 0, 1, 4]);
    let page = hand.broker.dead_page(&hand.queue, &crate::queue::DeadFilter::default(), None, 10).await.expect("page");
    let letter = &page.letters[0];
    assert_eq!((&*letter.reason, &*letter.worker, letter.task.as_slice()), ("crash", "w1", &b"\x01killer\n"[..]));
    assert!(0 < letter.attempts && !letter.error.is_empty() && 0 < letter.died_at.0);
}

/// A worker that is on time loses nothing.
pub async fn nothing_is_reaped_before_its_deadline(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2"]).await;
    let held = hand.batch(1).await;
    hand.die_with(1).await; // its reaping proves that the reaper was at work
    assert_eq!(hand.places().await, [0, 1, 1, 0, 0]);
    assert_eq!(hand.store(&held).await, Settled::Done);
}
