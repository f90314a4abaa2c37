//! What a check of a queue's structure found.

use serde::{Deserialize, Serialize};

use crate::ledger::Ledger;

/// Whether a check also repairs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Check {
    /// Look only.
    Look,
    /// Put right what can be put right without guessing.
    Fix,
}

/// One kind of thing that must not be. The order is that of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Flaw {
    /// The database file does not pass its own integrity check.
    Damaged,
    /// A row points to a row that is not there.
    DanglingRow,
    /// A batch of tasks that is neither leased nor delayed: nobody would ever take it.
    StrayBatch,
    /// Tasks that belong to no batch and are not waiting.
    StrayTasks,
    /// A range of tasks that lies beside its body: its tasks cannot be read.
    BrokenTasks,
    /// A lease or a delay without tasks.
    EmptyBatch,
    /// A batch that is leased and delayed at once.
    TwoPlaces,
    /// What is remembered of a batch that is gone.
    StrayMeta,
    /// A body with several ranges that says it has one: ending the first would take the others' tasks away.
    UnsharedTasks,
    /// A count of places that differs from what is in them.
    Miscounted,
    /// A dead letter that no list shows.
    LetterWithoutEntry,
    /// An entry in the list of dead letters whose letter is gone, and the task with it.
    EntryWithoutLetter,
    /// A dead letter that cannot be read.
    UnreadableLetter,
    /// A key, or an entry, under our prefix that is none of ours.
    Foreign,
    /// Accepted tasks that are nowhere.
    LostTasks,
    /// Tasks that ended and nobody has counted as accepted.
    UncountedTasks,
    /// Ticks of settled tasks that ended no way.
    MissingTicks,
    /// Ticks that ended and belong to no settled task.
    SurplusTicks,
}

impl Flaw {
    /// The name in reports; never changes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Damaged => "damaged",
            Self::DanglingRow => "dangling_row",
            Self::StrayBatch => "stray_batch",
            Self::StrayTasks => "stray_tasks",
            Self::BrokenTasks => "broken_tasks",
            Self::EmptyBatch => "empty_batch",
            Self::TwoPlaces => "two_places",
            Self::StrayMeta => "stray_meta",
            Self::UnsharedTasks => "unshared_tasks",
            Self::Miscounted => "miscounted",
            Self::LetterWithoutEntry => "letter_without_entry",
            Self::EntryWithoutLetter => "entry_without_letter",
            Self::UnreadableLetter => "unreadable_letter",
            Self::Foreign => "foreign",
            Self::LostTasks => Ledger::LOST_TASKS,
            Self::UncountedTasks => Ledger::UNCOUNTED_TASKS,
            Self::MissingTicks => Ledger::MISSING_TICKS,
            Self::SurplusTicks => Ledger::SURPLUS_TICKS,
        }
    }
}

/// All flaws of one kind in a queue.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What.
    pub flaw: Flaw,
    /// How many.
    pub found: u64,
    /// Tasks in them, where they hold tasks.
    pub tasks: u64,
    /// How many were put right.
    pub fixed: u64,
    /// One of them, for a person to look at.
    pub example: String,
}

/// The findings of one check, by kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings(Vec<Finding>);

impl Findings {
    /// Adds what was found.
    pub fn add(&mut self, finding: Finding) {
        if finding.found == 0 {
            return;
        }
        match self.0.iter_mut().find(|known| known.flaw == finding.flaw) {
            None => self.0.push(finding),
            Some(known) => {
                known.found += finding.found;
                known.tasks += finding.tasks;
                known.fixed += finding.fixed;
            }
        }
    }

    /// In the order of the report.
    pub fn sorted(mut self) -> Vec<Finding> {
        self.0.sort_unstable_by_key(|finding| finding.flaw);
        self.0
    }
}

/// By how much a ledger is out of balance, and in which way: each is recorded under its own name, and no counter is
/// bent until the sums agree.
pub fn imbalances(ledger: &Ledger) -> Vec<(Flaw, u64)> {
    let (settled, ended) = ledger.ticks_sides();
    // While tasks are open, some may be a foreign producer's: they are counted when they are settled.
    let uncounted = if ledger.open() == 0 { ledger.uncounted() } else { 0 };
    let all = [
        (Flaw::LostTasks, ledger.lost()),
        (Flaw::UncountedTasks, uncounted),
        (Flaw::MissingTicks, settled.saturating_sub(ended)),
        (Flaw::SurplusTicks, ended.saturating_sub(settled)),
    ];
    all.into_iter().filter(|(_, difference)| 0 < *difference).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_off_is_balanced_again_and_still_shown() {
        for (ledger, flaw) in [
            (Ledger { accepted: 5, settled: 3, ..Ledger::default() }, Flaw::LostTasks),
            (Ledger { settled: 2, ..Ledger::default() }, Flaw::UncountedTasks),
            (Ledger { ticks: 2, ..Ledger::default() }, Flaw::MissingTicks),
            (Ledger { stored: 2, ..Ledger::default() }, Flaw::SurplusTicks),
        ] {
            assert_eq!(imbalances(&ledger), [(flaw, 2)]);
            let mut written = ledger.clone();
            written.written_off.insert(flaw.name().into(), 2);
            assert!(written.is_balanced() && imbalances(&written).is_empty(), "{written:?}");
        }
    }

    #[test]
    fn tasks_of_foreign_producers_are_no_flaw_while_they_wait() {
        assert!(imbalances(&Ledger { waiting: 3, ..Ledger::default() }).is_empty());
    }

    #[test]
    fn names_are_those_of_the_json_form() {
        for flaw in [Flaw::StrayBatch, Flaw::LostTasks, Flaw::SurplusTicks, Flaw::EntryWithoutLetter] {
            assert_eq!(serde_json::to_string(&flaw).unwrap(), format!("\"{}\"", flaw.name()));
        }
    }
}
