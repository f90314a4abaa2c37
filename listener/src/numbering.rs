//! Gives the messages of a session their order. Pure.

use common::market::{Epoch, OrderKey};

/// Counts within an epoch.
#[derive(Debug)]
pub(crate) struct Numbering {
    epoch: Epoch,
    next_seq: u32,
    seq_max: u32,
}

impl Numbering {
    /// Seqs run from 0 to `seq_max`, which is lowered to [`OrderKey::SEQ_MAX`] where it is higher.
    pub(crate) fn new(epoch: Epoch, seq_max: u32) -> Self {
        Self { epoch, next_seq: 0, seq_max: seq_max.min(OrderKey::SEQ_MAX) }
    }

    /// The place of the next message; `None` when the epoch is used up.
    pub(crate) fn next(&mut self) -> Option<OrderKey> {
        let seq = (self.next_seq <= self.seq_max).then_some(self.next_seq)?;
        self.next_seq += 1;
        OrderKey::new(self.epoch, seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seqs_are_contiguous_and_end_with_the_last_one() {
        let epoch = Epoch::new(7).unwrap();
        let mut numbering = Numbering::new(epoch, 2);
        let keys: Vec<_> = std::iter::from_fn(|| numbering.next()).collect();
        assert_eq!(keys, (0..3).map(|seq| OrderKey::new(epoch, seq).unwrap()).collect::<Vec<_>>());
    }

    #[test]
    fn the_very_last_seq_fits_an_order_key() {
        let mut numbering = Numbering::new(Epoch::MAX, u32::MAX);
        numbering.next_seq = OrderKey::SEQ_MAX;
        assert_eq!(numbering.next().map(OrderKey::seq), Some(OrderKey::SEQ_MAX));
        assert_eq!(numbering.next(), None);
    }
}
