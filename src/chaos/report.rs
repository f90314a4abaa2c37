//! What the trials came to: a JSON line each, and a table in the end.

use std::collections::BTreeMap;

use common::ledger::Ledger;
use serde::Serialize;

use super::cycle::{bound, millis};
use super::fault::Trial;
use super::world::World;
use crate::amount::{age, count, counted, size};
use crate::columns::{Align, columns};

/// One cycle. A field never changes its meaning.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Line {
    pub(super) seed: u64,
    /// Its row, e.g. `F13`; of two at once `F1+F23`.
    pub(super) fault: String,
    pub(super) about: &'static str,
    /// When the cycle began, since the start of the run.
    pub(super) at_ms: u64,
    /// Tasks accepted in the cycle.
    pub(super) accepted: u64,
    /// Ticks that came to the price table.
    pub(super) stored: u64,
    /// Ticks that came after a newer one.
    pub(super) superseded: u64,
    /// Tasks given up.
    pub(super) dead: u64,
    /// Accepted messages that are nowhere.
    pub(super) lost: u64,
    /// Accepted messages that were looked for, each on its own.
    pub(super) checked: u64,
    /// Tasks handed out once more.
    pub(super) redelivered: u64,
    /// From the fault's end until a fresh tick was stored and everything accepted had ended.
    pub(super) recovery_ms: u64,
    /// What that may take.
    pub(super) bound_ms: u64,
    /// The most memory that any part ever had, bytes.
    pub(super) rss_peak: u64,
    /// What `status` said meanwhile, if it was asked.
    pub(super) status: Option<String>,
    /// How long after the fault began.
    pub(super) status_ms: Option<u64>,
    /// Broken promises, losses aside.
    pub(super) violations: u64,
    /// The first of them in words.
    pub(super) told: Vec<String>,
}

impl Line {
    /// What the ledger says of a cycle; the rest is to be filled in.
    pub(super) fn new(world: &mut World, trial: Trial, at_ms: u64, (before, after): (&Ledger, &Ledger)) -> Self {
        world.parts.note_peaks();
        let gained = |of: fn(&Ledger) -> u64| of(after).saturating_sub(of(before));
        Self {
            seed: world.setup.seed,
            fault: trial.to_string(),
            about: trial.fault.row().about,
            at_ms,
            accepted: gained(|ledger| ledger.accepted),
            stored: gained(|ledger| ledger.stored),
            superseded: gained(|ledger| ledger.superseded),
            dead: gained(|ledger| ledger.dead),
            lost: after.lost(),
            checked: 0,
            redelivered: gained(|ledger| ledger.redelivered),
            recovery_ms: 0,
            bound_ms: millis(bound(trial, world.setup.lease)),
            rss_peak: world.parts.peaks().values().copied().max().unwrap_or(0),
            status: None,
            status_ms: None,
            violations: 0,
            told: Vec::new(),
        }
    }

    /// With broken promises.
    pub(super) fn with(self, told: Vec<String>) -> Self {
        Self { violations: self.violations + told.len() as u64, told, ..self }
    }
}

/// The cycles of one fault, summed up.
#[derive(Debug, Clone, Default)]
struct Sum {
    about: &'static str,
    cycles: u64,
    accepted: u64,
    redelivered: u64,
    dead: u64,
    lost: u64,
    late: u64,
    violations: u64,
    recoveries: Vec<u64>,
    status: Option<String>,
}

/// All cycles of a run.
#[derive(Debug, Default)]
pub(super) struct Summary {
    by_fault: BTreeMap<(String, &'static str), Sum>,
    peaks: BTreeMap<&'static str, u64>,
    /// Bytes per hour by which parts grew in a soak.
    slopes: BTreeMap<&'static str, i64>,
    /// The first broken promises in words, with their cycles.
    told: Vec<String>,
}

/// Broken promises that the summary repeats.
const TOLD_MAX: usize = 20;

impl Summary {
    pub(super) fn add(&mut self, line: &Line) {
        let sum = self.by_fault.entry((line.fault.clone(), line.about)).or_default();
        sum.about = line.about;
        sum.cycles += 1;
        sum.accepted += line.accepted;
        sum.redelivered += line.redelivered;
        sum.dead += line.dead;
        sum.lost += line.lost;
        sum.late += u64::from(line.bound_ms < line.recovery_ms);
        sum.violations += line.violations;
        sum.recoveries.push(line.recovery_ms);
        sum.status = sum.status.take().or_else(|| line.status.clone());
        let room = TOLD_MAX.saturating_sub(self.told.len());
        self.told
            .extend(line.told.iter().take(room).map(|told| format!("{} at {} ms: {told}", line.fault, line.at_ms)));
    }

    pub(super) fn set_peaks(&mut self, peaks: &BTreeMap<&'static str, u64>) {
        self.peaks.clone_from(peaks);
    }

    pub(super) fn set_slopes(&mut self, slopes: BTreeMap<&'static str, i64>) {
        self.slopes = slopes;
    }

    pub(super) fn lost(&self) -> u64 {
        self.by_fault.values().map(|sum| sum.lost).sum()
    }

    pub(super) fn violations(&self) -> u64 {
        self.by_fault.values().map(|sum| sum.violations).sum()
    }

    /// Several lines, the last with its end.
    pub(super) fn text(&self) -> String {
        let head = [
            ("FAULT", Align::Left),
            ("", Align::Left),
            ("CYCLES", Align::Right),
            ("ACCEPTED", Align::Right),
            ("AGAIN", Align::Right),
            ("DEAD", Align::Right),
            ("LOST", Align::Right),
            ("BROKEN", Align::Right),
            ("P50", Align::Right),
            ("P99", Align::Right),
            ("MAX", Align::Right),
            ("LATE", Align::Right),
        ];
        let rows: Vec<Vec<String>> = self.by_fault.iter().map(|((name, _), sum)| sum.row(name)).collect();
        let shown =
            |((name, _), sum): (&(String, _), &Sum)| Some(format!("{name} in status: {}\n", sum.status.as_ref()?));
        let statuses = self.by_fault.iter().filter_map(shown);
        let told = self.told.iter().map(|told| format!("! {told}\n"));
        let slopes = self.slopes.iter();
        let slopes = slopes.map(|(part, slope)| format!("memory of the {part}: {} KiB per hour\n", slope / 1_024));
        let memory: Vec<String> = self.peaks.iter().map(|(part, peak)| format!("{part} {}", size(*peak))).collect();
        let cycles = self.by_fault.values().map(|sum| sum.cycles).sum();
        let last = format!(
            "{}, {} lost, {} broken; most memory: {}\n",
            counted(cycles, "cycle"),
            count(self.lost()),
            counted(self.violations(), "promise"),
            memory.join(", ")
        );
        [columns(&head, &rows)].into_iter().chain(statuses).chain(told).chain(slopes).chain([last]).collect()
    }
}

impl Sum {
    fn row(&self, name: &str) -> Vec<String> {
        let mut sorted = self.recoveries.clone();
        sorted.sort_unstable();
        let time = |percent: usize| {
            let at = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
            age(std::time::Duration::from_millis(sorted.get(at).copied().unwrap_or(0)))
        };
        let numbers = [self.cycles, self.accepted, self.redelivered, self.dead, self.lost, self.violations];
        let numbers = numbers.map(count);
        let times = [time(50), time(99), time(100), count(self.late)];
        [name.to_owned(), self.about.to_owned()].into_iter().chain(numbers).chain(times).collect()
    }
}
