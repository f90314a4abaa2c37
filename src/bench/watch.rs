//! Waits for something to come true, and notices when it never will.

use std::time::{Duration, Instant};

use common::clock;
use common::ledger::Ledger;

use super::member::Member;
use super::plan::Plan;
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// Between two looks: a measured time is exact to this.
const LOOK: Duration = Duration::from_millis(10);

/// Between two looks at our processes while nothing else is asked.
const GLANCE: Duration = Duration::from_millis(100);

/// Without any progress for so long, a measurement is given up.
const STALLED: Duration = Duration::from_mins(1);

/// How long workers may take to start.
const START_PATIENCE: Duration = Duration::from_mins(1);

/// Notices when the ledger stands still.
#[derive(Debug)]
struct Progress {
    mark: u64,
    moved_at: Instant,
}

impl Progress {
    /// Whether the last movement is not too long ago.
    fn goes_on(&mut self, ledger: &Ledger, now: Instant) -> bool {
        let mark = ledger.received + ledger.accepted + ledger.accounted() + ledger.settled;
        if mark != self.mark {
            *self = Self { mark, moved_at: now };
        }
        now.saturating_duration_since(self.moved_at) < STALLED
    }
}

/// The ledger once it is as wanted; `None` after Ctrl-C. `what` completes the sentence "waiting until".
pub(crate) async fn until(
    plan: &Plan,
    members: &mut [Member],
    what: &str,
    mut wanted: impl FnMut(&Ledger) -> bool,
) -> Result<Option<Ledger>, Failure> {
    let mut progress = Progress { mark: 0, moved_at: clock::monotonic() };
    while !plan.shutdown.has_begun() {
        members.iter_mut().try_for_each(Member::check)?;
        let ledger = plan.broker.census(&plan.queue).await?.ledger;
        if wanted(&ledger) {
            return Ok(Some(ledger));
        }
        if !progress.goes_on(&ledger, clock::monotonic()) {
            return Err(too_long(what, STALLED));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(None)
}

/// Lets time pass without asking the broker anything, for as long as `goes_on` says so; `false` after Ctrl-C.
pub(crate) async fn pass(
    plan: &Plan,
    members: &mut [Member],
    time: Duration,
    goes_on: impl Fn() -> bool,
) -> Result<bool, Failure> {
    let end = clock::monotonic() + time;
    while !plan.shutdown.has_begun() && goes_on() {
        members.iter_mut().try_for_each(Member::check)?;
        let left = end.saturating_duration_since(clock::monotonic());
        if left.is_zero() {
            break;
        }
        tokio::time::sleep(left.min(GLANCE)).await;
    }
    Ok(!plan.shutdown.has_begun())
}

/// Waits until all workers have announced themselves; `false` after Ctrl-C.
pub(crate) async fn present(plan: &Plan, members: &mut [Member]) -> Result<bool, Failure> {
    let began = clock::monotonic();
    while !plan.shutdown.has_begun() {
        members.iter_mut().try_for_each(Member::check)?;
        let there: Vec<u32> = plan.broker.presences().await?.iter().map(|presence| presence.pid).collect();
        if members.iter().filter_map(Member::pid).all(|pid| there.contains(&pid)) {
            return Ok(true);
        }
        if START_PATIENCE <= began.elapsed() {
            return Err(too_long("all processes are ready", START_PATIENCE));
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(false)
}

fn too_long(what: &str, patience: Duration) -> Failure {
    let title = format!("gave up waiting until {what}");
    let why = format!("nothing has moved for {} s", patience.as_secs());
    Failure::new(Diagnostic::new(Code::Timeout, title).why(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ledger_that_moves_may_take_any_time_and_one_that_stands_still_may_not() {
        let start = clock::monotonic();
        let mut progress = Progress { mark: 0, moved_at: start };
        let ledger = |settled| Ledger { accepted: 1_000, settled, waiting: 1_000 - settled, ..Ledger::default() };
        for step in 1..10_u32 {
            assert!(progress.goes_on(&ledger(u64::from(step)), start + step * (STALLED / 2)));
        }
        let last = start + 9 * (STALLED / 2);
        assert!(progress.goes_on(&ledger(9), last + STALLED / 2));
        assert!(!progress.goes_on(&ledger(9), last + STALLED));
    }
}
