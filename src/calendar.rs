//! The market calendar of this run: what is built in, and the days of the user's own file.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use common::clock::UnixMicros;
use common::market::calendar::{Calendar, Coverage, Segment};
use common::settings::Settings;

use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// Longest file that is read: a line per day, of all segments, for centuries.
const FILE_BYTES_MAX: u64 = 4 << 20;

/// Loads the calendar that the settings ask for.
pub(crate) fn load(settings: &Settings) -> Result<Calendar, Failure> {
    let Some(path) = &settings.market.calendar else { return Ok(Calendar::builtin()) };
    let bad = |why: String, fix: &str| {
        let title = format!("the calendar {} cannot be used", path.display());
        Failure::new(Diagnostic::new(Code::Calendar, title).why(why).safe("nothing was started").fix(fix))
    };
    let text =
        read(path).map_err(|error| bad(error.to_string(), "let market.calendar name a text file, or nothing"))?;
    let fix = "correct these lines; the format is in docs/calendar.md";
    Calendar::builtin().with(&text).map_err(|error| bad(error.to_string(), fix))
}

/// The segments whose holidays of this year it does not know.
pub(crate) fn unknown(calendar: &Calendar, now: UnixMicros) -> Vec<&'static str> {
    let is_unknown = |segment: &Segment| calendar.coverage(*segment, now) == Coverage::WeekdaysOnly;
    Segment::ALL.into_iter().filter(is_unknown).map(Segment::name).collect()
}

fn read(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    let length = File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_string(&mut text)?;
    if length as u64 <= FILE_BYTES_MAX {
        return Ok(text);
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it is longer than {FILE_BYTES_MAX} bytes")))
}

#[cfg(test)]
mod tests {
    use common::market::MarketState;
    use common::settings::{Flags, Sources, resolve};

    use super::*;

    fn settings(path: &str) -> Settings {
        let flags = Flags::new().set("market.calendar", "--calendar", Some(path));
        resolve(&Sources { flags, ..Sources::default() }).unwrap().settings
    }

    #[test]
    fn own_days_are_added_to_the_built_in_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("days.csv");
        std::fs::write(&path, "us_equity,2026-11-25,closed,ours").unwrap();
        let wednesday_noon = UnixMicros(1_795_626_000_000_000);
        let state = |calendar: &Calendar| calendar.state(Segment::UsEquity, wednesday_noon);
        assert!(matches!(state(&load(&settings("")).unwrap()), MarketState::Open { .. }));
        assert!(matches!(state(&load(&settings(path.to_str().unwrap())).unwrap()), MarketState::Closed { .. }));
    }

    #[test]
    fn a_file_with_mistakes_is_refused_with_its_lines() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("days.csv");
        std::fs::write(&path, "us_equity,2026-11-25,closed\nus,2026-11-25,closed\n").unwrap();
        let Err(Failure::Told { exit, diagnostics }) = load(&settings(path.to_str().unwrap())) else { panic!() };
        assert_eq!(exit, crate::exit::Exit::Config);
        assert!(diagnostics[0].the_why().unwrap().starts_with("line 2: there is no segment \"us\""));
        assert!(load(&settings("/no/such/file")).is_err());
    }

    #[test]
    fn a_year_without_holidays_is_named_by_segment() {
        let (in_2026, in_2040) = (UnixMicros(1_795_626_000_000_000), UnixMicros(2_220_000_000_000_000));
        let calendar = Calendar::builtin();
        assert_eq!(unknown(&calendar, in_2026), Vec::<&str>::new());
        assert_eq!(unknown(&calendar, in_2040), ["india_equity", "india_currency", "mcx", "us_equity"]);
    }
}
