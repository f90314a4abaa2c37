use std::collections::BTreeSet;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn limits(messages_max: usize, overflow: Overflow) -> BufferLimits {
    BufferLimits { messages_max, bytes_max: usize::MAX, overflow }
}

fn message(key: u64, number: u32) -> Message {
    Message { merge: MergeKey(key), element: number.to_be_bytes().to_vec() }
}

fn pushed(overflow: Overflow, messages_max: usize, keys: &[u64]) -> Backlog {
    let mut backlog = Backlog::new(limits(messages_max, overflow));
    for (number, key) in (0..).zip(keys) {
        backlog.push(message(*key, number)).unwrap();
    }
    backlog
}

fn numbers(batch: &Batch) -> Vec<u32> {
    batch.tasks.iter().map(|task| u32::from_be_bytes(task.as_slice().try_into().unwrap())).collect()
}

fn all(backlog: &mut Backlog) -> Vec<u32> {
    numbers(&backlog.take(usize::MAX, usize::MAX))
}

#[test]
fn a_full_buffer_gives_up_the_oldest_message_that_has_a_newer_one_of_its_key() {
    let mut backlog = pushed(Overflow::Merge, 4, &[1, 2, 1, 2, 3]);
    assert_eq!(backlog.totals().shed, [("merge".into(), 1)].into());
    assert_eq!(all(&mut backlog), [1, 2, 3, 4]);
}

#[test]
fn the_only_message_of_a_quiet_symbol_outlives_any_number_of_a_busy_one() {
    let mut keys = vec![7];
    keys.extend([1; 1_000]);
    let mut backlog = pushed(Overflow::Merge, 3, &keys);
    assert_eq!(all(&mut backlog), [0, 999, 1_000]);
}

#[test]
fn more_symbols_than_room_give_up_the_oldest() {
    let mut backlog = pushed(Overflow::Merge, 2, &[1, 2, 3]);
    assert_eq!(backlog.totals().shed, [("drop_oldest".into(), 1)].into());
    assert_eq!(all(&mut backlog), [1, 2]);
}

#[test]
fn dropping_the_oldest_keeps_the_newest() {
    let mut backlog = pushed(Overflow::DropOldest, 2, &[1, 1, 2, 1]);
    assert_eq!(backlog.totals().shed, [("drop_oldest".into(), 2)].into());
    assert_eq!(all(&mut backlog), [2, 3]);
}

#[test]
fn blocking_hands_the_message_back_uncounted() {
    let mut backlog = pushed(Overflow::Block, 2, &[1, 2]);
    assert_eq!(backlog.push(message(3, 2)), Err(message(3, 2)));
    assert_eq!(backlog.totals().received, 2);
    assert_eq!(all(&mut backlog), [0, 1]);
    backlog.push(message(3, 2)).unwrap();
}

#[test]
fn bytes_are_a_limit_too_and_a_single_larger_message_still_passes() {
    let mut backlog = Backlog::new(BufferLimits { messages_max: 9, bytes_max: 8, overflow: Overflow::DropOldest });
    for number in 0..3 {
        backlog.push(message(1, number)).unwrap();
    }
    assert_eq!(backlog.len(), 2);
    backlog.push(Message { merge: MergeKey(1), element: vec![0; 100] }).unwrap();
    assert_eq!(backlog.len(), 1);
    assert_eq!(backlog.take(9, 8).tasks[0].len(), 100);
}

#[test]
fn a_batch_keeps_to_its_bytes() {
    let mut backlog = pushed(Overflow::Merge, 9, &[1, 2, 3]);
    assert_eq!(numbers(&backlog.take(9, 8)), [0, 1]);
    assert_eq!(numbers(&backlog.take(9, 8)), [2]);
}

