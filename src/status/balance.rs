//! The ledger as a report shows it: with its sums, over one queue or several.

use std::collections::BTreeMap;

use common::ledger::Ledger;
use serde::Serialize;

use super::look::Desk;

/// The ledger with its sums.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub(super) struct Balance {
    pub(super) received: u64,
    pub(super) accepted: u64,
    pub(super) settled: u64,
    pub(super) ticks: u64,
    pub(super) stored: u64,
    pub(super) superseded: u64,
    pub(super) legacy: u64,
    pub(super) skipped: u64,
    pub(super) expired: u64,
    pub(super) dead: u64,
    pub(super) waiting: u64,
    pub(super) leased: u64,
    pub(super) delayed: u64,
    /// `waiting + leased + delayed`
    pub(super) open: u64,
    pub(super) purged: u64,
    pub(super) redelivered: u64,
    pub(super) rejected: u64,
    pub(super) shed: u64,
    pub(super) uncounted: u64,
    pub(super) lost: u64,
    pub(super) balanced: bool,
    pub(super) skipped_by_reason: BTreeMap<Box<str>, u64>,
    pub(super) rejected_by_reason: BTreeMap<Box<str>, u64>,
    pub(super) shed_by_policy: BTreeMap<Box<str>, u64>,
}

impl Balance {
    pub(super) fn of(desk: &Desk) -> Self {
        Self::over(desk.queues.iter().map(|(_, census)| &census.ledger))
    }

    /// The sum over queues. Losses are added queue by queue: one queue's surplus must not hide another's loss.
    pub(super) fn over<'l>(ledgers: impl Iterator<Item = &'l Ledger>) -> Self {
        let mut sum = Ledger::default();
        let (mut lost, mut uncounted, mut balanced) = (0, 0, true);
        for ledger in ledgers {
            sum.add(ledger);
            lost += ledger.lost();
            uncounted += ledger.uncounted();
            balanced &= ledger.is_balanced();
        }
        Self {
            received: sum.received,
            accepted: sum.accepted,
            settled: sum.settled,
            ticks: sum.ticks,
            stored: sum.stored,
            superseded: sum.superseded,
            legacy: sum.legacy,
            skipped: sum.skipped_total(),
            expired: sum.expired,
            dead: sum.dead,
            waiting: sum.waiting,
            leased: sum.leased,
            delayed: sum.delayed,
            open: sum.open(),
            purged: sum.purged,
            redelivered: sum.redelivered,
            rejected: sum.rejected.values().sum(),
            shed: sum.shed.values().sum(),
            uncounted,
            lost,
            balanced,
            skipped_by_reason: sum.skipped,
            rejected_by_reason: sum.rejected,
            shed_by_policy: sum.shed,
        }
    }
}
