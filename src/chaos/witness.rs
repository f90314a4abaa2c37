//! Reads what listeners say was accepted: an account that neither the queue nor a killed process can take back.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

/// Consecutive messages of one connection, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) epoch: u64,
    pub(super) first: u32,
    pub(super) last: u32,
}

/// Follows the log of accepted messages.
#[derive(Debug)]
pub(super) struct Witness {
    path: PathBuf,
    offset: u64,
    /// The start of a line whose end is not there yet.
    rest: String,
}

impl Witness {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, offset: 0, rest: String::new() }
    }

    /// What was accepted since the last call, by epoch. A message may come twice: kept in the spool, then accepted.
    pub(super) fn read(&mut self) -> io::Result<BTreeMap<u64, Vec<Run>>> {
        let mut text = std::mem::take(&mut self.rest);
        match File::open(&self.path) {
            Ok(mut file) => {
                file.seek(SeekFrom::Start(self.offset))?;
                self.offset += file.read_to_string(&mut text)? as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        self.rest = text.split_off(whole);
        let mut runs: BTreeMap<u64, Vec<Run>> = BTreeMap::new();
        for run in text.lines().filter_map(parse) {
            runs.entry(run.epoch).or_default().push(run);
        }
        Ok(runs)
    }
}

/// Messages of an epoch's runs, each counted once however often it was noted.
pub(super) fn distinct(runs: &[Run]) -> u64 {
    let mut runs = runs.to_vec();
    runs.sort_unstable_by_key(|run| run.first);
    let (mut sum, mut next) = (0, 0);
    for run in runs {
        let end = u64::from(run.last) + 1;
        let start = u64::from(run.first).max(next);
        sum += end.saturating_sub(start);
        next = next.max(end);
    }
    sum
}

/// `accepted QUEUE PRODUCER BATCH EPOCH FIRST LAST`, or the same with `spooled`.
fn parse(line: &str) -> Option<Run> {
    let mut words = line.split(' ').skip(4);
    let epoch = words.next()?.parse().ok()?;
    let mut seq = || words.next()?.parse().ok();
    Some(Run { epoch, first: seq()?, last: seq()? })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_was_kept_in_the_spool_and_then_accepted_counts_once() {
        let run = |first, last| Run { epoch: 7, first, last };
        assert_eq!(distinct(&[run(0, 9), run(5, 14), run(5, 9), run(20, 20)]), 16);
        assert_eq!(distinct(&[]), 0);
    }

    #[test]
    fn a_line_is_read_once_and_only_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut witness = Witness::new(path.clone());
        assert!(witness.read().unwrap().is_empty());
        std::fs::write(&path, "accepted q p 1 7 0 9\nspooled q p 2 7 10 1").unwrap();
        assert_eq!(witness.read().unwrap()[&7], [Run { epoch: 7, first: 0, last: 9 }]);
        std::fs::write(&path, "accepted q p 1 7 0 9\nspooled q p 2 7 10 11\naccepted q p 2 8 0 0\n").unwrap();
        let runs = witness.read().unwrap();
        assert_eq!(runs[&7], [Run { epoch: 7, first: 10, last: 11 }]);
        assert_eq!((runs[&8].len(), witness.read().unwrap().len()), (1, 0));
    }
}
