use super::*;

fn batch(rows: u64, refused: u64, code: &str) -> Tally {
    let mut tally = Tally::of(rows, false);
    for number in 0..refused {
        let symbol = format!("S{}", number % 7);
        tally.refuse(code, Some(&symbol), "no");
    }
    tally
}

fn again(mut tally: Tally) -> Tally {
    tally.again = true;
    tally
}

#[test]
fn the_third_batch_in_a_row_that_is_refused_for_one_reason_is_held_and_nothing_after_it_is_given_up() {
    let mut guard = Guard::default();
    let verdicts: Vec<_> = (0..5).map(|_| guard.judge(batch(500, 500, "23514"))).collect();
    assert_eq!(verdicts, [Verdict::Settle, Verdict::Settle, Verdict::Hold, Verdict::Hold, Verdict::Hold]);
    let words = guard.paused().unwrap().to_string();
    assert_eq!(words, "the store refuses 100 % of the rows with 23514 (no), pausing; nothing is given up");
}

#[test]
fn a_batch_that_passes_ends_the_pause_and_the_next_bad_one_begins_another() {
    let mut guard = Guard::default();
    (0..3).for_each(|_| assert_ne!(guard.judge(batch(500, 200, "P0001")), Verdict::Postpone));
    assert_eq!(guard.judge(batch(500, 1, "P0001")), Verdict::Settle);
    assert_eq!(guard.paused(), None);
    assert_eq!(guard.judge(batch(500, 200, "P0001")), Verdict::Hold, "on probation");
    assert_eq!(guard.judge(batch(500, 0, "")), Verdict::Settle);
    assert_eq!(guard.judge(batch(500, 0, "")), Verdict::Settle);
    assert_eq!(guard.judge(batch(500, 200, "P0001")), Verdict::Settle, "a good batch ends the probation");
}

#[test]
fn one_bad_row_of_five_hundred_is_that_row_however_often_it_comes() {
    let mut guard = Guard::default();
    for _ in 0..100 {
        assert_eq!(guard.judge(batch(500, 1, "22003")), Verdict::Settle);
        assert_eq!(guard.judge(again(batch(1, 1, "22003"))), Verdict::Settle, "its retries come alone");
    }
    assert_eq!(guard.paused(), None);
}

#[test]
fn one_bad_symbol_of_four_is_no_reason_to_stop_the_others() {
    let mut guard = Guard::default();
    for _ in 0..10 {
        let mut tally = Tally::of(400, false);
        (0..100).for_each(|_| tally.refuse("22003", Some("BAD"), "no"));
        assert_eq!(guard.judge(tally), Verdict::Settle);
    }
}

#[test]
fn different_reasons_and_good_batches_between_are_no_proof() {
    let mut guard = Guard::default();
    for code in ["23514", "22003", "23514", "22003"] {
        assert_eq!(guard.judge(batch(500, 500, code)), Verdict::Settle);
    }
    for refused in [500, 500, 0, 500, 500, 0] {
        assert_eq!(guard.judge(batch(500, refused, "23514")), Verdict::Settle);
    }
}

#[test]
fn small_batches_are_judged_together_and_given_back_while_paused() {
    let mut guard = Guard::default();
    let verdicts: Vec<_> = (0..60).map(|_| guard.judge(batch(1, 1, "23514"))).collect();
    let given_up = verdicts.iter().filter(|verdict| **verdict == Verdict::Settle).count();
    assert_eq!(given_up, 59, "three times twenty rows");
    assert_eq!(verdicts[59], Verdict::Postpone);
    assert_eq!(guard.judge(batch(1, 1, "23514")), Verdict::Postpone);
    assert_eq!(guard.judge(again(batch(300, 300, "23514"))), Verdict::Postpone);
    assert_eq!(guard.judge(batch(1, 0, "")), Verdict::Settle);
    assert_eq!(guard.paused(), None);
}

#[test]
fn a_batch_without_rows_proves_nothing() {
    let mut guard = Guard::default();
    (0..3).for_each(|_| assert_ne!(guard.judge(batch(50, 50, "23514")), Verdict::Postpone));
    assert_eq!(guard.judge(Tally::of(0, false)), Verdict::Settle);
    assert!(guard.paused().is_some());
}
