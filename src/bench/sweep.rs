//! Leaves the queue empty, whatever happened.

use std::time::Duration;

use common::queue::{LeaseId, Settlement, Take, Taken, TickCounts};

use super::plan::Plan;
use crate::failure::Failure;

/// Long enough to settle what was just taken.
const LEASE: Duration = Duration::from_secs(30);

/// Ends what still waits, counted as skipped with this reason, so that the ledger balances.
const REASON: &str = "benchmark";

/// About so many bytes at once.
const BYTES_MAX: u32 = 4 << 20;

/// Ends every task that waits. Returns what is left: leased or delayed tasks, and dead letters.
pub(crate) async fn empty(plan: &Plan) -> Result<u64, Failure> {
    plan.broker.set_paused(&plan.queue, false).await?;
    loop {
        let take = Take {
            queue: plan.queue.clone(),
            lease: LeaseId::fresh(),
            tasks_max: Take::TASKS_LIMIT,
            bytes_max: BYTES_MAX,
            ttl: LEASE,
            worker: "benchmark".into(),
        };
        let Taken::Batch(batch) = plan.broker.take(&take).await? else { break };
        let tasks = u32::try_from(batch.tasks.len()).expect("a take asks for less than `u32::MAX` tasks");
        let ticks = u64::from(tasks);
        let counts = TickCounts { ticks, skipped: [(REASON.into(), ticks)].into(), ..TickCounts::default() };
        let settlement = Settlement {
            queue: plan.queue.clone(),
            lease: batch.lease,
            settled: tasks,
            counts,
            retry: Vec::new(),
            dead: Vec::new(),
        };
        plan.broker.settle(&settlement, None).await?;
    }
    let ledger = plan.broker.census(&plan.queue).await?.ledger;
    Ok(ledger.open() + ledger.dead)
}
