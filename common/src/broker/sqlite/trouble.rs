//! What can go wrong in the file, and what it means to the caller.

use diesel::result::Error as DieselError;
use diesel::{ConnectionError, result::DatabaseErrorKind};

use crate::broker::BrokerError;

/// Why a transaction did not happen. Whatever it is, nothing was changed.
#[derive(Debug)]
pub(super) enum Trouble {
    /// SQLite says so.
    Database(DieselError),
    /// The caller asked for something that makes no sense.
    Refused(String),
    /// Rows that this program would never write.
    Damaged(String),
    /// The file is not for us.
    Unfit { problem: String, fix: String },
}

impl From<DieselError> for Trouble {
    fn from(error: DieselError) -> Self {
        Self::Database(error)
    }
}

impl From<super::body::BadBody> for Trouble {
    fn from(_: super::body::BadBody) -> Self {
        Self::Damaged("a body's lengths do not add up".to_owned())
    }
}

impl Trouble {
    /// As the seam's error.
    pub(super) fn at(self, place: &str) -> BrokerError {
        let place = place.to_owned();
        match self {
            Self::Database(error) => from_database(error, place),
            Self::Refused(answer) => BrokerError::Unexpected { place, answer },
            Self::Damaged(problem) => BrokerError::Unfit { place, problem, fix: RECOVER.to_owned() },
            Self::Unfit { problem, fix } => BrokerError::Unfit { place, problem, fix },
        }
    }
}

const RECOVER: &str = "stop every process, keep a copy of the file, and rescue what can be read with \
                       `sqlite3 FILE .recover | sqlite3 NEW_FILE`";
const RIGHTS: &str = "give this user the right to read and write the file and its folder, or name another path";

/// SQLite's own words, <https://sqlite.org/rescode.html>: diesel passes on the message and drops the code.
fn from_database(error: DieselError, place: String) -> BrokerError {
    let text = error.to_string();
    let says = |words: &[&str]| words.iter().any(|words| text.contains(words));
    if says(&["database or disk is full"]) {
        BrokerError::OutOfRoom { place, source: error.into() }
    } else if says(&["malformed", "file is not a database"]) {
        BrokerError::Unfit { place, problem: text, fix: RECOVER.to_owned() }
    } else if says(&["no such table", "no such column"]) {
        let fix = "another program changed the file's tables: name another path, or restore the file".to_owned();
        BrokerError::Unfit { place, problem: text, fix }
    } else if !is_of_the_moment(&error) || says(&["too big"]) {
        BrokerError::Unexpected { place, answer: text }
    } else {
        // Locked by another process for too long, an I/O error, read-only for now, out of memory: all may pass.
        BrokerError::Unavailable { place, source: error.into() }
    }
}

/// Whether SQLite itself could not, rather than a constraint of our own tables (which has stopped a write that would
/// have broken the ledger) or a value that diesel could not read.
fn is_of_the_moment(error: &DieselError) -> bool {
    matches!(error, DieselError::DatabaseError(DatabaseErrorKind::Unknown, _))
}

/// Why the file could not be opened.
pub(super) fn from_opening(error: ConnectionError, place: &str) -> BrokerError {
    if let ConnectionError::CouldntSetupConfiguration(error) = error {
        return at_opening(Trouble::Database(error), place);
    }
    BrokerError::Unfit { place: place.to_owned(), problem: error.to_string(), fix: RIGHTS.to_owned() }
}

/// As [`Trouble::at`], but what is wrong when the file is opened is not going to change by itself.
pub(super) fn at_opening(trouble: Trouble, place: &str) -> BrokerError {
    if let Trouble::Database(error) = &trouble {
        let problem = error.to_string();
        let fix = match () {
            () if problem.contains("readonly") => Some(RIGHTS),
            () if problem.contains("file is not a database") => Some("name another path, or move that file away"),
            () => None,
        };
        if let Some(fix) = fix {
            return BrokerError::Unfit { place: place.to_owned(), problem, fix: fix.to_owned() };
        }
    }
    trouble.at(place)
}
