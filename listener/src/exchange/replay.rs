//! A recording, read by a thread of its own into a short queue: memory stays bounded however long the file is.

mod line;

use std::fmt;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;
use tokio::sync::mpsc;

use super::protocol::Provider;
pub(super) use line::Recorded;
use line::{Line, read_line};

/// Longest line of a recording; a full order book snapshot has about one MiB.
const LINE_BYTES_MAX: u64 = 16 << 20;

/// Lines that travel together from the reading thread.
const BATCH_LINES_MAX: usize = 256;
const BATCH_BYTES_MAX: usize = 256 << 10;

/// Batches that wait.
const BATCHES_MAX: usize = 4;

/// Why a recording cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Missing, or not ours to read.
    #[error("cannot read the recording {}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Called `.gz`, but it is not.
    #[error("{} is not compressed with gzip, whatever its name says", path.display())]
    NotGzip {
        /// The file.
        path: PathBuf,
    },
}

/// What the reading thread found.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pub(super) frames: Vec<Recorded>,
    /// Lines that hold no market data: snapshots, answers, notes of the recorder.
    pub(super) skipped: u64,
    /// Lines that are neither.
    pub(super) garbled: u64,
    /// Why the file could not be read to its end.
    pub(super) problem: Option<String>,
    bytes: usize,
}

/// A recording that is there.
pub(super) struct Recording {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").field("path", &self.path).finish_non_exhaustive()
    }
}

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

impl Recording {
    /// Opens a file, compressed with gzip or plain.
    pub(super) fn open(path: &Path) -> Result<Self, ReplayError> {
        let unreadable = |source| ReplayError::Unreadable { path: path.to_owned(), source };
        let mut file = BufReader::new(File::open(path).map_err(unreadable)?);
        let is_gzip = file.fill_buf().map_err(unreadable)?.starts_with(&GZIP_MAGIC);
        if !is_gzip && path.extension().is_some_and(|extension| extension == "gz") {
            return Err(ReplayError::NotGzip { path: path.to_owned() });
        }
        let reader: Box<dyn BufRead + Send> =
            if is_gzip { Box::new(BufReader::new(MultiGzDecoder::new(file))) } else { Box::new(file) };
        Ok(Self { path: path.to_owned(), reader })
    }

    /// Reads on in a thread until the end, or until nobody receives any more.
    pub(super) fn read(mut self, provider: Provider) -> mpsc::Receiver<Lines> {
        let (batches, received) = mpsc::channel(BATCHES_MAX);
        tokio::task::spawn_blocking(move || {
            loop {
                let (lines, is_last) = self.next_lines(provider);
                if batches.blocking_send(lines).is_err() || is_last {
                    break;
                }
            }
        });
        received
    }

    fn next_lines(&mut self, provider: Provider) -> (Lines, bool) {
        let mut lines = Lines::default();
        let mut bytes = Vec::new();
        while lines.frames.len() < BATCH_LINES_MAX && lines.bytes < BATCH_BYTES_MAX {
            bytes.clear();
            match self.reader.by_ref().take(LINE_BYTES_MAX).read_until(b'\n', &mut bytes) {
                Ok(0) => return (lines, true),
                Ok(_) => lines.add(&bytes, provider),
                Err(error) => {
                    lines.problem = Some(format!("cannot read {} to its end: {error}", self.path.display()));
                    return (lines, true);
                }
            }
        }
        (lines, false)
    }
}

impl Lines {
    fn add(&mut self, line: &[u8], provider: Provider) {
        self.bytes += line.len();
        match read_line(line, provider) {
            Line::Frame(frame) => self.frames.push(frame),
            Line::Other => self.skipped += 1,
            Line::Garbled => self.garbled += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn file(name: &str, content: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        (directory, path)
    }

    fn gzip(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    const LINES: &str = "1 {\"stream\":\"a@trade\",\"data\":{}}\n2 {\"lastUpdateId\":3}\nnonsense\n\n\
                         4 {\"stream\":\"b@trade\",\"data\":{}}";

    #[test]
    fn frames_snapshots_and_garbled_lines_are_told_apart() {
        for (name, content) in [("plain.txt", LINES.as_bytes().to_vec()), ("packed.txt.gz", gzip(LINES.as_bytes()))] {
            let (_directory, path) = file(name, &content);
            let (lines, is_last) = Recording::open(&path).unwrap().next_lines(Provider::default());
            assert!(is_last);
            assert_eq!(lines.frames.iter().map(|frame| frame.at_ns).collect::<Vec<_>>(), [1, 4]);
            assert_eq!((lines.skipped, lines.garbled, lines.problem), (2, 1, None), "{name}");
        }
    }

    #[test]
    fn a_missing_file_and_a_false_gzip_are_refused_by_name() {
        let (_directory, path) = file("false.gz", b"1 {}");
        let error = Recording::open(&path).unwrap_err();
        assert!(matches!(&error, ReplayError::NotGzip { .. }) && error.to_string().contains("false.gz"), "{error}");
        let error = Recording::open(&path.with_file_name("absent.gz")).unwrap_err();
        assert!(matches!(&error, ReplayError::Unreadable { .. }) && error.to_string().contains("absent.gz"), "{error}");
    }

    #[test]
    fn a_truncated_file_gives_what_it_has_and_says_so() {
        let mut packed = gzip(LINES.repeat(1_000).as_bytes());
        packed.truncate(packed.len() / 2);
        let (_directory, path) = file("cut.gz", &packed);
        let mut recording = Recording::open(&path).unwrap();
        let mut frames = 0;
        let problem = loop {
            let (lines, is_last) = recording.next_lines(Provider::default());
            frames += lines.frames.len();
            if is_last {
                break lines.problem;
            }
        };
        assert!(problem.is_some_and(|problem| problem.contains("cut.gz")));
        assert!(frames < 2_000);
    }
}
