//! Whether this listener gets on: what it says to a health check.

use std::sync::Arc;
use std::time::{Duration, Instant};

use common::clock;
use common::health::Readiness;
use common::presence::{ConnectionState, Link};
use common::shutdown::Shutdown;

use crate::board::Board;

/// A broker that has answered no beat for so long is away.
const BEAT_AGE_MAX: Duration = Duration::from_secs(5);

/// What the answer follows from.
#[derive(Debug)]
pub(crate) struct ListenerReadiness {
    pub(crate) board: Arc<Board>,
    pub(crate) shutdown: Shutdown,
}

impl Readiness for ListenerReadiness {
    fn reasons(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.shutdown.has_begun() {
            reasons.push("stopping".to_owned());
        }
        reasons.extend(self.board.trouble());
        reasons.extend(unanswered(self.board.beaten_at(), clock::monotonic()));
        reasons.extend(dark(&self.board.connections()));
        reasons
    }
}

fn unanswered(beaten_at: Option<Instant>, now: Instant) -> Option<String> {
    let Some(at) = beaten_at else { return Some("no answer from the broker yet".to_owned()) };
    let age = now.saturating_duration_since(at);
    (BEAT_AGE_MAX < age).then(|| format!("the broker has answered no beat for {} s", age.as_secs()))
}

/// No connection is live although some market may trade. Who holds no shard at present stands by, and is ready.
fn dark(connections: &[ConnectionState]) -> Option<String> {
    let is_fine =
        |connection: &ConnectionState| connection.state == Link::Live || connection.is_market_open == Some(false);
    let first = connections.first()?;
    if connections.iter().any(is_fine) {
        return None;
    }
    let reason = first.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    Some(format!("no connection to {} is live{reason}", first.feed))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::board::Cell;

    fn connection(state: Link, is_market_open: Option<bool>) -> ConnectionState {
        ConnectionState {
            state,
            is_market_open,
            reason: Some("refused".to_owned()),
            ..Cell::new(1, "binance", 2).read()
        }
    }

    #[test]
    fn one_live_connection_is_enough_and_a_closed_market_needs_none() {
        let down = connection(Link::Reconnecting, Some(true));
        assert_eq!(dark(std::slice::from_ref(&down)).as_deref(), Some("no connection to binance is live: refused"));
        assert_eq!(dark(&[down.clone(), connection(Link::Live, None)]), None);
        assert_eq!(dark(&[connection(Link::Reconnecting, Some(false))]), None);
        assert_eq!(dark(&[]), None);
    }

    #[test]
    fn a_broker_that_answers_no_beat_is_away() {
        let now = clock::monotonic();
        assert_eq!(unanswered(Some(now), now + Duration::from_secs(5)), None);
        assert!(unanswered(Some(now), now + Duration::from_secs(6)).is_some() && unanswered(None, now).is_some());
    }
}
