//! One trial from a healthy system through a fault to a healthy system, and the verdict.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use common::clock::{self, UnixMicros};
use common::ledger::Ledger;
use common::market::OrderKey;
use common::queue::{DeadFilter, Task};
use fastrand::Rng;

use super::fault::{Fault, Lasts, LineFault, Trial, Within};
use super::inject::Wound;
use super::oracle::{Findings, Oracle};
use super::parts::Part;
use super::report::Line;
use super::sight::{Sight, Sighting};
use super::witness::Witness;
use super::world::World;
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// Between two looks.
const LOOK: Duration = Duration::from_millis(10);

/// A healthy system stores a tick long before.
const PATIENCE: Duration = Duration::from_mins(1);

/// A queue that has stood still and empty for so long is quiet.
const QUIET: Duration = Duration::from_millis(150);

/// Load before a fault: at least, and at most.
const LOAD_MS: std::ops::Range<u64> = 30..400;

/// Between two strokes of a fault that strikes again and again.
const STROKE: Duration = Duration::from_millis(100);

/// Beyond the moment of healing, what each fault may take until everything is as before.
const SOON: Duration = Duration::from_secs(2);

/// To connect and to subscribe again.
const RECONNECT: Duration = Duration::from_secs(3);

/// The newest gaps: more than any cycle leaves, and not all of a long run again and again.
const GAPS: u32 = 10_000;

/// Dead letters that are read at once.
const LETTERS: u32 = 1_000;

/// What lasts from cycle to cycle.
#[derive(Debug)]
pub(super) struct Court {
    pub(super) oracle: Oracle,
    pub(super) witness: Witness,
    pub(super) sight: Option<Sight>,
    pub(super) began: Instant,
    /// Messages accepted before the system was last found whole cannot be asked for again.
    pub(super) since: UnixMicros,
}

impl Court {
    /// Runs a trial to its verdict.
    pub(super) async fn cycle(&mut self, world: &mut World, trial: Trial, dice: &mut Rng) -> Result<Line, Failure> {
        let at_ms = millis(self.began.elapsed());
        let before = ledger(world).await?;
        open_market(world, true).await;
        fresh(world, clock::now(), "a tick is stored before the fault").await?;
        if let Some(sight) = &self.sight {
            sight.healthy(world, PATIENCE).await?;
        }
        tokio::time::sleep(Duration::from_millis(dice.u64(LOAD_MS))).await;

        let (sighting, mut told) = self.undergo(world, trial, dice).await?;
        let (healed, healed_at) = (clock::monotonic(), clock::now());
        let fresh = fresh(world, healed_at, "a fresh tick is stored after the fault").await;
        open_market(world, false).await;
        let quiet = quiet(world).await;
        let recovery = quiet.as_ref().map_or(healed.elapsed(), |quiet| quiet.saturating_duration_since(healed));
        // What has not ended is judged with the next cycle.
        let is_quiet = quiet.is_ok();
        told.extend(fresh.err().into_iter().chain(quiet.err()).map(words));
        world.start_all()?;

        let findings = if is_quiet { self.judge(world).await? } else { Findings::default() };
        let after = ledger(world).await?;
        if is_quiet {
            told.extend(broken_promises(&before, &after, trial));
        }
        let line = Line::new(world, trial, at_ms, (&before, &after));
        let line = Line {
            lost: findings.missing + after.lost(),
            checked: findings.accepted,
            recovery_ms: millis(recovery),
            status: sighting.text,
            status_ms: sighting.after.map(millis),
            ..line
        };
        let line = line.with(told);
        let violations = line.violations + findings.violations;
        Ok(Line { violations, told: line.told.into_iter().chain(findings.told).collect(), ..line })
    }

    /// A trial's faults from beginning to end: what `status` said meanwhile, and what was seen to be wrong.
    pub(super) async fn undergo(
        &mut self,
        world: &mut World,
        trial: Trial,
        dice: &mut Rng,
    ) -> Result<(Sighting, Vec<String>), Failure> {
        let mut wounds = vec![world.hurt(trial.fault, dice).await?];
        if let Some(beside) = trial.beside {
            wounds.push(world.hurt(beside, dice).await?);
        }
        let sighting = self.hold(world, &wounds, dice).await?;
        let mut told = Vec::new();
        for wound in wounds {
            told.extend(world.heal(wound).await?);
        }
        Ok((sighting, told))
    }

    /// Lets a fault last, and looks whether `status` shows it.
    async fn hold(&mut self, world: &mut World, wounds: &[Wound], dice: &mut Rng) -> Result<Sighting, Failure> {
        let (began, mut sighting) = (clock::monotonic(), Sighting::default());
        let hold = wounds.iter().map(|wound| hold(wound.fault, world, dice)).max().unwrap_or_default();
        while began.elapsed() < hold {
            for wound in wounds {
                world.again(wound).await?;
            }
            if let Some(sight) = self.sight.as_ref().filter(|_| sighting.text.is_none()) {
                sighting = sight.look(world, began).await;
            }
            tokio::time::sleep(STROKE.min(hold.saturating_sub(began.elapsed()))).await;
        }
        Ok(sighting)
    }

