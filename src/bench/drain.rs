//! Queue to rows: how fast workers empty a full queue.

use common::clock;

use super::member::{Member, stop_all};
use super::plan::Plan;
use super::run::{Machine, Run, gained, together};
use super::{prefill, watch};
use crate::failure::Failure;

/// One run with so many workers; `None` after Ctrl-C.
///
/// The queue is paused until every worker is ready, so the time is from opening it to its last task's end: starting
/// processes is not measured, meeting every symbol for the first time is.
pub(crate) async fn measure(plan: &Plan, workers: u32) -> Result<Option<Run>, Failure> {
    let before = plan.broker.census(&plan.queue).await?.ledger;
    plan.broker.set_paused(&plan.queue, true).await?;
    if !prefill::fill(plan).await? {
        return Ok(None);
    }
    let mut members = plan.workers(workers)?;
    let run = timed(plan, &mut members).await;
    stop_all(members).await?;
    let Some(mut run) = run? else { return Ok(None) };
    // After the workers have left: now nothing can change any more.
    run.after = plan.broker.census(&plan.queue).await?.ledger;
    run.gained = gained(&before, &run.after);
    Ok(Some(run))
}

async fn timed(plan: &Plan, members: &mut [Member]) -> Result<Option<Run>, Failure> {
    if !watch::present(plan, members).await? {
        return Ok(None);
    }
    members.iter_mut().for_each(Member::begin);
    let (machine, began) = (Machine::now(), clock::monotonic());
    plan.broker.set_paused(&plan.queue, false).await?;
    let drained = watch::until(plan, members, "the queue is empty", |ledger| ledger.open() == 0).await?;
    let (elapsed, busy_us) = (began.elapsed(), machine.busy_us());
    Ok(drained.map(|_| Run { elapsed, busy_us, workers: together(members), ..Run::default() }))
}
