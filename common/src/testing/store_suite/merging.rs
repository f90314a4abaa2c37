//! Newest wins, slot by slot, in any order, by any writer.

use std::sync::Arc;

use super::Subject;
use super::subject::{Tick, batch};
use crate::clock::UnixMicros;
use crate::market::Fields;
use crate::store::{InstrumentId, PriceRow, RowOutcome, Slots};

/// Ticks that overlap in every way: trades, half quotes, partial days, with and without an exchange's time, one
/// received later than its successors.
fn ticks() -> [Tick; 5] {
    let price = |text: &str| Some(text.parse().unwrap());
    let size = |text: &str| Some(text.parse().unwrap());
    let trade = Fields { last_price: price("101.50"), last_size: size("3"), ..Fields::default() };
    let quote = Fields {
        bid_price: price("101.4"),
        bid_size: size("10"),
        ask_price: price("101.6"),
        ask_size: size("20"),
        ..Fields::default()
    };
    let day = Fields { open_price: price("99"), high_price: price("102"), volume: size("1000"), ..Fields::default() };
    let mixed =
        Fields { last_price: price("101.75"), bid_price: price("101.7"), low_price: price("98"), ..Fields::default() };
    let late =
        Fields { ask_price: price("101.8"), volume: size("1003"), open_interest: size("5"), ..Fields::default() };
    let mut ticks =
        [Tick::new(1, trade), Tick::new(2, quote), Tick::new(3, day), Tick::new(4, mixed), Tick::new(5, late)];
    ticks[3].exchange_at = None;
    ticks[1].received_at = UnixMicros(ticks[4].received_at.0 + 7);
    ticks
}

/// All orders of `count` things.
fn permutations(count: usize) -> Vec<Vec<usize>> {
    if count == 0 {
        return vec![Vec::new()];
    }
    let insert = |shorter: Vec<usize>| {
        (0..count).map(move |place| {
            let mut longer = shorter.clone();
            longer.insert(place, count - 1);
            longer
        })
    };
    permutations(count - 1).into_iter().flat_map(insert).collect()
}

/// One instrument for each order; step by step, the two handles in turn write each instrument's next tick. After every
/// step what was reported, and in the end what is stored, must be what merging in memory gives.
async fn every_order(subject: &Subject, row_by_row: bool) {
    let ticks = ticks();
    let orders = permutations(ticks.len());
    let ids = subject.instruments(orders.len()).await;
    let mut expected: Vec<PriceRow> = ids.iter().copied().map(PriceRow::empty).collect();
    for step in 0..ticks.len() {
        let store = &subject.handles[step % 2];
        let taken: Vec<Tick> = orders.iter().map(|order| ticks[order[step]]).collect();
        let newer: Vec<Slots> = expected
            .iter_mut()
            .zip(&taken)
            .map(|(row, tick)| row.merge(&tick.fields, tick.order, tick.exchange_at, tick.received_at))
            .collect();
        let batch = batch(taken.iter().zip(&ids).map(|(tick, id)| tick.row(*id)));
        if row_by_row {
            let outcomes = store.write_each(&batch).await.unwrap();
            assert_eq!(outcomes, newer.into_iter().map(RowOutcome::Stored).collect::<Vec<_>>(), "step {step}");
        } else {
            assert_eq!(store.write(&batch).await.unwrap().stored, newer, "step {step}");
        }
    }
    assert!(expected.iter().all(|row| row.fields == expected[0].fields), "merging is commutative");
    assert_eq!(stored(subject).await, expected);
}

async fn stored(subject: &Subject) -> Vec<PriceRow> {
    let prices = subject.store().prices().await.unwrap();
    let mut rows: Vec<_> = prices.into_iter().map(|price| price.row).collect();
    rows.sort_by_key(|row| row.instrument);
    rows
}

/// 120 orders of five ticks.
pub async fn every_order_of_ticks_by_two_writers_ends_in_the_same_row(subject: &Subject) {
    every_order(subject, false).await;
}

/// The slow path follows the same rule.
pub async fn every_order_of_ticks_row_by_row_ends_in_the_same_row(subject: &Subject) {
    every_order(subject, true).await;
}

/// Eight workers, the same fifty rows, no rhyme in their order: no deadlock, no tick lost, no older one on top.
pub async fn writers_at_once_on_the_same_rows_end_in_the_same_row(subject: &Subject) {
    const WORKERS: usize = 8;
    const ROUNDS: usize = 20;
    let ids: Vec<InstrumentId> = subject.instruments(50).await;
    let kinds = ticks().map(|tick| tick.fields);
    let tick = move |worker: usize, round: usize| {
        let number = (round * WORKERS + worker) * 31 % (WORKERS * ROUNDS);
        Tick::new(u32::try_from(number).unwrap(), kinds[number % kinds.len()])
    };
    let barrier = Arc::new(tokio::sync::Barrier::new(WORKERS));
    let mut workers = tokio::task::JoinSet::new();
    for worker in 0..WORKERS {
        let (store, barrier) = (Arc::clone(&subject.handles[worker % 2]), Arc::clone(&barrier));
        // Batches of different sizes: their plans could differ, and with them the order of their locks.
        let mine: Vec<_> = ids.iter().copied().step_by(1 + worker % 3).collect();
        workers.spawn(async move {
            barrier.wait().await;
            for round in 0..ROUNDS {
                store.write(&batch(mine.iter().map(|id| tick(worker, round).row(*id)))).await.unwrap();
            }
        });
    }
    workers.join_all().await;

    let expected: Vec<PriceRow> = ids
        .iter()
        .enumerate()
        .map(|(place, id)| {
            let mut row = PriceRow::empty(*id);
            for worker in (0..WORKERS).filter(|worker| place % (1 + worker % 3) == 0) {
                for round in 0..ROUNDS {
                    let tick = tick(worker, round);
                    row.merge(&tick.fields, tick.order, tick.exchange_at, tick.received_at);
                }
            }
            row
        })
        .collect();
    assert_eq!(stored(subject).await, expected);
}
