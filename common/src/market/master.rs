//! Symbol masters: the providers' own lists of what they trade. Pure: text in, rows out.
//!
//! A row that makes no sense is counted and left out; a text without any good row is no master.

mod binance;
mod fyers;
mod kite;
mod upstox;
mod upstox_csv;

use std::borrow::Cow;

use rust_decimal::Decimal;

use crate::market::{BadNumber, MasterRow, Price};

/// How many bad rows are told of in words.
const REASONS_MAX: usize = 3;

/// Largest part of a row's own words that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 80;

/// What is wrong with a row, in words.
type Problem = Cow<'static, str>;

/// What a master says.
#[derive(Debug, Default)]
pub struct MasterRows {
    /// The instruments.
    pub rows: Vec<MasterRow>,
    /// Rows that could not be read.
    pub skipped: u64,
    /// Why, of the first few.
    pub reasons: Vec<String>,
}

/// A text that is no master.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MasterError {
    /// No format is known for this feed.
    #[error("no format of symbol masters is known for the feed {feed:?}; there are {known}")]
    UnknownFeed {
        /// As it was given.
        feed: Box<str>,
        /// The feeds with masters.
        known: String,
    },
    /// No row could be read.
    #[error("no instrument in it ({problem}); expected {expected}")]
    Nothing {
        /// What was met instead.
        problem: String,
        /// The provider's format.
        expected: &'static str,
    },
}

type Reader = fn(&str, &mut MasterRows) -> Result<(), Problem>;

/// The feeds with masters, how theirs are read, and what they look like.
const FORMATS: [(&str, Reader, &str); 5] = [
    ("fyers", fyers::read, fyers::EXPECTED),
    ("upstox", upstox::read, upstox::EXPECTED),
    ("kite", kite::read, kite::EXPECTED),
    ("binance", binance::read_spot, binance::EXPECTED),
    ("binance_usdm", binance::read_usdm, binance::EXPECTED),
];

/// The feeds whose masters can be read.
pub fn feeds() -> impl Iterator<Item = &'static str> {
    FORMATS.iter().map(|(feed, ..)| *feed)
}

/// Reads the master of `feed`.
///
/// # Errors
/// When the feed has no known format, or not a single row can be read.
pub fn read(feed: &str, text: &str) -> Result<MasterRows, MasterError> {
    let Some((_, reader, expected)) = FORMATS.iter().find(|(known, ..)| *known == feed) else {
        return Err(MasterError::UnknownFeed { feed: feed.into(), known: feeds().collect::<Vec<_>>().join(", ") });
    };
    let mut found = MasterRows::default();
    let outcome = reader(text.trim_start_matches('\u{feff}'), &mut found);
    if !found.rows.is_empty() {
        return Ok(found);
    }
    let problem = match outcome {
        Err(problem) => problem.into_owned(),
        Ok(()) => found.reasons.first().cloned().unwrap_or_else(|| "it has no rows".to_owned()),
    };
    Err(MasterError::Nothing { problem, expected })
}

impl MasterRows {
    /// Takes what was read at `place`, e.g. `line 7`.
    fn take(&mut self, read: Result<MasterRow, Problem>, place: impl FnOnce() -> String) {
        match read {
            Ok(row) => self.rows.push(row),
            Err(problem) => {
                self.skipped += 1;
                if self.reasons.len() < REASONS_MAX {
                    let said: String = problem.chars().take(SHOWN_CHARS_MAX).collect();
                    self.reasons.push(format!("{}: {said}", place()));
                }
            }
        }
    }
}

/// The columns of a CSV file by the names in its first line.
struct Columns(Vec<String>);

impl Columns {
    fn new(head: &csv::StringRecord) -> Self {
        Self(head.iter().map(|name| name.trim().to_ascii_lowercase()).collect())
    }

    /// The place of a column.
    fn find(&self, name: &str) -> Result<usize, Problem> {
        let place = self.0.iter().position(|column| column == name);
        place.ok_or_else(|| format!("no column {name:?} in its first line").into())
    }
}

/// A strike: a number above zero, without trailing zeros.
fn strike(text: &str) -> Result<Decimal, Problem> {
    let number: Price = text.parse().map_err(|error: BadNumber| format!("strike: {error}"))?;
    if number.get() <= Decimal::ZERO {
        return Err(format!("{text:?} is no strike").into());
    }
    Ok(number.get().normalize())
}

/// Reads `text` as CSV, each record by `row`. Lines that are no CSV are bad rows.
fn each_record(
    text: &str,
    has_head: bool,
    found: &mut MasterRows,
    mut row: impl FnMut(&csv::StringRecord) -> Result<MasterRow, Problem>,
) {
    let mut reader = csv::ReaderBuilder::new().has_headers(has_head).flexible(true).from_reader(text.as_bytes());
    let mut record = csv::StringRecord::new();
    loop {
        let outcome = reader.read_record(&mut record);
        let place = match &outcome {
            Ok(_) => record.position(),
            Err(error) => error.position(),
        };
        let line = place.map_or(0, csv::Position::line);
        let read = match outcome {
            Ok(false) => return,
            Ok(true) => row(&record),
            Err(error) => Err(error.to_string().into()),
        };
        found.take(read, || format!("line {line}"));
    }
}

/// The text of a column; empty where the line is too short.
fn column(record: &csv::StringRecord, place: usize) -> &str {
    record.get(place).unwrap_or_default().trim()
}

#[cfg(test)]
mod tests;
