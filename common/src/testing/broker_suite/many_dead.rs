//! As many dead letters as a bad night leaves.

use std::collections::BTreeSet;

use super::Place;
use super::hand::{Hand, letter};
use crate::queue::{DeadFilter, DeadId, DeadLetter, Settled, TickCounts};

const LETTERS: usize = 50_000;
/// Tasks of one settlement.
const AT_ONCE: usize = 1_000;
/// Every so many-th was refused with a code of its own.
const SPECIAL_EVERY: usize = 7;

/// No letter is trimmed, a retry of those that match takes exactly those, and repeating it takes nothing.
pub async fn fifty_thousand_dead_letters_are_all_there_and_a_filtered_retry_is_exact(place: Place) {
    let hand = Hand::new(&place.one);
    let mut buried = Vec::new();
    for first in (0..LETTERS).step_by(AT_ONCE) {
        buried.extend(bury(&hand, first).await);
    }
    let all = listed(&hand, &DeadFilter::default()).await;
    assert_eq!(all.len(), LETTERS, "nothing was trimmed");
    assert!(all.iter().zip(&buried).all(|(listed, buried)| listed == buried), "whole, and oldest first");

    let special = DeadFilter { code: Some("22003".into()), ..DeadFilter::default() };
    let chosen: Vec<DeadId> = listed(&hand, &special).await.iter().map(|letter| letter.id).collect();
    assert_eq!(chosen.len(), LETTERS.div_ceil(SPECIAL_EVERY));
    let mut moved = 0;
    for ids in chosen.chunks(AT_ONCE) {
        moved += hand.broker.dead_retry(&hand.queue, ids).await.expect("retry");
        assert_eq!(hand.broker.dead_retry(&hand.queue, ids).await.expect("retry"), 0, "moved once");
    }
    assert_eq!(moved, chosen.len() as u64);
    assert_eq!(listed(&hand, &special).await, []);
    let [waiting, .., dead, _] = hand.places().await;
    assert_eq!((waiting, dead), (moved, LETTERS as u64 - moved));
    let back: BTreeSet<String> = hand.drain().await.into_iter().collect();
    let expected: BTreeSet<String> = (0..LETTERS).step_by(SPECIAL_EVERY).map(|number| number.to_string()).collect();
    assert!(back == expected, "exactly the tasks of the letters that matched");
}

async fn bury(hand: &Hand, first: usize) -> Vec<DeadLetter> {
    let tasks: Vec<Vec<u8>> = (first..first + AT_ONCE).map(|number| number.to_string().into_bytes()).collect();
    hand.put_bytes(&tasks).await;
    let batch = hand.batch(u32::try_from(AT_ONCE).expect("a thousand")).await;
    let mut settlement = hand.ending(&batch, 0, TickCounts::default());
    let code = |number: usize| if number.is_multiple_of(SPECIAL_EVERY) { "22003" } else { "23514" };
    settlement.dead =
        (first..).zip(&batch.tasks).map(|(number, task)| letter(task, "row", Some(code(number)))).collect();
    assert_eq!(hand.settle(&settlement).await, Settled::Done);
    settlement.dead
}

async fn listed(hand: &Hand, filter: &DeadFilter) -> Vec<DeadLetter> {
    let (mut letters, mut from) = (Vec::new(), None);
    loop {
        let page = hand.broker.dead_page(&hand.queue, filter, from, 1_000).await.expect("a page");
        letters.extend(page.letters);
        from = page.next;
        if from.is_none() {
            return letters;
        }
    }
}
