//! The files of a spool that nobody has open: SQLite's own and its companions.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::clock::UnixMicros;

/// What SQLite keeps beside a file: the write-ahead log, which may hold the newest records, and its index.
const COMPANIONS: [&str; 2] = ["-wal", "-shm"];

/// Files set aside within a second, at most.
const ASIDE_MAX: usize = 60;

/// Deletes a file. The companions first: a log must never meet another file of the same name.
pub(super) fn delete(path: &Path) -> io::Result<()> {
    let companions = COMPANIONS.map(|ending| beside(path, ending));
    companions.iter().map(PathBuf::as_path).chain([path]).try_for_each(|file| match std::fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    })
}

/// Gives a file and its log another name, so that `sqlite3 FILE .recover` finds both.
pub(super) fn set_aside(path: &Path, now: UnixMicros) -> io::Result<PathBuf> {
    let seconds = now.0.div_euclid(1_000_000);
    let names = std::iter::successors(Some(seconds), |seconds| seconds.checked_add(1));
    let mut names = names.take(ASIDE_MAX).map(|seconds| beside(path, &format!(".corrupt-{seconds}")));
    let aside = names.find(|aside| !aside.exists()).ok_or(io::ErrorKind::AlreadyExists)?;
    for ending in COMPANIONS {
        match std::fs::rename(beside(path, ending), beside(&aside, ending)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            Ok(()) | Err(_) => {}
        }
    }
    std::fs::rename(path, &aside)?;
    Ok(aside)
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(ending);
    name.into()
}
