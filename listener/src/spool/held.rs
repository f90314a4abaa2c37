//! A spool file in use, and how far it was handed over.

use common::broker::sqlite::spool::{SpoolContent, SpoolError, SpoolFile};

use super::home::Slot;

/// An open file.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) file: SpoolFile,
    pub(super) condition: Condition,
    /// The last record that was handed over. Kept here, so that a disk that refuses to forget stops nothing.
    pub(super) drained: i64,
    /// Records after that.
    pub(super) records: u64,
    /// Their tasks.
    pub(super) tasks: u64,
    /// Ours as long as this lives.
    _slot: Slot,
}

/// What may be done with a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    /// All.
    Sound,
    /// The disk failed to write: it is read and never written again.
    Broken,
    /// It is not as it was written: what can be read is handed over, then it is set aside.
    Damaged,
}

impl Held {
    pub(super) fn new(file: SpoolFile, slot: Slot, content: SpoolContent) -> Self {
        let SpoolContent { enqueues, tasks, is_whole } = content;
        let condition = if is_whole { Condition::Sound } else { Condition::Damaged };
        Self { file, condition, drained: 0, records: enqueues, tasks, _slot: slot }
    }

    pub(super) fn added(&mut self, tasks: u64) {
        self.records += 1;
        self.tasks += tasks;
    }

    /// Why nothing is put there any more.
    pub(super) fn refusal(&self) -> SpoolError {
        SpoolError::Broken {
            place: self.file.path().display().to_string(),
            problem: "the disk has failed before; a fresh one is begun when this one was handed over".to_owned(),
        }
    }
}
