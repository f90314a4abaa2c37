//! Partial outcomes: retries, dead letters, and numbers that must add up.

use std::time::Duration;

use super::Place;
use super::hand::{Hand, LONG, PATIENCE, SHORT, ids, letter, retry, texts};
use crate::broker::BrokerError;
use crate::queue::{DeadFilter, DeadId, DeadPage, Settled, Taken, TickCounts};
use crate::testing::eventually;

fn stored(count: u64) -> TickCounts {
    TickCounts { ticks: count, stored: count, ..TickCounts::default() }
}

/// Not before, soon after, and as the worker has rewritten it.
pub async fn a_retry_comes_back_when_it_is_due_with_its_new_bytes(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2 attempt 0", "3 attempt 0"]).await;
    let batch = hand.batch(10).await;
    let mut ending = hand.ending(&batch, 1, stored(1));
    ending.retry = vec![retry(&["2 attempt 1", "3 attempt 1"], LONG)];
    assert_eq!(hand.settle(&ending).await, Settled::Done);
    assert_eq!(hand.places().await, [0, 0, 2, 0, 1]);
    assert_eq!(hand.take(10).await, Taken::Empty, "not due for a minute");

    hand.put(&["4 attempt 0"]).await;
    let mut ending = hand.ending(&hand.batch(10).await, 0, stored(0));
    ending.retry = vec![retry(&["4 attempt 1"], SHORT)];
    assert_eq!(hand.settle(&ending).await, Settled::Done);
    assert_eq!(hand.settle(&ending).await, Settled::Already);
    let again = hand.batch_in_time(10).await;
    assert_eq!((texts(&again), again.deliveries), (vec!["4 attempt 1".to_owned()], 1));
    assert_eq!(hand.store(&again).await, Settled::Done);
    assert_eq!(hand.places().await, [0, 0, 2, 0, 2]);
}

/// Several groups in one settlement, each with its delay; due ones come before waiting ones.
pub async fn retries_of_different_delay_come_back_in_their_order(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3", "4"]).await;
    let batch = hand.batch(10).await;
    let mut ending = hand.ending(&batch, 0, stored(0));
    ending.retry = vec![
        retry(&["4"], LONG),
        retry(&["1", "2"], Duration::ZERO),
        retry(&[], Duration::ZERO),
        retry(&["3"], Duration::ZERO),
    ];
    assert_eq!(hand.settle(&ending).await, Settled::Done);
    assert_eq!(hand.places().await, [0, 0, 4, 0, 0]);
    hand.put(&["5"]).await;
    assert_eq!(hand.drain().await, ["1", "2", "3", "5"]);
    assert_eq!(hand.places().await, [0, 0, 1, 0, 4]);
}

/// A worker that lost count must not lose tasks: nothing changes, and the batch can still be settled rightly.
pub async fn a_settlement_that_does_not_add_up_is_refused(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3", "4"]).await;
    let batch = hand.batch(3).await;
    let mut wrong =
        [hand.ending(&batch, 2, stored(2)), hand.ending(&batch, 4, stored(4)), hand.ending(&batch, 1, stored(1))];
    wrong[2].retry = vec![retry(&["2"], SHORT)];
    wrong[2].dead = vec![letter(b"3", "row", None), letter(b"4", "row", None)];
    for ending in &wrong {
        let refused = hand.broker.settle(ending, Some(&hand.wish(1, LONG))).await;
        assert!(matches!(refused, Err(BrokerError::Unexpected { .. })), "{refused:?}");
        assert_eq!(hand.places().await, [1, 3, 0, 0, 0], "nothing changed, nothing taken");
    }
    assert_eq!(hand.store(&batch).await, Settled::Done);
}

