//! Which of two ticks is the newer one.

use std::fmt;
use std::num::NonZeroI64;

use serde::{Deserialize, Serialize};

use crate::clock::UnixMicros;

const SEQ_BITS: u32 = 30;
const EPOCH_BITS: u32 = 33;
const _: () = assert!(SEQ_BITS + EPOCH_BITS == 63, "an order key must stay positive in an i64");

/// 2020-01-01T00:00:00Z in tenths of a second since 1970: epochs count from here.
const EPOCH_ZERO_TENTHS: i64 = 15_778_368_000;

/// The fencing number of one subscription of one shard, given by the broker and never given twice.
///
/// The broker hands out `max(last + 1, tenths of a second since 2020)`: the time part keeps numbers fresh when a
/// broker lost its memory, the `last + 1` part keeps them unique. 33 bits last until the year 2047.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Epoch(u64);

impl Epoch {
    /// The largest epoch.
    pub const MAX: Self = Self((1 << EPOCH_BITS) - 1);

    /// `None` when `number` is zero or needs more than 33 bits.
    pub fn new(number: u64) -> Option<Self> {
        (1..=Self::MAX.0).contains(&number).then_some(Self(number))
    }

    /// The lowest epoch the broker may give at `now`: tenths of a second since 2020, at least 1.
    pub fn floor_at(now: UnixMicros) -> Self {
        let tenths = (now.0 / 100_000 - EPOCH_ZERO_TENTHS).max(1);
        Self(u64::try_from(tenths).unwrap_or(1).min(Self::MAX.0))
    }

    /// The number.
    pub fn get(self) -> u64 {
        self.0
    }
}

/// Orders all ticks of a deployment: 33 bits of epoch, 30 bits of seq, in one positive `i64`.
///
/// Within an epoch the connection's own order decides. The exchange's time is data and never the judge: one
/// future-dated tick would freeze a symbol, and quotes and trades carry different clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey(NonZeroI64);

impl OrderKey {
    /// A session that has used up its seq takes the next epoch.
    pub const SEQ_MAX: u32 = (1 << SEQ_BITS) - 1;

    /// The key of message `seq` of `epoch`; `None` when `seq` needs more than 30 bits.
    pub fn new(epoch: Epoch, seq: u32) -> Option<Self> {
        let key = (epoch.0 << SEQ_BITS) | u64::from(seq);
        (seq <= Self::SEQ_MAX).then(|| i64::try_from(key).ok().and_then(Self::from_i64)).flatten()
    }

    /// The key of a foreign producer's message that carries no epoch: its place among ours by time alone.
    pub fn from_time(at: UnixMicros) -> Self {
        let within_tenth = u32::try_from(at.0.rem_euclid(100_000)).unwrap_or(0);
        Self::new(Epoch::floor_at(at), within_tenth).unwrap_or(Self(NonZeroI64::MIN))
    }

    /// Back from a table's column; `None` for zero or less, which stand for "no value yet".
    pub fn from_i64(key: i64) -> Option<Self> {
        NonZeroI64::new(key).filter(|key| 0 < key.get()).map(Self)
    }

    /// As stored in a table's column.
    pub fn get(self) -> i64 {
        self.0.get()
    }

    /// The epoch's number.
    pub fn epoch(self) -> u64 {
        self.0.get().unsigned_abs() >> SEQ_BITS
    }

    /// The place within the epoch.
    pub fn seq(self) -> u32 {
        u32::try_from(self.0.get() & i64::from(Self::SEQ_MAX)).unwrap_or(Self::SEQ_MAX)
    }
}

impl fmt::Display for OrderKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.epoch(), self.seq())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_later_epoch_beats_any_seq_of_an_earlier_one() {
        let [first, second] = [7, 8].map(|number| Epoch::new(number).unwrap());
        let last_of_first = OrderKey::new(first, OrderKey::SEQ_MAX).unwrap();
        assert!(last_of_first < OrderKey::new(second, 0).unwrap());
    }

    #[test]
    fn a_key_keeps_its_epoch_and_seq() {
        let key = OrderKey::new(Epoch::MAX, OrderKey::SEQ_MAX).unwrap();
        assert_eq!((key.epoch(), key.seq()), (Epoch::MAX.get(), OrderKey::SEQ_MAX));
        assert_eq!(key.get(), i64::MAX);
    }

    #[test]
    fn a_seq_of_more_than_thirty_bits_is_refused() {
        assert_eq!(OrderKey::new(Epoch::MAX, OrderKey::SEQ_MAX + 1), None);
    }

    #[test]
    fn the_first_epoch_after_a_lost_broker_is_the_time() {
        let noon = UnixMicros(1_763_726_400_000_000); // 2025-11-21T12:00:00Z
        assert_eq!(Epoch::floor_at(noon).get(), 1_858_896_000);
    }

    #[test]
    fn foreign_messages_order_by_their_time() {
        let at = UnixMicros(1_763_726_400_000_001);
        assert!(OrderKey::from_time(at) < OrderKey::from_time(UnixMicros(at.0 + 1)));
        assert!(OrderKey::from_time(at) < OrderKey::from_time(UnixMicros(at.0 + 100_000)));
    }
}
