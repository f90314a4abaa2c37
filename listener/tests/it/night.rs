//! A night in minutes: whatever ends, refuses or silences connections between two trading days, one fault at a time, and
//! how often the listener knocks at the provider's door meanwhile. The delays between attempts are those of production.

use std::time::{Duration, Instant};

use common::clock;
use common::presence::ConnectionState;
use common::testing::eventually;

use crate::simulated::Listening;

mod drops;
mod market;
mod refusals;
mod rotations;
mod tokens;

/// Attempts to connect, counted from some moment on.
struct Attempts {
    since: Instant,
    before: u64,
}

impl Attempts {
    fn from_now(listening: &Listening) -> Self {
        Self { since: clock::monotonic(), before: total(&listening.connections()) }
    }

    /// How many there were since, after telling people.
    #[expect(clippy::print_stderr, reason = "the rate is what a person runs these tests for")]
    fn told(&self, what: &str, listening: &Listening) -> u64 {
        let (connections, took) = (listening.connections(), self.since.elapsed());
        let attempts = total(&connections) - self.before;
        let per_minute = u128::from(attempts) * 60_000 / took.as_millis().max(1);
        let count = connections.len();
        eprintln!("{what}: {attempts} attempts of {count} connections in {took:.1?}, {per_minute} per minute");
        attempts
    }
}

fn total(connections: &[ConnectionState]) -> u64 {
    connections.iter().map(|state| state.attempts).sum()
}

/// One figure of each connection.
fn each<T>(connections: &[ConnectionState], figure: impl Fn(&ConnectionState) -> T) -> Vec<T> {
    connections.iter().map(figure).collect()
}

/// Waits until every connection has received more than now.
async fn data_flows(listening: &Listening) {
    let before = each(&listening.connections(), |state| state.messages);
    listening.until("data flows", |state| before[state.conn as usize - 1] < state.messages).await;
}

/// Lets so much time pass while `is_so`.
async fn for_a_while(listening: &Listening, time: Duration, is_so: impl Fn(&ConnectionState) -> bool) {
    let since = clock::monotonic();
    eventually("some time has passed", time * 10, async || {
        let connections = listening.connections();
        assert!(connections.iter().all(&is_so), "{connections:?}");
        time <= since.elapsed()
    })
    .await;
}
