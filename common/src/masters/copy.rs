//! The copy of a downloaded master on the disk.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::clock::UnixMicros;

/// Where a download is kept.
pub(super) struct Copy {
    path: PathBuf,
}

impl Copy {
    /// Of this feed's master at `url`. Its name holds no part of the address, which may be secret.
    pub(super) fn of(folder: &Path, feed: &str, url: &str) -> Self {
        Self { path: folder.join(format!("{feed}-{:016x}", fingerprint(url.as_bytes()))) }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// How old it is; `None` where there is none.
    pub(super) fn age(&self, now: UnixMicros) -> Option<Duration> {
        let changed = fs::metadata(&self.path).and_then(|file| file.modified()).ok()?;
        let since = changed.duration_since(UNIX_EPOCH).ok()?;
        Some(UnixMicros(i64::try_from(since.as_micros()).ok()?).age_at(now))
    }

    /// Replaces it whole: other processes read either the earlier copy or this one.
    pub(super) fn write(&self, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = self.path.parent() {
            fs::create_dir_all(folder)?;
        }
        let unfinished = self.path.with_extension(format!("{}.unfinished", std::process::id()));
        let written = fs::write(&unfinished, bytes).and_then(|()| fs::rename(&unfinished, &self.path));
        if written.is_err() {
            drop(fs::remove_file(&unfinished)); // it may not even be there
        }
        written
    }
}

/// FNV-1a, 64 bits: the same in every build, unlike the standard library's hashes.
fn fingerprint(bytes: &[u8]) -> u64 {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, step)
}