/// Everything a person needs is kept, and long lists come in pages.
pub async fn dead_letters_are_kept_whole_and_paged(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3", "4"]).await;
    let batch = hand.batch(4).await;
    let mut ending = hand.ending(&batch, 1, stored(1));
    ending.dead = vec![
        letter(b"2", "row", Some("22003")),
        letter(b"\xff\x00\n", "malformed", None),
        letter(b"", "unknown_ticker", None),
    ];
    assert_eq!(hand.settle(&ending).await, Settled::Done);
    assert_eq!(hand.settle(&ending).await, Settled::Already);
    assert_eq!(hand.places().await, [0, 0, 0, 3, 1]);

    let all = DeadFilter::default();
    let page = async |from, limit| hand.broker.dead_page(&hand.queue, &all, from, limit).await.expect("a page");
    let whole = DeadPage { letters: ending.dead.clone(), next: None };
    assert_eq!(page(None, 10).await, whole);
    assert_eq!(page(None, 3).await, whole, "an exact page is the last");
    let first = page(None, 2).await;
    assert_eq!((first.letters.as_slice(), first.next), (&ending.dead[..2], Some(ending.dead[2].id)));
    assert_eq!(page(first.next, 2).await, DeadPage { letters: ending.dead[2..].to_vec(), next: None });
    assert_eq!(page(Some(DeadId::fresh()), 2).await, DeadPage::default());
}

/// By reason, by SQLSTATE, by name; pages count what matches.
pub async fn dead_letters_are_found_by_what_is_asked_for(place: Place) {
    let hand = Hand::new(&place.one);
    let rows = hand.bury(&["1", "2"], "row", Some("22003")).await;
    let bad = hand.bury(&["3"], "malformed", None).await;
    let more = hand.bury(&["4"], "row", Some("23514")).await;
    let find = async |filter: DeadFilter, limit| {
        hand.broker.dead_page(&hand.queue, &filter, None, limit).await.expect("a page")
    };
    let by_reason = |reason: &str| DeadFilter { reason: Some(reason.into()), ..DeadFilter::default() };
    let by_code = |code: &str| DeadFilter { code: Some(code.into()), ..DeadFilter::default() };
    let by_id = |id| DeadFilter { id: Some(id), ..DeadFilter::default() };
    assert_eq!(find(by_reason("malformed"), 10).await.letters, bad);
    assert_eq!(find(by_code("22003"), 10).await.letters, rows);
    assert_eq!(find(by_id(more[0].id), 10).await, DeadPage { letters: more.clone(), next: None });
    assert_eq!(find(by_id(DeadId::fresh()), 10).await, DeadPage::default());
    assert_eq!(find(by_reason("crash"), 10).await, DeadPage::default());
    let by_symbol = |symbol: &str| DeadFilter { symbol: Some(symbol.into()), ..DeadFilter::default() };
    let all = [&rows[..], &bad, &more].concat();
    assert_eq!(find(by_symbol("NSE:RELIANCE25JULFUT"), 10).await.letters, all);
    assert_eq!(find(by_symbol("NSE:RELIANCE"), 10).await, DeadPage::default());
    let older = DeadFilter { died_before: Some(more[0].died_at), ..DeadFilter::default() };
    let older_than_last: Vec<_> = all.iter().filter(|letter| letter.died_at < more[0].died_at).cloned().collect();
    assert_eq!(find(older, 10).await.letters, older_than_last);
    assert_eq!(older_than_last.len(), 3, "each takes its time");
    let page = find(by_reason("row"), 2).await;
    assert_eq!((page.letters, page.next), (rows, Some(more[0].id)), "the next page starts with one that matches");
}

/// Retried by a person: not accepted anew, not first in line, and only once.
pub async fn a_dead_letter_goes_back_to_the_tail_once(place: Place) {
    let hand = Hand::new(&place.one);
    let dead = hand.bury(&["1", "2", "\u{1}3\n"], "row", None).await;
    hand.put(&["waiting"]).await;
    let chosen = [dead[0].id, dead[2].id, DeadId::fresh()];
    assert_eq!(hand.broker.dead_retry(&hand.queue, &chosen).await.expect("retry"), 2);
    assert_eq!(hand.broker.dead_retry(&hand.queue, &chosen).await.expect("retry"), 0);
    assert_eq!(hand.places().await, [3, 0, 0, 1, 0]);
    assert_eq!(hand.census().await.ledger.accepted, 4);
    assert_eq!(hand.drain().await, ["waiting", "1", "\u{1}3\n"]);
}

