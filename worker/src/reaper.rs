//! Every worker returns the expired leases of all: recovery needs no leader.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::clock;
use common::queue::QueueName;
use common::shutdown::Shutdown;
use tracing::warn;

use crate::trouble::Trouble;

/// Between two sweeps: with the lease time, the bound on recovery after a crash.
const EVERY: Duration = Duration::from_secs(1);

/// Sweeps until the worker is asked to stop.
pub(crate) async fn run(broker: Arc<dyn Broker>, queues: Vec<QueueName>, trouble: Arc<Trouble>, shutdown: Shutdown) {
    while shutdown.run_until(tokio::time::sleep(EVERY)).await.is_some() {
        for queue in &queues {
            match broker.reap(queue).await {
                Ok(reaped) => {
                    trouble.answered(clock::monotonic());
                    if 0 < reaped.returned + reaped.bisected + reaped.convicted {
                        let (returned, bisected, convicted) = (reaped.returned, reaped.bisected, reaped.convicted);
                        warn!(queue = %queue, returned, bisected, convicted, "took back batches of workers that fell silent");
                    }
                }
                Err(error) => trouble.failed(&error, clock::monotonic()),
            }
        }
    }
}
