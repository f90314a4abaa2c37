//! The times of a batch's messages, kept until its commit: for the log of latencies.

use common::clock::UnixMicros;
use common::latency::{LatencyLog, Stage};

use crate::decode::Sighting;

/// When the messages of a batch were sent and received, and when work on it began.
#[derive(Debug)]
pub(crate) struct Stamps {
    taken: UnixMicros,
    received: Vec<UnixMicros>,
    /// Of those that carry the exchange's time, with the time of their receipt.
    sent: Vec<(UnixMicros, UnixMicros)>,
}

impl Stamps {
    pub(crate) fn of(sightings: &[Sighting<'_>], taken_at: UnixMicros) -> Self {
        let sent = |sighting: &Sighting<'_>| Some((sighting.observation.exchange_at?, sighting.origin.received_at));
        Self {
            taken: taken_at,
            received: sightings.iter().map(|sighting| sighting.origin.received_at).collect(),
            sent: sightings.iter().filter_map(sent).collect(),
        }
    }

    /// Writes all of them down; their rows were committed at `now`.
    pub(crate) fn committed(&self, log: &LatencyLog, now: UnixMicros) {
        let until = |end: UnixMicros| move |since: &UnixMicros| (*since, end);
        log.record(Stage::ReceivedToTaken, self.received.iter().map(until(self.taken)));
        log.record(Stage::ReceivedToCommitted, self.received.iter().map(until(now)));
        log.record(Stage::ExchangeToReceived, self.sent.iter().copied());
        log.record(Stage::ExchangeToCommitted, self.sent.iter().map(|(sent_at, _)| (*sent_at, now)));
    }
}
