//! An account of what was accepted, independent of the queue: for audits, on the machine of the listener.
//!
//! One line per run of consecutive messages of an enqueue:
//!
//! ```text
//! accepted <queue> <producer> <batch number> <epoch> <first seq> <last seq>
//! spooled <queue> <producer> <batch number> <epoch> <first seq> <last seq>
//! ```
//!
//! `accepted` is written after the broker had the batch, `spooled` after the spool had it; a spooled batch gets its
//! `accepted` line under the same producer and number when it has been handed over. A process killed between the two
//! steps leaves a batch without its line, and the next life that repeats it may write one line twice: the log is never
//! more than the truth, as a set.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use common::broker::Enqueue;
use common::market::OrderKey;
use common::queue::Task;
use tracing::warn;

/// The log, open for appending.
#[derive(Debug)]
pub(crate) struct AcceptedLog {
    path: PathBuf,
    file: File,
    is_broken: AtomicBool,
}

/// Where a batch is durable now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Durable {
    /// In the broker.
    Accepted,
    /// In the listener's spool.
    Spooled,
}

impl AcceptedLog {
    /// Opens the file, or makes one that only its owner may read.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut how = OpenOptions::new();
        how.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
        Ok(Self { path: path.to_owned(), file: how.open(path)?, is_broken: AtomicBool::new(false) })
    }

    /// Writes the lines of an enqueue, all with one call. A log that cannot be written costs no message: it is said once.
    pub(crate) fn write(&self, durable: Durable, enqueue: &Enqueue<'_>) {
        let lines = lines(durable, enqueue);
        if lines.is_empty() {
            return;
        }
        if let Err(problem) = (&self.file).write_all(lines.as_bytes())
            && !self.is_broken.swap(true, Ordering::Relaxed)
        {
            warn!("the log of accepted messages {} is incomplete from here on: {problem}", self.path.display());
        }
    }
}

fn lines(durable: Durable, enqueue: &Enqueue<'_>) -> String {
    let word = match durable {
        Durable::Accepted => "accepted",
        Durable::Spooled => "spooled",
    };
    let (queue, producer, batch) = (enqueue.queue, enqueue.producer, enqueue.batch);
    let mut lines = String::new();
    for run in runs(enqueue.tasks) {
        let (epoch, first, last) = (run[0].epoch(), run[0].seq(), run[run.len() - 1].seq());
        writeln!(lines, "{word} {queue} {producer} {batch} {epoch} {first} {last}")
            .expect("writing to memory does not fail");
    }
    lines
}

/// The places of these tasks, each run of consecutive ones by itself. The connections of a batch are told apart by their
/// epochs.
fn runs(tasks: &[Vec<u8>]) -> Vec<Vec<OrderKey>> {
    // The listener wrote these elements itself, so all of them can be read.
    let mut places: Vec<OrderKey> = tasks.iter().filter_map(|task| Task::decode(task).ok()?.order()).collect();
    places.sort_unstable();
    let follows = |one: &OrderKey, next: &OrderKey| one.epoch() == next.epoch() && one.seq() + 1 == next.seq();
    places.chunk_by(follows).map(<[OrderKey]>::to_vec).collect()
}

#[cfg(test)]
mod tests {
    use common::clock::UnixMicros;
    use common::market::Epoch;
    use common::presence::InstanceId;
    use common::queue::{IntakeCounts, QueueName};

    use super::*;
    use crate::element::ElementWriter;

    fn element(epoch: u64, seq: u32) -> Vec<u8> {
        let order = OrderKey::new(Epoch::new(epoch).unwrap(), seq).unwrap();
        ElementWriter::new("binance", 1).write("trade", order, UnixMicros(0), "{}")
    }

    fn written(log: &AcceptedLog, tasks: &[Vec<u8>], durable: Durable) {
        let queue: QueueName = "ticks".parse().unwrap();
        let producer = InstanceId::parse("01920000-0000-7000-8000-000000000001").unwrap();
        let counts = IntakeCounts::default();
        log.write(durable, &Enqueue { queue: &queue, producer, batch: 12, tasks, waiting_max: 1, counts: &counts });
    }

    #[test]
    fn each_run_of_consecutive_messages_is_a_line_whatever_is_between_them() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("accepted.log");
        let log = AcceptedLog::open(&path).unwrap();
        written(&log, &[element(7, 0), element(9, 4), element(7, 1), element(7, 3)], Durable::Accepted);
        written(&log, &[], Durable::Accepted);
        drop(log);
        written(&AcceptedLog::open(&path).unwrap(), &[element(9, 5)], Durable::Spooled);
        let head = "ticks 01920000000070008000000000000001 12";
        let expected =
            format!("accepted {head} 7 0 1\naccepted {head} 7 3 3\naccepted {head} 9 4 4\nspooled {head} 9 5 5\n");
        assert_eq!(std::fs::read_to_string(path).unwrap(), expected);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_log_that_cannot_be_written_is_no_error() {
        let log = AcceptedLog::open(Path::new("/dev/full")).unwrap();
        written(&log, &[element(7, 0)], Durable::Accepted);
        written(&log, &[element(7, 1)], Durable::Accepted);
        assert!(log.is_broken.load(Ordering::Relaxed));
    }
}
