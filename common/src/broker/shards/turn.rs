//! What an owner has to do after an answer: which connections to open and which to close. Pure.

use std::collections::HashSet;

use super::HeldShard;
use crate::market::Epoch;

/// From one grant to the next.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Turn {
    /// Not ours any more: close these.
    pub lost: Vec<HeldShard>,
    /// Ours from now on: open these.
    pub won: Vec<HeldShard>,
}

impl Turn {
    /// Compares what was held with what is held now. A shard that came back with another epoch is lost *and* won:
    /// somebody else may have carried it meanwhile.
    pub fn between(before: &[HeldShard], now: &[HeldShard]) -> Self {
        let name = |held: &HeldShard| (held.shard, held.epoch);
        let without = |all: &[HeldShard], others: &[HeldShard]| {
            let others: HashSet<(u32, Epoch)> = others.iter().map(name).collect();
            all.iter().filter(|held| !others.contains(&name(held))).copied().collect()
        };
        Self { lost: without(before, now), won: without(now, before) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::UnixMicros;

    #[test]
    fn a_shard_that_came_back_with_another_epoch_is_opened_anew() {
        let held = |shard, epoch| HeldShard { shard, epoch: Epoch::new(epoch).unwrap(), since: UnixMicros(0) };
        let turn = Turn::between(&[held(0, 5), held(1, 6), held(2, 7)], &[held(0, 5), held(2, 9), held(3, 10)]);
        assert_eq!(turn, Turn { lost: vec![held(1, 6), held(2, 7)], won: vec![held(2, 9), held(3, 10)] });
        assert_eq!(Turn::between(&[held(0, 5)], &[held(0, 5)]), Turn::default());
    }
}
