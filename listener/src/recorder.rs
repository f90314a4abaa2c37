//! Writes raw frames with their receive time to compressed files, one per feed and day: `DIR/FEED/2026-11-25.jsonl.gz`.
//!
//! A line is `{"t":<unix seconds>,"conn":3,"dir":"recv","raw":"<text>"}`, or `"hex"` instead of `"raw"` for a binary
//! frame; `"dir":"connect"` marks the start of a session. What we send is not written: it holds credentials. Sessions
//! never wait for the disk: when the writer falls behind, frames are given up and counted.

use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use common::clock::UnixMicros;
use common::feed::Incoming;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

/// Lines that may wait for the disk.
const WAITING_MAX: usize = 65_536;

/// What is older than this survives a crash of ours.
const FLUSH_INTERVAL_US: i64 = 1_000_000;

/// Where sessions leave their frames.
#[derive(Debug)]
pub struct Recorder {
    lines: mpsc::Sender<Line>,
    counts: Arc<Counts>,
}

/// A recording in progress.
#[derive(Debug)]
pub struct Recording {
    counts: Arc<Counts>,
    writer: JoinHandle<Result<(), RecordError>>,
}

/// What was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    /// Frames written.
    pub frames: u64,
    /// Frames given up because the disk did not keep up.
    pub given_up: u64,
}

/// The recording cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the recording {path}")]
pub struct RecordError {
    /// Which file or folder.
    pub path: PathBuf,
    /// Why.
    #[source]
    pub source: io::Error,
}

#[derive(Debug, Default)]
struct Counts {
    frames: AtomicU64,
    given_up: AtomicU64,
}

#[derive(Debug)]
struct Line {
    at: UnixMicros,
    text: String,
}

/// Starts to record into `folder`. The recording ends when the recorder is dropped.
///
/// # Errors
/// When the folder cannot be made.
pub fn start(folder: &Path, feed: &str) -> Result<(Recorder, Recording), RecordError> {
    let folder = folder.join(feed);
    fs::create_dir_all(&folder).map_err(|source| RecordError { path: folder.clone(), source })?;
    let (lines, received) = mpsc::channel(WAITING_MAX);
    let counts = Arc::<Counts>::default();
    let written = Arc::clone(&counts);
    let writer = tokio::task::spawn_blocking(move || write(&folder, received, &written));
    Ok((Recorder { lines, counts: Arc::clone(&counts) }, Recording { counts, writer }))
}

