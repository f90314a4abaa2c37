//! How long messages take from stage to stage, written down as HDR histograms.
//!
//! A process that is asked to measure notes each message in memory, and once a second writes one interval of each stage
//! to a file in the interval-log format of <https://github.com/HdrHistogram/HdrHistogram>: tag, start (seconds
//! since 1970), length (seconds), maximum, and the histogram in microseconds. Several processes may write to one file.
//! Stamps of different machines are only as good as their clocks agree.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use hdrhistogram::serialization::V2DeflateSerializer;
use hdrhistogram::serialization::interval_log::{IntervalLogWriterBuilder, Tag};
use tracing::warn;

use crate::clock::{self, UnixMicros};

mod read;

pub use read::{BadLatencyLog, Latencies, LatencySummary};

/// How often an interval is written.
const INTERVAL: Duration = Duration::from_secs(1);

/// What takes longer is counted as an hour.
const MICROS_MAX: u64 = 3_600_000_000;

/// Three digits of a latency are kept.
const DIGITS: u8 = 3;

/// From where to where.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Listener: from the receipt to the answer of the queue.
    ReceivedToAccepted,
    /// Worker: from the receipt to the begin of its batch's work.
    ReceivedToTaken,
    /// Worker: from the receipt to the commit of its row.
    ReceivedToCommitted,
    /// Worker: from the exchange's time in the message, where it has one, to the receipt.
    ExchangeToReceived,
    /// Worker: from there to the commit of its row.
    ExchangeToCommitted,
}

impl Stage {
    /// All stages, as they follow each other.
    pub const ALL: [Self; 5] = [
        Self::ReceivedToAccepted,
        Self::ReceivedToTaken,
        Self::ReceivedToCommitted,
        Self::ExchangeToReceived,
        Self::ExchangeToCommitted,
    ];

    /// Its tag in the log, and its name elsewhere.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::ReceivedToAccepted => "received_to_accepted",
            Self::ReceivedToTaken => "received_to_taken",
            Self::ReceivedToCommitted => "received_to_committed",
            Self::ExchangeToReceived => "exchange_to_received",
            Self::ExchangeToCommitted => "exchange_to_committed",
        }
    }
}

/// The log cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write latencies to {path}; give `latency_log` another path, or none")]
pub struct LatencyLogError {
    /// Which file.
    path: PathBuf,
    /// Why.
    #[source]
    source: io::Error,
}

/// The log of a process, open for appending.
pub struct LatencyLog {
    path: PathBuf,
    file: File,
    // Held for a batch's records, never across an await.
    interval: Mutex<Interval>,
    is_broken: AtomicBool,
}

struct Interval {
    since: UnixMicros,
    /// By `Stage::ALL`.
    stages: [Histogram<u32>; Stage::ALL.len()],
}

impl LatencyLog {
    /// Opens the file that is asked for, if one is, or makes one that only its owner may read.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn open(path: Option<&Path>) -> Result<Option<Arc<Self>>, LatencyLogError> {
        let Some(path) = path else { return Ok(None) };
        let mut how = OpenOptions::new();
        how.append(true).create(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
        let file = how.open(path).map_err(|source| LatencyLogError { path: path.to_owned(), source })?;
        let empty = |_: Stage| {
            Histogram::new_with_bounds(1, MICROS_MAX, DIGITS).expect("an hour of microseconds at three digits fits")
        };
        let interval = Mutex::new(Interval { since: clock::now(), stages: Stage::ALL.map(empty) });
        Ok(Some(Arc::new(Self { path: path.to_owned(), file, interval, is_broken: AtomicBool::new(false) })))
    }

    /// Notes how long these took, each from its first moment to its second. Back in time (two clocks) counts as 0.
    pub fn record(&self, stage: Stage, spans: impl IntoIterator<Item = (UnixMicros, UnixMicros)>) {
        let mut interval = self.interval.lock().unwrap_or_else(PoisonError::into_inner);
        let histogram = &mut interval.stages[stage as usize];
        for (since, until) in spans {
            let micros = u64::try_from(until.0.saturating_sub(since.0)).unwrap_or(0);
            histogram.saturating_record(micros);
        }
    }

