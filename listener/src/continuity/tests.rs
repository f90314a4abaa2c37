use proptest::prelude::*;

use super::*;

const KEY: &str = "btcusdt@trade";

fn at(second: i64) -> UnixMicros {
    UnixMicros(second * 1_000_000)
}

/// Observes contiguous numbers, one per second.
fn observe(tracker: &mut Continuity, numbers: &[i64]) -> Vec<Finding> {
    (1..).zip(numbers).map(|(second, n)| tracker.observe(KEY, "trade", Mark::Contiguous(*n), at(second))).collect()
}

fn hole(from: i64, to: i64, missing: u64, (since, until): (i64, i64), reason: GapReason) -> Finding {
    Finding::Gap(Hole { from, to, missing, since: at(since), until: at(until), reason })
}

#[test]
fn a_jump_is_a_gap_with_the_numbers_and_times_around_it() {
    let mut tracker = Continuity::default();
    let findings = observe(&mut tracker, &[10, 11, 15, 16]);
    let gap = hole(12, 14, 3, (2, 3), GapReason::Sequence);
    assert_eq!(findings, [Finding::Fine, Finding::Fine, gap, Finding::Fine]);
    assert_eq!(tracker.counts(), Counts { gaps: 1, missing: 3, ..Counts::default() });
}

#[test]
fn a_repetition_is_a_duplicate_and_a_late_message_goes_backwards_but_fills_nothing() {
    let mut tracker = Continuity::default();
    let findings = observe(&mut tracker, &[1, 1, 4, 2, 3, 5]);
    let gap = hole(2, 3, 2, (1, 3), GapReason::Sequence);
    let (fine, twice, back) = (Finding::Fine, Finding::Duplicate, Finding::Backwards);
    assert_eq!(findings, [fine, twice, gap, back, back, fine]);
    assert_eq!(tracker.counts(), Counts { gaps: 1, missing: 2, duplicates: 1, backwards: 2, unwatched: 0 });
}

#[test]
fn a_hole_between_two_sessions_is_found_and_named_so() {
    let mut tracker = Continuity::default();
    tracker.begin_session();
    observe(&mut tracker, &[7]);
    tracker.begin_session();
    let behind = tracker.observe(KEY, "trade", Mark::Contiguous(9), at(60));
    assert_eq!(behind, hole(8, 8, 1, (1, 60), GapReason::Reconnect));
    let next = tracker.observe(KEY, "trade", Mark::Contiguous(11), at(61));
    assert_eq!(next, hole(10, 10, 1, (60, 61), GapReason::Sequence));
}

#[test]
fn numbers_that_only_grow_have_no_gaps() {
    let mut tracker = Continuity::default();
    let mut observe = |n| tracker.observe(KEY, "trade", Mark::Increasing(n), at(1));
    let findings = [5, 90, 90, 7].map(&mut observe);
    assert_eq!(findings, [Finding::Fine, Finding::Fine, Finding::Duplicate, Finding::Backwards]);
    assert_eq!(tracker.counts().gaps, 0);
}

#[test]
fn streams_and_kinds_count_on_their_own() {
    let mut tracker = Continuity::default();
    for (key, kind, number) in [("a", "trade", 1), ("b", "trade", 100), ("a", "quote", 50), ("a", "trade", 2)] {
        assert_eq!(tracker.observe(key, kind, Mark::Contiguous(number), at(1)), Finding::Fine, "{key} {kind}");
    }
}

#[test]
fn a_provider_that_counts_anew_is_followed_after_a_while() {
    let mut tracker = Continuity::default();
    observe(&mut tracker, &[1_000_000]);
    let run = i64::from(BEHIND_MAX);
    let behind: Vec<i64> = (1..=run).collect();
    assert!(observe(&mut tracker, &behind).iter().all(|finding| *finding == Finding::Backwards));
    assert_eq!(observe(&mut tracker, &[run + 1]), [Finding::Fine]);
    assert!(matches!(observe(&mut tracker, &[run + 3])[..], [Finding::Gap(_)]));
}

#[test]
fn messages_that_are_late_one_by_one_do_not_look_like_a_new_count() {
    let mut tracker = Continuity::default();
    observe(&mut tracker, &[1_000]);
    for round in 0..i64::from(BEHIND_MAX) * 2 {
        assert_eq!(observe(&mut tracker, &[1_001 + round, 500 + round]), [Finding::Fine, Finding::Backwards]);
    }
}

#[test]
fn streams_beyond_the_limit_are_counted_and_the_others_are_watched_on() {
    let mut tracker = Continuity::default();
    for stream in 0..STREAMS_MAX {
        tracker.observe(&stream.to_string(), "trade", Mark::Contiguous(1), at(1));
    }
    assert_eq!(tracker.observe("one more", "trade", Mark::Contiguous(1), at(1)), Finding::Fine);
    assert_eq!(tracker.observe("one more", "trade", Mark::Contiguous(5), at(1)), Finding::Fine);
    assert!(matches!(tracker.observe("0", "trade", Mark::Contiguous(3), at(1)), Finding::Gap(_)));
    assert_eq!((tracker.counts().unwatched, tracker.counts().gaps), (2, 1));
}

#[test]
fn the_widest_jump_is_counted_whole() {
    let mut tracker = Continuity::default();
    observe(&mut tracker, &[i64::MIN, i64::MAX]);
    assert_eq!(tracker.counts().missing, u64::MAX - 1);
    observe(&mut tracker, &[i64::MAX, i64::MIN]);
}

proptest! {
    /// Whatever is dropped of a gapless stream, apart from its ends, is what the gaps name.
    #[test]
    fn the_gaps_name_exactly_what_was_dropped(kept in proptest::collection::vec(any::<bool>(), 1..200), first in -100..100_i64) {
        let sent: Vec<i64> = (first..).take(kept.len() + 2).collect();
        let is_end = |place: usize| place == 0 || place == sent.len() - 1;
        let arrives = |place: usize| is_end(place) || kept[place - 1];
        let arrived: Vec<i64> = sent.iter().enumerate().filter(|(place, _)| arrives(*place)).map(|(_, n)| *n).collect();
        let mut tracker = Continuity::default();
        let mut named = Vec::new();
        for finding in observe(&mut tracker, &arrived) {
            match finding {
                Finding::Gap(hole) => {
                    prop_assert_eq!(hole.missing, hole.from.abs_diff(hole.to) + 1);
                    named.extend(hole.from..=hole.to);
                }
                Finding::Fine => {}
                other @ (Finding::Duplicate | Finding::Backwards) => prop_assert!(false, "{:?}", other),
            }
        }
        let dropped: Vec<i64> = sent.into_iter().filter(|n| !arrived.contains(n)).collect();
        prop_assert_eq!(tracker.counts().missing, dropped.len() as u64);
        prop_assert_eq!(named, dropped);
    }

    #[test]
    fn no_numbers_make_it_panic(marks in proptest::collection::vec((any::<bool>(), any::<i64>(), 0..3_u8), 0..300)) {
        let mut tracker = Continuity::default();
        for (contiguous, number, stream) in marks {
            let mark = if contiguous { Mark::Contiguous(number) } else { Mark::Increasing(number) };
            tracker.observe(&stream.to_string(), "k", mark, at(1));
        }
    }
}