#[test]
fn counts_leave_with_the_next_batch_and_only_once() {
    let mut backlog = pushed(Overflow::Merge, 1, &[1, 1]);
    backlog.reject("not_json", 2);
    let counts = backlog.take(9, 9).counts;
    assert_eq!((counts.received, counts.shed["merge"], counts.rejected["not_json"]), (2, 1, 2));
    assert!(!backlog.has_counts());
    assert!(backlog.take(9, 9).counts.is_empty());
}

#[test]
fn a_long_outage_does_not_collect_holes() {
    let mut backlog = Backlog::new(limits(10, Overflow::Merge));
    backlog.push(message(99, 0)).unwrap(); // stays at the head, so holes gather behind it
    for number in 1..400_000 {
        backlog.push(message(u64::from(number % 5), number)).unwrap();
    }
    assert!(backlog.slots.len() <= 2 * IDLE_SLOTS_MAX + 1, "{} slots", backlog.slots.len());
    assert_eq!(all(&mut backlog)[0], 0);
}

/// One step of a random life.
#[derive(Debug, Clone)]
enum Step {
    Push(u64),
    Take(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![8 => (0..6_u64).prop_map(Step::Push), 1 => (0..7_usize).prop_map(Step::Take)];
    vec(step, 0..300)
}

fn policy() -> impl Strategy<Value = Overflow> {
    prop_oneof![Just(Overflow::Merge), Just(Overflow::DropOldest), Just(Overflow::Block)]
}

proptest! {
    #[test]
    fn whatever_happens_counts_add_up_order_holds_and_the_newest_of_each_key_survives(
        steps in steps(), messages_max in 1..12_usize, overflow in policy()
    ) {
        let mut backlog = Backlog::new(limits(messages_max, overflow));
        let mut taken = Vec::new();
        let mut keys = Vec::new();
        let mut reported = IntakeCounts::default();
        for step in steps {
            match step {
                Step::Push(key) => {
                    if backlog.push(message(key, u32::try_from(keys.len()).unwrap())).is_ok() {
                        keys.push(key);
                    }
                }
                Step::Take(tasks_max) => {
                    let batch = backlog.take(tasks_max, usize::MAX);
                    taken.extend(numbers(&batch));
                    reported.received += batch.counts.received;
                    for (policy, count) in batch.counts.shed {
                        *reported.shed.entry(policy).or_default() += count;
                    }
                }
            }
            let shed: u64 = backlog.totals().shed.values().sum();
            prop_assert!(backlog.len() <= messages_max);
            prop_assert_eq!(backlog.totals().received, keys.len() as u64);
            prop_assert_eq!(keys.len() as u64, taken.len() as u64 + shed + backlog.len() as u64);
        }
        let rest = backlog.take(usize::MAX, usize::MAX);
        taken.extend(numbers(&rest));
        reported.received += rest.counts.received;
        prop_assert_eq!(reported.received, backlog.totals().received);
        prop_assert!(taken.is_sorted_by(|a, b| a < b), "out of order: {:?}", taken);
        if overflow == Overflow::Block {
            prop_assert_eq!(taken.len(), keys.len());
        }
        if let Some(last) = keys.len().checked_sub(1) {
            prop_assert_eq!(taken.last().copied(), u32::try_from(last).ok());
        }
        let distinct = keys.iter().collect::<BTreeSet<_>>().len();
        if overflow == Overflow::Merge && distinct <= messages_max {
            for key in &keys {
                let newest = u32::try_from(keys.iter().rposition(|other| other == key).unwrap()).unwrap();
                prop_assert!(taken.contains(&newest), "the newest of key {} was given up", key);
            }
        }
    }
}

#[test]
fn a_full_buffer_stays_fast_however_large_it_is() {
    let mut backlog = Backlog::new(limits(100_000, Overflow::Merge));
    let asked = common::clock::monotonic();
    for number in 0..600_000 {
        backlog.push(message(u64::from(number % 997), number)).unwrap();
    }
    // Searching the whole buffer for each message would take minutes.
    assert!(asked.elapsed() < Duration::from_secs(20));
    assert_eq!(backlog.len(), 100_000);
}
