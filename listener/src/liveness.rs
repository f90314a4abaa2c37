//! Decides when to ping and when a quiet connection is dead. Pure.
//!
//! Any frame is a sign of life: data, a heartbeat, a ping, a pong. A quiet market is no fault as long as our pings are
//! answered; a half-open connection answers nothing (fault F41).

use std::time::{Duration, Instant};

/// The pulse of one connection.
#[derive(Debug)]
pub(crate) struct Liveness {
    silence_max: Duration,
    ping_interval: Duration,
    heard_at: Instant,
    pinged_at: Instant,
}

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pulse {
    Fine,
    /// A ping is due.
    Ping,
    /// Nothing was heard for too long.
    Dead,
}

impl Liveness {
    /// Connected at `now`.
    pub(crate) fn new(silence_max: Duration, ping_interval: Duration, now: Instant) -> Self {
        Self { silence_max, ping_interval, heard_at: now, pinged_at: now }
    }

    /// A frame arrived.
    pub(crate) fn heard(&mut self, now: Instant) {
        self.heard_at = now;
    }

    /// We pinged.
    pub(crate) fn pinged(&mut self, now: Instant) {
        self.pinged_at = now;
    }

    pub(crate) fn pulse(&self, now: Instant) -> Pulse {
        if self.silence_max <= now.saturating_duration_since(self.heard_at) {
            Pulse::Dead
        } else if self.ping_interval <= now.saturating_duration_since(self.pinged_at) {
            Pulse::Ping
        } else {
            Pulse::Fine
        }
    }

    /// When the next ping is due.
    pub(crate) fn ping_at(&self) -> Instant {
        self.pinged_at + self.ping_interval
    }

    /// When the connection is dead, if nothing is heard until then.
    pub(crate) fn dead_at(&self) -> Instant {
        self.heard_at + self.silence_max
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SILENCE: Duration = Duration::from_secs(25);
    const PING: Duration = Duration::from_secs(10);

    #[test]
    fn a_quiet_connection_is_pinged_and_then_dead() {
        let start = common::clock::monotonic();
        let at = |secs| start + Duration::from_secs(secs);
        let mut liveness = Liveness::new(SILENCE, PING, start);
        assert_eq!((liveness.pulse(at(9)), liveness.pulse(at(10))), (Pulse::Fine, Pulse::Ping));
        liveness.pinged(at(10));
        assert_eq!((liveness.ping_at(), liveness.dead_at()), (at(20), at(25)));
        liveness.pinged(at(20));
        assert_eq!((liveness.pulse(at(24)), liveness.pulse(at(25))), (Pulse::Fine, Pulse::Dead));
    }

    #[test]
    fn any_frame_keeps_it_alive() {
        let start = common::clock::monotonic();
        let mut liveness = Liveness::new(SILENCE, PING, start);
        for secs in (0..600).step_by(20) {
            let now = start + Duration::from_secs(secs);
            assert_ne!(liveness.pulse(now), Pulse::Dead);
            liveness.heard(now);
        }
    }
}