    async fn judge(&mut self, world: &World) -> Result<Findings, Failure> {
        if !world.setup.history {
            return Ok(Findings::default());
        }
        let runs = self.witness.read().map_err(|error| Failure::output(&error))?;
        let elsewhere = elsewhere(world).await?;
        Ok(self.oracle.look(&*world.store, &runs, self.since, &elsewhere).await?)
    }
}

/// Completes when something is stored that was received after `moment`.
pub(super) async fn fresh(world: &mut World, moment: UnixMicros, what: &'static str) -> Result<(), Failure> {
    let asked = clock::monotonic();
    loop {
        if let Some((part, how)) = world.parts.fallen()?.pop() {
            return Err(ended(part, &how, world));
        }
        let prices = world.store.prices().await;
        let newest = prices.iter().flatten().map(|price| price.row.received_at).max();
        if newest.is_some_and(|newest| moment < newest) {
            return Ok(());
        }
        if PATIENCE < asked.elapsed() {
            return Err(late(what));
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Messages that are no ticks or were given up.
async fn elsewhere(world: &World) -> Result<HashSet<OrderKey>, Failure> {
    let gaps = world.store.gaps(GAPS).await?;
    let mut elsewhere: HashSet<OrderKey> = gaps.into_iter().map(|gap| gap.row.order).collect();
    let mut from = None;
    loop {
        let page = world.broker.dead_page(&world.queue, &DeadFilter::default(), from, LETTERS).await?;
        let orders = page.letters.iter().filter_map(|letter| Task::decode(&letter.task).ok()?.order());
        elsewhere.extend(orders);
        from = page.next;
        if from.is_none() {
            return Ok(elsewhere);
        }
    }
}

/// What the ledger must say when everything has ended.
fn broken_promises(before: &Ledger, after: &Ledger, trial: Trial) -> Vec<String> {
    let mut told = Vec::new();
    if !after.is_balanced() {
        told.push(format!("the ledger does not balance: {after:?}"));
    }
    let may_spoil = [Some(trial.fault), trial.beside].contains(&Some(Fault::Line(LineFault::FeedGarbled)));
    if before.dead < after.dead && !may_spoil {
        told.push(format!("{} tasks were given up", after.dead - before.dead));
    }
    told
}

/// Completes when the queue is empty and stays so; returns the moment it became so.
pub(super) async fn quiet(world: &mut World) -> Result<Instant, Failure> {
    let asked = clock::monotonic();
    let (mut mark, mut since) = (None, asked);
    loop {
        if let Some((part, how)) = world.parts.fallen()?.pop() {
            return Err(ended(part, &how, world));
        }
        let ledger = ledger(world).await?;
        let now = clock::monotonic();
        let seen = (ledger.open() == 0).then_some((ledger.accepted, ledger.settled));
        if seen.is_none() || seen != mark {
            (mark, since) = (seen, now);
        }
        if seen.is_some() && QUIET <= now.saturating_duration_since(since) {
            return Ok(since);
        }
        if PATIENCE < asked.elapsed() {
            return Err(late("everything accepted has ended"));
        }
        tokio::time::sleep(LOOK).await;
    }
}

pub(super) async fn ledger(world: &World) -> Result<Ledger, Failure> {
    let asked = clock::monotonic();
    loop {
        match world.broker.census(&world.queue).await {
            Ok(census) => return Ok(census.ledger),
            Err(error) if PATIENCE < asked.elapsed() => return Err(error.into()),
            Err(_) => tokio::time::sleep(LOOK).await,
        }
    }
}

/// How long a fault lasts.
fn hold(fault: Fault, world: &World, dice: &mut Rng) -> Duration {
    match fault.row().lasts {
        Lasts::Passes => Duration::ZERO,
        Lasts::Holds => world.setup.hold / 2 + world.setup.hold * dice.u32(..500) / 1_000,
        Lasts::HoldsWhole => world.setup.hold,
        Lasts::ThreeLeases => 3 * world.setup.lease,
    }
}

/// When everything must have ended again.
pub(super) fn bound(trial: Trial, lease: Duration) -> Duration {
    let of = |fault: Fault| match fault.row().within {
        Within::LeaseAndSoon => lease + SOON,
        Within::Reconnect => RECONNECT,
        Within::Soon => SOON,
    };
    of(trial.fault).max(trial.beside.map_or(Duration::ZERO, of))
}

/// An exchange that has ended has no market.
pub(super) async fn open_market(world: &World, is_open: bool) {
    _ = world.exchange.set_market_open(is_open).await;
}

pub(super) fn late(what: &str) -> Failure {
    let title = format!("gave up waiting until {what}");
    Failure::new(Diagnostic::new(Code::Timeout, title).why(format!("it took more than {} s", PATIENCE.as_secs())))
}

fn ended(part: Part, how: &str, world: &World) -> Failure {
    let log = world.folder.join(format!("{part}.log"));
    let said = std::fs::read_to_string(log).unwrap_or_default();
    let last = said.lines().last().unwrap_or_default().to_owned();
    Failure::new(Diagnostic::new(Code::PartEnded, format!("the {part} ended by itself: {how}")).why(last))
}

pub(super) fn words(failure: Failure) -> String {
    match failure {
        Failure::Told { diagnostics, .. } => diagnostics.first().map(|one| one.title.clone()).unwrap_or_default(),
        Failure::ReaderGone => String::new(),
    }
}

pub(super) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
