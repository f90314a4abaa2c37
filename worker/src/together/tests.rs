use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use common::clock::UnixMicros;
use common::market::{Epoch, Fields, OrderKey};
use common::store::{InstrumentId, StoreError};
use proptest::prelude::*;
use tokio::sync::Notify;

use super::*;

/// Instrument, seq, and which of the price, the bid and the day's volume it carries.
type Told = (i64, u32, [bool; 3]);

fn batch(told: &[Told]) -> WriteBatch {
    let mut batch = WriteBatch::default();
    for &(instrument, seq, [price, bid, volume]) in told {
        let order = OrderKey::new(Epoch::new(1).unwrap(), seq).unwrap();
        let number = seq.to_string();
        let fields = Fields {
            last_price: price.then(|| number.parse().unwrap()),
            bid_price: bid.then(|| number.parse().unwrap()),
            volume: volume.then(|| number.parse().unwrap()),
            ..Fields::default()
        };
        let place = batch.rows.binary_search_by_key(&instrument, |row| row.instrument.0).unwrap_or_else(|place| {
            batch.rows.insert(place, PriceRow::empty(InstrumentId(instrument)));
            place
        });
        batch.rows[place].merge(&fields, order, Some(UnixMicros(seq.into())), UnixMicros(seq.into()));
    }
    batch
}

/// All slots that the batch fills, as a table would store them that is empty before.
fn all_stored(batch: &WriteBatch) -> Written {
    Written { stored: batch.rows.iter().map(PriceRow::filled).collect(), vanished: Vec::new() }
}

proptest! {
    #[test]
    fn parts_joined_say_what_all_their_ticks_say(
        told in prop::collection::vec((0..4_i64, 1..40_u32, any::<[bool; 3]>()), 0..24),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 2),
    ) {
        let mut told: Vec<Told> = told;
        told.sort_by_key(|told| told.1);
        told.dedup_by_key(|told| told.1); // an order is one message's
        let (a, b) = (cuts[0].index(told.len() + 1), cuts[1].index(told.len() + 1));
        let parts = [batch(&told[..a.min(b)]), batch(&told[a.min(b)..a.max(b)]), batch(&told[a.max(b)..])];
        let whole = joined(parts.iter().rev());
        prop_assert_eq!(&whole.rows, &batch(&told).rows);

        // Every stored slot is the share of exactly one part.
        let written = all_stored(&whole);
        let mut shared = vec![Slots::NONE; whole.rows.len()];
        for part in &parts {
            for (row, slots) in part.rows.iter().zip(share_of(part, &whole, &written).stored) {
                let place = whole.rows.iter().position(|joined| joined.instrument == row.instrument).unwrap();
                prop_assert!(!shared[place].meets(slots));
                shared[place] = shared[place] | slots;
            }
        }
        prop_assert_eq!(shared, written.stored);
    }
}

/// Three batches: the first is held in its commit until the two others wait. Returns the sizes of the commits.
async fn three(refuse: usize) -> (Vec<usize>, Vec<Result<usize, ()>>) {
    let (together, gate) = (Arc::new(Together::default()), Arc::new(Notify::new()));
    let (sizes, calls) = (Arc::new(Mutex::new(Vec::new())), Arc::new(AtomicUsize::new(0)));
    let mut loops = Vec::new();
    for number in 0..3_i64 {
        let own = Arc::new(batch(&[(number, 1, [true; 3])]));
        let (shared, gate, sizes, called) =
            (Arc::clone(&together), Arc::clone(&gate), Arc::clone(&sizes), Arc::clone(&calls));
        loops.push(tokio::spawn(async move {
            let commit = async |whole: Arc<WriteBatch>| {
                sizes.lock().unwrap().push(whole.rows.len());
                if called.fetch_add(1, SeqCst) == 0 {
                    gate.notified().await;
                }
                if whole.rows.len() == refuse {
                    return Err(Denied::Row(StoreError::Row { place: String::new(), source: "no".into() }));
                }
                Ok((all_stored(&whole), Duration::ZERO))
            };
            shared.write(&own, commit).await.map(|(written, _)| written.stored.len()).map_err(drop)
        }));
        // The next one begins when this one waits: for the gate, or for its turn.
        common::testing::eventually("it waits", Duration::from_secs(10), async || {
            let waiting = i64::try_from(together.waiting().len()).unwrap();
            calls.load(SeqCst) == 1 && waiting == number
        })
        .await;
    }
    gate.notify_one();
    let mut ends = Vec::new();
    for each in loops {
        ends.push(each.await.unwrap());
    }
    (Arc::into_inner(sizes).unwrap().into_inner().unwrap(), ends)
}

#[tokio::test]
async fn batches_that_wait_are_committed_as_one() {
    let (sizes, ends) = three(usize::MAX).await;
    assert_eq!(sizes, [1, 2]);
    assert_eq!(ends, [Ok(1); 3]);
}

#[tokio::test]
async fn a_whole_that_is_refused_is_committed_in_its_parts() {
    let (sizes, ends) = three(2).await;
    assert_eq!(sizes, [1, 2, 1, 1]);
    assert_eq!(ends, [Ok(1); 3]);
}
