//! Hours of load with a fault every so often, then quiet: does the balance hold, and does memory stay level.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use common::clock;
use common::ledger::Ledger;
use common::shutdown::Shutdown;
use fastrand::Rng;

use super::cycle::{Court, fresh, ledger, millis, open_market, quiet};
use super::fault::Trial;
use super::report::{Line, Summary};
use super::tell;
use super::witness::distinct;
use super::world::World;
use crate::bench::resident;
use crate::failure::Failure;

/// Between two looks at the memory of the parts.
const SAMPLE: Duration = Duration::from_secs(2);

/// Without load after the last fault.
const REST: Duration = Duration::from_secs(5);

/// How long, and how often something goes wrong.
#[derive(Debug, Clone, Copy)]
pub(super) struct Soak {
    pub(super) lasts: Duration,
    pub(super) every: Duration,
}

/// Memory over time, by kind of part: seconds and bytes of its largest process.
#[derive(Debug, Default)]
pub(super) struct Memory(BTreeMap<&'static str, Vec<(u64, u64)>>);

impl Memory {
    fn sample(&mut self, world: &World, began: Instant) {
        for (kind, bytes) in world.parts.resident() {
            self.0.entry(kind).or_default().push((began.elapsed().as_secs(), bytes));
        }
    }

    /// Bytes per hour by which each kind grows, after a tenth of the time: the straight line that fits best.
    pub(super) fn slopes(&self) -> BTreeMap<&'static str, i64> {
        self.0.iter().map(|(kind, samples)| (*kind, slope(&samples[samples.len() / 10..]))).collect()
    }
}

/// Least squares in whole numbers.
fn slope(samples: &[(u64, u64)]) -> i64 {
    let n = samples.len() as i128;
    let sum = |of: fn(&(u64, u64)) -> i128| samples.iter().map(of).sum::<i128>();
    let (x, y) = (sum(|sample| sample.0.into()), sum(|sample| sample.1.into()));
    let xy = sum(|sample| i128::from(sample.0) * i128::from(sample.1));
    let xx = sum(|sample| i128::from(sample.0) * i128::from(sample.0));
    let per_hour = (n * xy - x * y).saturating_mul(3_600).checked_div(n * xx - x * x);
    i64::try_from(per_hour.unwrap_or(0)).unwrap_or(i64::MAX)
}

/// Runs the whole soak into `summary`; returns the memory of the parts over time.
pub(super) async fn run(
    world: &mut World,
    court: &mut Court,
    (soak, plan, dice): (Soak, &[Trial], &mut Rng),
    (summary, json): (&mut Summary, bool),
    shutdown: &Shutdown,
) -> Result<Memory, Failure> {
    let (began, mut memory) = (clock::monotonic(), Memory::default());
    open_market(world, true).await;
    fresh(world, clock::now(), "a tick is stored").await?;
    while began.elapsed() < soak.lasts && !shutdown.has_begun() {
        let next = clock::monotonic() + soak.every;
        let Some(&trial) = plan.get(dice.usize(..plan.len().max(1))) else { break };
        let line = strike(world, court, trial, dice).await?;
        tell(&line, json)?;
        summary.add(&line);
        while clock::monotonic() < next && !shutdown.has_begun() {
            memory.sample(world, began);
            world.parts.note_peaks();
            tokio::time::sleep(SAMPLE.min(next.saturating_duration_since(clock::monotonic()))).await;
        }
    }
    open_market(world, false).await;
    quiet(world).await?;
    tokio::time::sleep(REST).await;
    let line = last(world, court).await?;
    tell(&line, json)?;
    summary.add(&line);
    Ok(memory)
}

/// One fault under load that goes on.
async fn strike(world: &mut World, court: &mut Court, trial: Trial, dice: &mut Rng) -> Result<Line, Failure> {
    let (before, at_ms) = (ledger(world).await?, millis(court.began.elapsed()));
    let (sighting, mut told) = court.undergo(world, trial, dice).await?;
    let healed = clock::monotonic();
    if let Err(failure) = fresh(world, clock::now(), "a fresh tick is stored after the fault").await {
        told.push(super::cycle::words(failure));
    }
    let recovery_ms = millis(healed.elapsed());
    world.start_all()?;
    let line = Line::new(world, trial, at_ms, (&before, &ledger(world).await?));
    Ok(Line { recovery_ms, status: sighting.text, status_ms: sighting.after.map(millis), ..line }.with(told))
}

/// The balance of everything. What listeners say was accepted must be what the queue counted, and all of it has ended.
async fn last(world: &mut World, court: &mut Court) -> Result<Line, Failure> {
    let after = ledger(world).await?;
    let runs = court.witness.read().map_err(|error| Failure::output(&error))?;
    let logged: u64 = runs.values().map(|runs| distinct(runs)).sum();
    let mut told = Vec::new();
    if !after.is_balanced() || 0 < after.open() {
        told.push(format!("the ledger does not balance: {after:?}"));
    }
    if after.accepted < logged {
        told.push(format!("{logged} messages were accepted, and the queue counted {}", after.accepted));
    }
    let quiet = Trial { fault: super::fault::Fault::Quiet, beside: None };
    let line = Line::new(world, quiet, millis(court.began.elapsed()), (&Ledger::default(), &after));
    let lost = after.lost() + logged.saturating_sub(after.accepted);
    Ok(Line { lost, checked: logged, ..line }.with(told))
}

impl super::parts::Parts {
    /// The memory of each kind's largest process now, in bytes.
    fn resident(&self) -> BTreeMap<&'static str, u64> {
        let mut largest = BTreeMap::new();
        for (part, pid) in self.pids() {
            let now = resident(pid);
            let entry = largest.entry(part.kind()).or_insert(0);
            *entry = now.max(*entry);
        }
        largest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_what_the_best_line_gains_in_an_hour() {
        let samples: Vec<(u64, u64)> = (0..600).map(|second| (second, 50_000_000 + 100 * second)).collect();
        assert_eq!(slope(&samples), 360_000);
        assert_eq!((slope(&samples[..1]), slope(&[])), (0, 0));
    }
}