/// Deleted by a person: the balance still knows.
pub async fn a_purged_dead_letter_is_gone_and_counted(place: Place) {
    let hand = Hand::new(&place.one);
    let dead = hand.bury(&["1", "2"], "row", None).await;
    assert_eq!(hand.broker.dead_purge(&hand.queue, &[dead[0].id, DeadId::fresh()]).await.expect("purge"), 1);
    assert_eq!(hand.broker.dead_purge(&hand.queue, &[dead[0].id]).await.expect("purge"), 0);
    assert_eq!(hand.broker.dead_retry(&hand.queue, &[dead[0].id]).await.expect("retry"), 0);
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.dead, ledger.purged, ledger.accepted), (1, 1, 2));
}

/// Other systems drop them past a number. Here only a person does.
pub async fn nothing_trims_dead_letters(place: Place) {
    const LETTERS: usize = 2_500;
    let hand = Hand::new(&place.one);
    let tasks: Vec<String> = (0..LETTERS).map(|i| i.to_string()).collect();
    let dead = hand.bury(&tasks.iter().map(String::as_str).collect::<Vec<_>>(), "row", None).await;
    let (mut from, mut seen) = (None, Vec::new());
    loop {
        let page = hand.broker.dead_page(&hand.queue, &DeadFilter::default(), from, 999).await.expect("a page");
        seen.extend(page.letters);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    assert!(seen == dead, "{} of {LETTERS} letters, all in order", seen.len());
    let all: Vec<DeadId> = ids(&seen).into_iter().collect();
    assert_eq!(hand.broker.dead_retry(&hand.queue, &all).await.expect("retry"), LETTERS as u64);
    assert_eq!(hand.drain().await, tasks);
}

/// Every verb once; `census` itself fails the test when a task is nowhere or a tick ended twice.
pub async fn the_counters_balance_at_every_step(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["1", "2", "3", "4", "5", "6"]).await;
    assert_eq!(hand.places().await, [6, 0, 0, 0, 0]);
    let first = hand.batch(3).await;
    assert_eq!(hand.places().await, [3, 3, 0, 0, 0]);
    let mut ending = hand.ending(&first, 1, TickCounts::default());
    ending.counts = TickCounts { ticks: 15, stored: 1, superseded: 2, legacy: 3, expired: 4, ..TickCounts::default() };
    ending.counts.skipped = [("no_price".into(), 3), ("unknown_ticker".into(), 2)].into();
    ending.retry = vec![retry(&["2"], SHORT)];
    ending.dead = vec![letter(b"3", "row", Some("22003"))];
    assert_eq!(hand.settle(&ending).await, Settled::Done);
    assert_eq!(hand.places().await, [3, 0, 1, 1, 1]);
    let second = hand.batch_in_time(1).await;
    hand.census().await;
    hand.broker.release(&hand.queue, second.lease).await.expect("release");
    hand.census().await;
    hand.die_with(1).await;
    hand.census().await;
    hand.broker.dead_retry(&hand.queue, &[ending.dead[0].id]).await.expect("retry");
    hand.census().await;
    eventually("all is settled", PATIENCE, async || {
        hand.drain().await;
        hand.census().await.ledger.open() == 0
    })
    .await;
    let ledger = hand.census().await.ledger;
    assert_eq!((ledger.accepted, ledger.settled), (6, 6));
    assert_eq!((ledger.ticks, ledger.stored, ledger.superseded, ledger.legacy, ledger.expired), (20, 6, 2, 3, 4));
    assert_eq!((ledger.skipped["no_price"], ledger.skipped["unknown_ticker"]), (3, 2));
}

/// A producer that is none of ours counts nothing; the worker that recognises its tasks does.
pub async fn a_foreign_task_is_counted_when_it_is_settled(place: Place) {
    let hand = Hand::new(&place.one);
    hand.put(&["ours", "foreign"]).await;
    let batch = hand.batch(10).await;
    let counts = TickCounts { foreign: 3, ..stored(2) };
    assert_eq!(hand.settle(&hand.ending(&batch, 2, counts)).await, Settled::Done);
    // Here both were accepted already, so exactly the three of the settlement are too many.
    let ledger = hand.broker.census(&hand.queue).await.expect("census").ledger;
    assert_eq!((ledger.accepted, ledger.lost(), ledger.settled), (5, 3, 2));
}
