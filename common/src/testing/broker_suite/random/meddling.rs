//! What is done to the broker past its seam in random work.

use super::Run;
use crate::queue::{Check, Flaw};

impl Run<'_> {
    pub(super) async fn meddle(&mut self) {
        let Some(outside) = self.outside else { return };
        self.meddled += 1;
        match self.dice.below(4) {
            0 => outside.forget_scripts(),
            1 | 2 => self.is_full = outside.set_full(!self.is_full),
            _ => self.delete_leases().await,
        }
    }

    pub(super) fn make_room(&mut self) {
        if let Some(outside) = self.outside {
            self.is_full = outside.set_full(false);
        }
    }

    /// Every task of a deleted lease is given out again after a check, and its holder comes too late.
    async fn delete_leases(&mut self) {
        let Some(outside) = self.outside else { return };
        outside.delete_leases(&self.producer.queue);
        let findings = self.workers[0].broker.fsck(&self.producer.queue, Check::Fix).await.expect("a check");
        for finding in &findings {
            assert!(
                matches!(finding.flaw, Flaw::StrayBatch | Flaw::Miscounted) && finding.fixed == finding.found,
                "I2 structure: {finding:?}"
            );
        }
        let left = self.workers[1].broker.fsck(&self.producer.queue, Check::Look).await.expect("a check");
        assert_eq!(left, [], "I2 structure: all is put right");
        for held in &mut self.held {
            held.safe = false;
        }
        if !outside.remembers_names() {
            self.held.clear();
        }
    }
}
