//! Chance that can be repeated.

use crate::queue::LeaseId;

/// The generator called `splitmix64`: small, and the same everywhere.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `bound` - 1.
    pub(super) fn below(&mut self, bound: u32) -> u32 {
        u32::try_from(self.next() % u64::from(bound)).expect("less than a u32")
    }

    pub(super) fn one_in(&mut self, bound: u32) -> bool {
        self.below(bound) == 0
    }

    pub(super) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let length = u32::try_from(from.len()).ok().filter(|length| 0 < *length)?;
        from.get(self.below(length) as usize)
    }
}

/// Another one each time: the random end of a fresh name.
pub(super) fn fresh_seed() -> u64 {
    let name = LeaseId::fresh().to_string();
    name.get(20..).and_then(|end| u64::from_str_radix(end, 16).ok()).expect("the name is 32 hexadecimal digits")
}
