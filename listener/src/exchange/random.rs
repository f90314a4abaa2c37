//! A small random generator whose sequence is ours, so that a seed means the same market in every release.

/// The generator `SplitMix64` (Steele, Lea, Flood 2014): one addition and a mix per number, any seed is a good seed.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

const STEP: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    /// The generator number `stream` of `seed`.
    pub(super) fn new(seed: u64, stream: u64) -> Self {
        let mut start = Self(seed ^ stream.wrapping_mul(STEP));
        Self(start.next())
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number in `0..below`; 0 when `below` is 0.
    pub(super) fn below(&mut self, below: u32) -> u32 {
        let drawn = (self.next() >> 32) * u64::from(below);
        u32::try_from(drawn >> 32).unwrap_or(0) // always fits: both factors were below 2^32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_one_sequence_and_streams_differ() {
        let draw = |seed, stream| {
            let mut random = Random::new(seed, stream);
            (0..4).map(|_| random.next()).collect::<Vec<_>>()
        };
        assert_eq!(draw(7, 1), draw(7, 1));
        assert_ne!(draw(7, 1), draw(7, 2));
        assert_ne!(draw(7, 1), draw(8, 1));
    }

    #[test]
    fn a_bound_is_kept_and_reached() {
        let mut random = Random::new(1, 1);
        let drawn: Vec<_> = (0..1_000).map(|_| random.below(5)).collect();
        assert!((0..5).all(|number| drawn.contains(&number)));
        assert!(drawn.iter().all(|number| *number < 5));
    }
}