    /// Writes an interval every second until `done` completes, and then the last one.
    pub async fn run(self: Arc<Self>, done: impl Future<Output = ()>) {
        tokio::pin!(done);
        loop {
            let is_over = tokio::select! {
                () = &mut done => true,
                () = tokio::time::sleep(INTERVAL) => false,
            };
            self.write(clock::now());
            if is_over {
                return;
            }
        }
    }

    /// Ends the interval at `now`. A log that cannot be written costs no message: it is said once.
    fn write(&self, now: UnixMicros) {
        let written = self.end_interval(now).and_then(|lines| (&self.file).write_all(&lines));
        if let Err(problem) = written
            && !self.is_broken.swap(true, Ordering::Relaxed)
        {
            warn!("the latencies in {} are incomplete from here on: {problem}", self.path.display());
        }
    }

    /// The lines of the interval, to be written in one go; stages without a message have none.
    fn end_interval(&self, now: UnixMicros) -> io::Result<Vec<u8>> {
        let mut interval = self.interval.lock().unwrap_or_else(PoisonError::into_inner);
        let (mut lines, mut serializer) = (Vec::new(), V2DeflateSerializer::new());
        let mut log = IntervalLogWriterBuilder::new().begin_log_with(&mut lines, &mut serializer)?;
        let start = Duration::from_micros(u64::try_from(interval.since.0).unwrap_or(0));
        let length = interval.since.age_at(now);
        for stage in Stage::ALL {
            let histogram = &mut interval.stages[stage as usize];
            if !histogram.is_empty() {
                let tag = Tag::new(stage.tag());
                log.write_histogram(histogram, start, length, tag).map_err(io::Error::other)?;
                histogram.reset();
            }
        }
        interval.since = now;
        Ok(lines)
    }
}

impl fmt::Debug for LatencyLog {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LatencyLog").field("path", &self.path).finish_non_exhaustive() // thousands of counters
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans(since: &[i64], until: i64) -> Vec<(UnixMicros, UnixMicros)> {
        since.iter().map(|since| (UnixMicros(*since), UnixMicros(until))).collect()
    }

    #[test]
    fn what_several_processes_noted_in_several_intervals_is_read_as_one() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latencies.hlog");
        let logs = [(); 2].map(|()| LatencyLog::open(Some(&path)).unwrap().unwrap());
        for (number, log) in (0..).zip(&logs) {
            log.record(Stage::ReceivedToTaken, spans(&[0, 900], 1_000));
            log.write(UnixMicros(1_000_000 + number));
            log.record(Stage::ReceivedToTaken, spans(&[2_000_000], 2_000_500));
            log.record(Stage::ExchangeToCommitted, spans(&[5_000_000], 2_000_500));
            log.write(UnixMicros(2_000_000));
            log.write(UnixMicros(3_000_000));
        }
        let read = Latencies::read(&std::fs::read(&path).unwrap()).unwrap();
        let taken = read.summary(Stage::ReceivedToTaken).unwrap();
        assert_eq!((taken.count, taken.p50_us, taken.max_us), (6, 500, 1_000));
        let ahead = read.summary(Stage::ExchangeToCommitted).unwrap();
        assert_eq!((ahead.count, ahead.max_us), (2, 0), "another clock runs fast");
        assert_eq!(read.summary(Stage::ReceivedToAccepted), None);
    }

    #[test]
    fn no_path_is_no_log_and_a_folder_is_none_either() {
        assert!(LatencyLog::open(None).unwrap().is_none());
        let folder = tempfile::tempdir().unwrap();
        let error = LatencyLog::open(Some(folder.path())).unwrap_err().to_string();
        assert!(error.contains("`latency_log`"), "{error}");
    }

    #[tokio::test]
    async fn the_last_interval_is_written_at_the_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("latencies.hlog");
        let log = LatencyLog::open(Some(&path)).unwrap().unwrap();
        log.record(Stage::ReceivedToAccepted, spans(&[1], 3));
        log.run(std::future::ready(())).await;
        let read = Latencies::read(&std::fs::read(&path).unwrap()).unwrap();
        assert_eq!(read.summary(Stage::ReceivedToAccepted).map(|summary| summary.max_us), Some(2));
    }
}
