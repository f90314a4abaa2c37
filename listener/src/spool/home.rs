//! The folder of the spools: `GROUP.N.db`, N from 1, each with a lock that one process holds.
//!
//! The lock is a file of its own, as spools come and go, and is given up by the system when its process dies.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

/// Processes of one group on one machine that may spool at once.
const SLOTS_MAX: u32 = 64;

/// Knows the names.
#[derive(Debug)]
pub(super) struct Home {
    folder: PathBuf,
    group: Box<str>,
}

/// The right to a file's name.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) number: u32,
    /// Locked until it is dropped.
    _lock: File,
}

impl Home {
    pub(super) fn new(folder: PathBuf, group: &str) -> Self {
        Self { folder, group: group.into() }
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    pub(super) fn path(&self, number: u32) -> PathBuf {
        self.folder.join(format!("{}.{number}.db", self.group))
    }

    /// The files that no living process has.
    pub(super) fn left_behind(&self) -> Vec<Slot> {
        let numbers = (1..=SLOTS_MAX).filter(|number| self.path(*number).exists());
        // One that cannot be locked is somebody's, or is seen again when we look for a free one.
        numbers.filter_map(|number| self.lock(number).ok().flatten()).collect()
    }

    /// A name that nobody has, in a folder that only its owner may read.
    pub(super) fn claim(&self) -> io::Result<Slot> {
        self.make_folder()?;
        for number in 1..=SLOTS_MAX {
            if let Some(slot) = self.lock(number)? {
                return Ok(slot);
            }
        }
        Err(io::Error::other(format!("{SLOTS_MAX} processes of group {} spool already", self.group)))
    }

    fn lock(&self, number: u32) -> io::Result<Option<Slot>> {
        let mut how = OpenOptions::new();
        how.write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut how, 0o600);
        let lock = how.open(self.folder.join(format!("{}.{number}.lock", self.group)))?;
        match lock.try_lock() {
            Ok(()) => Ok(Some(Slot { number, _lock: lock })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(problem)) => Err(problem),
        }
    }

    fn make_folder(&self) -> io::Result<()> {
        if self.folder.is_dir() {
            return Ok(());
        }
        if let Some(parent) = self.folder.parent() {
            fs::create_dir_all(parent)?;
        }
        let mut how = DirBuilder::new();
        how.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut how, 0o700);
        how.create(&self.folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_belongs_to_one_and_is_free_again_when_its_owner_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("spool"), "binance");
        assert!(home.left_behind().is_empty() && !home.folder().exists(), "looking makes nothing");
        let (first, second) = (home.claim().unwrap(), home.claim().unwrap());
        assert_eq!((first.number, second.number), (1, 2));
        for number in [1, 2] {
            fs::write(home.path(number), b"").unwrap();
        }
        assert!(home.left_behind().is_empty());
        drop(first);
        assert_eq!(home.left_behind().iter().map(|slot| slot.number).collect::<Vec<_>>(), [1]);
        assert_eq!(home.claim().unwrap().number, 1);
        let other = Home::new(folder.path().join("spool"), "kite");
        assert_eq!(other.claim().unwrap().number, 1);
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_read() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let home = Home::new(folder.path().join("spool"), "binance");
        let _slot = home.claim().unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(home.folder()), 0o700);
        assert_eq!(mode(&home.folder().join("binance.1.lock")), 0o600);
    }
}
