//! One log line with the totals, now and then.

use std::sync::Arc;
use std::time::Duration;

use common::presence::Link;
use tokio::time;
use tokio_util::sync::CancellationToken;
use tracing::info;

use crate::board::Board;
use crate::intake::Intake;

/// Logs the totals every `interval` until `done`.
pub(crate) async fn run(interval: Duration, intake: Arc<Intake>, board: Arc<Board>, done: CancellationToken) {
    let mut received_before = 0;
    while done.run_until_cancelled(time::sleep(interval)).await.is_some() {
        let totals = intake.totals();
        let connections = board.connections();
        let live = connections.iter().filter(|connection| connection.state == Link::Live).count();
        let since = totals.received.saturating_sub(received_before);
        received_before = totals.received;
        info!(
            live,
            connections = connections.len(),
            received = totals.received,
            accepted = totals.accepted,
            buffered = totals.buffered,
            spooled = totals.spooled,
            rejected = totals.rejected.values().sum::<u64>(),
            shed = totals.shed.values().sum::<u64>(),
            "{live} of {} connections live, {since} messages in the last {interval:?}",
            connections.len()
        );
    }
}
