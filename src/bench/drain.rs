//! Queue to rows: how fast workers empty a full queue.

use super::member::{Member, stop_all};
use super::meter::Meter;
use super::plan::{Load, Plan};
use super::run::{Run, gained, together};
use super::{prefill, watch};
use crate::failure::Failure;

/// One run over so many ticks; `None` after Ctrl-C.
///
/// The workers are up and have met every symbol once before the queue is filled, and it is paused until it is full: the
/// time is from opening it to its last task's end.
pub(crate) async fn measure(plan: &Plan, load: Load, ticks: u64) -> Result<Option<Run>, Failure> {
    let mut members = plan.workers(load.workers, &[])?;
    let run = filled(plan, load, ticks, &mut members).await;
    stop_all(members).await?;
    let Some((before, mut run)) = run? else { return Ok(None) };
    // After the workers have left: now nothing can change any more.
    run.after = plan.broker.census(&plan.queue).await?.ledger;
    run.gained = gained(&before, &run.after);
    run.ticks = run.gained.ticks;
    Ok(Some(run))
}

async fn filled(
    plan: &Plan,
    load: Load,
    ticks: u64,
    members: &mut [Member],
) -> Result<Option<(common::ledger::Ledger, Run)>, Failure> {
    if !acquaint(plan, load.symbols, members).await? {
        return Ok(None);
    }
    plan.broker.set_paused(&plan.queue, true).await?;
    let before = plan.broker.census(&plan.queue).await?.ledger;
    if !prefill::fill(plan, load.symbols, ticks).await? {
        return Ok(None);
    }
    members.iter_mut().for_each(Member::begin);
    let meter = Meter::begin(plan);
    plan.broker.set_paused(&plan.queue, false).await?;
    let drained = watch::until(plan, members, "the queue is empty", |ledger| ledger.open() == 0).await?;
    let metered = meter.read(plan);
    let run = Run { offered: ticks, metered, workers: together(members), ..Run::default() };
    Ok(drained.map(|_| (before, run)))
}

/// Ticks that it takes to be [acquainted](acquaint).
pub(crate) fn acquainting(symbols: usize) -> u64 {
    2 * symbols as u64
}

/// Waits for the workers, if there are any, and lets them store a trade and a quote of every symbol; `false` after Ctrl-C.
pub(crate) async fn acquaint(plan: &Plan, symbols: usize, members: &mut [Member]) -> Result<bool, Failure> {
    if members.is_empty() {
        return Ok(true);
    }
    if !watch::present(plan, members).await? {
        return Ok(false);
    }
    plan.broker.set_paused(&plan.queue, false).await?;
    if !prefill::fill(plan, symbols, acquainting(symbols)).await? {
        return Ok(false);
    }
    let met = watch::until(plan, members, "every symbol is known", |ledger| ledger.open() == 0).await?;
    Ok(met.is_some())
}
