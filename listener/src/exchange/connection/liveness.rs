//! Pings that wait for their pong.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use common::clock::UnixMicros;

/// Pings of which we remember that they are unanswered; the oldest one decides, so more need not be kept.
const OUTSTANDING_MAX: usize = 8;

/// A connection's pings. A pong counts only if it repeats a ping's payload.
#[derive(Debug)]
pub(super) struct Liveness {
    pong_max: Duration,
    outstanding: VecDeque<(String, Instant)>,
}

impl Liveness {
    pub(super) fn new(pong_max: Duration) -> Self {
        Self { pong_max, outstanding: VecDeque::new() }
    }

    /// The payload of the next ping: the time in milliseconds, as Binance sends it.
    pub(super) fn ping(&mut self, now: UnixMicros, instant: Instant) -> String {
        let payload = (now.0 / 1_000).to_string();
        if self.outstanding.len() < OUTSTANDING_MAX {
            self.outstanding.push_back((payload.clone(), instant));
        }
        payload
    }

    pub(super) fn pong(&mut self, payload: &[u8]) {
        if let Some(at) = self.outstanding.iter().position(|(ping, _)| ping.as_bytes() == payload) {
            self.outstanding.drain(..=at);
        }
    }

    pub(super) fn is_dead(&self, now: Instant) -> bool {
        self.outstanding.front().is_some_and(|(_, sent)| self.pong_max <= now.saturating_duration_since(*sent))
    }

    /// Forgets the pings: nobody could be expected to answer them.
    pub(super) fn restart(&mut self) {
        self.outstanding.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pong_with_a_pings_payload_keeps_a_connection_alive() {
        let start = common::clock::monotonic();
        let minute = Duration::from_mins(1);
        let mut liveness = Liveness::new(minute);
        assert_eq!(liveness.ping(UnixMicros(5_000), start), "5");
        assert_eq!(liveness.ping(UnixMicros(6_000), start + minute / 3), "6");
        liveness.pong(b"");
        assert!(!liveness.is_dead(start + minute / 2));
        assert!(liveness.is_dead(start + minute));
        liveness.pong(b"5");
        assert!(!liveness.is_dead(start + minute));
        assert!(liveness.is_dead(start + minute * 2));
        liveness.pong(b"6");
        assert!(!liveness.is_dead(start + minute * 9));
    }
}
