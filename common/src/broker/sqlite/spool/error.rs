//! What can go wrong with a spool file, by what is to be done about it.

use diesel::ConnectionError;

use super::super::trouble::Trouble;
use crate::settings::size;

/// Why a spool file did not do it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpoolError {
    /// It has reached its limit. There is room again when something was removed.
    #[error("the spool {place} is full: `listener.spool_max` is {}", size::format(*.bytes_max))]
    Full {
        /// Which file.
        place: String,
        /// Bytes it may have.
        bytes_max: u64,
    },
    /// The disk is full.
    #[error("there is no room on the disk for the spool {place}")]
    DiskFull {
        /// Which file.
        place: String,
    },
    /// The disk failed: what was written before can be read, nothing must be added.
    #[error("the spool {place} cannot be written: {problem}")]
    Broken {
        /// Which file.
        place: String,
        /// What the system said.
        problem: String,
    },
    /// It is not as it was written, or no spool at all.
    #[error("the spool {place} is damaged: {problem}")]
    Damaged {
        /// Which file.
        place: String,
        /// What is wrong.
        problem: String,
    },
    /// It cannot be used at present; the file itself is not to blame.
    #[error("the spool {place} cannot be used: {problem}")]
    Unusable {
        /// Which file.
        place: String,
        /// Why.
        problem: String,
    },
}

/// SQLite's own words, <https://sqlite.org/rescode.html>: diesel passes on the message and drops the code.
const FULL: &str = "database or disk is full";
const BROKEN: &str = "disk I/O error";
const DAMAGED: [&str; 4] = ["malformed", "file is not a database", "no such table", "no such column"];

impl SpoolError {
    pub(super) fn from_trouble(trouble: Trouble, place: &str) -> Self {
        let place = place.to_owned();
        match trouble {
            Trouble::Database(error) => Self::from_text(error.to_string(), place),
            Trouble::Damaged(problem) => Self::Damaged { place, problem },
            Trouble::Refused(problem) => Self::Unusable { place, problem },
            Trouble::Unfit { problem, fix } => Self::Unusable { place, problem: format!("{problem}; {fix}") },
        }
    }

    pub(super) fn at_opening(error: &ConnectionError, place: &str) -> Self {
        Self::from_text(error.to_string(), place.to_owned())
    }

    fn from_text(problem: String, place: String) -> Self {
        if problem.contains(FULL) {
            Self::DiskFull { place }
        } else if problem.contains(BROKEN) {
            Self::Broken { place, problem }
        } else if DAMAGED.iter().any(|words| problem.contains(words)) {
            Self::Damaged { place, problem }
        } else {
            Self::Unusable { place, problem }
        }
    }
}