impl Recorder {
    /// A session began.
    pub(crate) fn connected(&self, conn: u32, at: UnixMicros) {
        self.put(at, format!(r#"{{"t":{},"conn":{conn},"dir":"connect"}}"#, seconds(at)));
    }

    /// A session received a frame.
    pub(crate) fn frame(&self, conn: u32, at: UnixMicros, frame: Incoming<'_>) {
        let mut text = format!(r#"{{"t":{},"conn":{conn},"dir":"recv","#, seconds(at));
        match frame {
            Incoming::Text(raw) => {
                text.push_str(r#""raw":"#);
                text.push_str(&serde_json::Value::from(raw).to_string());
            }
            Incoming::Binary(bytes) => {
                text.push_str(r#""hex":""#);
                for byte in bytes {
                    write!(text, "{byte:02x}").expect("writing to memory does not fail");
                }
                text.push('"');
            }
        }
        text.push('}');
        self.put(at, text);
    }

    fn put(&self, at: UnixMicros, text: String) {
        if self.lines.try_send(Line { at, text }).is_err() {
            self.counts.given_up.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Recording {
    /// The figures so far.
    pub fn counts(&self) -> Recorded {
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Recorded { frames: read(&self.counts.frames), given_up: read(&self.counts.given_up) }
    }

    /// Waits until everything is on disk, after the recorder was dropped.
    ///
    /// # Errors
    /// When the disk did not take it.
    pub async fn end(self) -> Result<Recorded, RecordError> {
        let counts = Arc::clone(&self.counts);
        match self.writer.await {
            Ok(written) => written?,
            Err(broken) => {
                return Err(RecordError { path: PathBuf::new(), source: io::Error::other(broken) });
            }
        }
        let read = |count: &AtomicU64| count.load(Ordering::Relaxed);
        Ok(Recorded { frames: read(&counts.frames), given_up: read(&counts.given_up) })
    }
}

fn write(folder: &Path, mut lines: mpsc::Receiver<Line>, counts: &Counts) -> Result<(), RecordError> {
    let mut day: Option<Day> = None;
    let mut flushed_at = 0;
    while let Some(line) = lines.blocking_recv() {
        let name = day_of(line.at);
        if day.as_ref().is_none_or(|day| day.name != name) {
            if let Some(day) = day.take() {
                day.finish()?;
            }
            day = Some(Day::open(folder, name)?);
        }
        if let Some(day) = &mut day {
            day.line(&line.text)?;
            if FLUSH_INTERVAL_US <= line.at.0 - flushed_at {
                flushed_at = line.at.0;
                day.flush()?;
            }
        }
        counts.frames.fetch_add(1, Ordering::Relaxed);
    }
    day.map_or(Ok(()), Day::finish)
}

/// One day's file. Opened again, it gets a further gzip member.
struct Day {
    name: String,
    path: PathBuf,
    file: GzEncoder<File>,
}

impl Day {
    fn open(folder: &Path, name: String) -> Result<Self, RecordError> {
        let path = folder.join(format!("{name}.jsonl.gz"));
        match OpenOptions::new().create(true).append(true).open(&path) {
            Ok(file) => Ok(Self { name, path, file: GzEncoder::new(file, Compression::fast()) }),
            Err(source) => Err(RecordError { path, source }),
        }
    }

    fn line(&mut self, text: &str) -> Result<(), RecordError> {
        let written = self.file.write_all(text.as_bytes()).and_then(|()| self.file.write_all(b"\n"));
        written.map_err(|source| RecordError { path: self.path.clone(), source })
    }

    fn flush(&mut self) -> Result<(), RecordError> {
        self.file.flush().map_err(|source| RecordError { path: self.path.clone(), source })
    }

    fn finish(self) -> Result<(), RecordError> {
        self.file.finish().map(drop).map_err(|source| RecordError { path: self.path, source })
    }
}

/// The UTC day of a moment, `2026-11-25`.
fn day_of(at: UnixMicros) -> String {
    let moment = Timestamp::from_microsecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    moment.to_zoned(TimeZone::UTC).date().to_string()
}

fn seconds(at: UnixMicros) -> String {
    format!("{}.{:06}", at.0.div_euclid(1_000_000), at.0.rem_euclid(1_000_000))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    fn unpacked(path: &Path) -> String {
        let mut text = String::new();
        flate2::read::MultiGzDecoder::new(File::open(path).unwrap()).read_to_string(&mut text).unwrap();
        text
    }

    #[tokio::test]
    async fn frames_are_written_by_day_and_a_second_recording_of_the_day_is_appended() {
        let folder = tempfile::tempdir().unwrap();
        let noon = UnixMicros(1_795_608_000_123_456); // 2026-11-25T12:00:00.123456Z
        for _ in 0..2 {
            let (recorder, recording) = start(folder.path(), "fyers").unwrap();
            recorder.connected(1, noon);
            recorder.frame(1, noon, Incoming::Text("[\"a\"]"));
            recorder.frame(2, UnixMicros(noon.0 + 86_400_000_000), Incoming::Binary(&[0, 255]));
            drop(recorder);
            assert_eq!(recording.end().await.unwrap(), Recorded { frames: 3, given_up: 0 });
        }
        let today = concat!(
            r#"{"t":1795608000.123456,"conn":1,"dir":"connect"}"#,
            "\n",
            r#"{"t":1795608000.123456,"conn":1,"dir":"recv","raw":"[\"a\"]"}"#,
            "\n"
        );
        assert_eq!(unpacked(&folder.path().join("fyers/2026-11-25.jsonl.gz")), today.repeat(2));
        let tomorrow = "{\"t\":1795694400.123456,\"conn\":2,\"dir\":\"recv\",\"hex\":\"00ff\"}\n";
        assert_eq!(unpacked(&folder.path().join("fyers/2026-11-26.jsonl.gz")), tomorrow.repeat(2));
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let error = start(file.path(), "fyers").unwrap_err().to_string();
        assert!(error.contains("fyers"), "{error}");
    }
}
