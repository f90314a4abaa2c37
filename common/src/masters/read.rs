//! One source, from its bytes to rows. Blocking.

use std::path::Path;
use std::time::Duration;

use super::copy::Copy;
use super::{Freshness, Place, Source, fetch};
use crate::clock::UnixMicros;
use crate::market::MasterRow;
use crate::market::master::{self, MasterRows};

/// What became of one source.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Whose instruments.
    pub feed: Box<str>,
    /// From where, without secrets.
    pub place: String,
    /// Instruments read.
    pub rows: usize,
    /// Rows that could not be read.
    pub skipped: u64,
    /// Why, of the first few.
    pub reasons: Vec<String>,
    /// How old the copy is that was read; `None` for what was read at its origin just now.
    pub age: Option<Duration>,
    /// Why it could not be read at its origin, or not be kept.
    pub trouble: Option<String>,
}

impl Report {
    pub(super) fn of(source: &Source) -> Self {
        Self { feed: source.feed.clone(), place: source.place.to_string(), ..Self::default() }
    }
}

/// Reads a source by way of its copy.
pub(super) fn read(
    source: &Source,
    folder: &Path,
    refresh: Duration,
    freshness: Freshness,
    now: UnixMicros,
) -> (Vec<MasterRow>, Report) {
    let mut report = Report::of(source);
    let found = match &source.place {
        Place::File(path) => fetch::file(path).and_then(|bytes| parse(&source.feed, &bytes)),
        Place::Url(url) => {
            let copy = Copy::of(folder, &source.feed, url);
            let age = copy.age(now).filter(|age| freshness == Freshness::Cached && *age < refresh);
            match age.and_then(|age| Some((age, parse_copy(&source.feed, &copy).ok()?))) {
                Some((age, found)) => {
                    report.age = Some(age);
                    Ok(found)
                }
                None => download(&source.feed, url, &copy, now, &mut report),
            }
        }
    };
    match found {
        Ok(MasterRows { rows, skipped, reasons }) => {
            report.rows = rows.len();
            (report.skipped, report.reasons) = (skipped, reasons);
            (rows, report)
        }
        Err(trouble) => {
            report.trouble = Some(trouble);
            (Vec::new(), report)
        }
    }
}

/// Downloads and keeps; where that fails, what was kept earlier, whatever its age.
fn download(feed: &str, url: &str, copy: &Copy, now: UnixMicros, report: &mut Report) -> Result<MasterRows, String> {
    // Read before it is kept: a page that apologises must not replace a good copy.
    match fetch::download(url).and_then(|bytes| Ok((parse(feed, &bytes)?, bytes))) {
        Ok((found, bytes)) => {
            if let Err(error) = copy.write(&bytes) {
                report.trouble = Some(format!("cannot keep a copy in {}: {error}", copy.path().display()));
            }
            Ok(found)
        }
        Err(trouble) => {
            let found = parse_copy(feed, copy).map_err(|_no_copy| trouble.clone())?;
            report.age = copy.age(now);
            report.trouble = Some(trouble);
            Ok(found)
        }
    }
}

fn parse_copy(feed: &str, copy: &Copy) -> Result<MasterRows, String> {
    parse(feed, &fetch::file(copy.path())?)
}

fn parse(feed: &str, bytes: &[u8]) -> Result<MasterRows, String> {
    master::read(feed, &fetch::text(bytes)?).map_err(|error| error.to_string())
}
