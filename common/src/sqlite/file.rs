//! The file under a connection: who may read it, and whether it is still the one that was opened.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use diesel::ConnectionError;

/// Which file was opened.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) path: PathBuf,
    /// Beside the file itself, wherever a link to it lies: <https://sqlite.org/wal.html#the_wal_file>.
    log_path: PathBuf,
    log: Mutex<Option<Arc<File>>>,
    #[cfg(unix)]
    identity: (u64, u64),
}

impl Opened {
    /// Remembers the file at `path`.
    pub(super) fn look(path: &Path) -> Result<Self, ConnectionError> {
        let mut log = path.canonicalize().map_err(|problem| bad(path, &problem))?.into_os_string();
        log.push("-wal");
        Ok(Self {
            path: path.to_owned(),
            log_path: log.into(),
            log: Mutex::default(),
            #[cfg(unix)]
            identity: identity(path).map_err(|problem| bad(path, &problem))?,
        })
    }

    /// The write-ahead log. Kept open: the system tells of a failed write whoever had the file open by then.
    pub(super) fn log(&self) -> io::Result<Arc<File>> {
        let mut log = self.kept_log();
        if let Some(log) = &*log {
            return Ok(Arc::clone(log));
        }
        let opened = Arc::new(File::options().write(true).open(&self.log_path)?);
        *log = Some(Arc::clone(&opened));
        Ok(opened)
    }

    /// The connection is closed, and SQLite deletes the log with the last one: another one has another log.
    pub(super) fn forget_log(&self) {
        *self.kept_log() = None;
    }

    fn kept_log(&self) -> MutexGuard<'_, Option<Arc<File>>> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether the path still names that file.
    #[cfg(unix)]
    pub(super) fn is_in_place(&self) -> bool {
        identity(&self.path).is_ok_and(|identity| identity == self.identity)
    }

    /// Open files cannot be deleted here.
    #[cfg(not(unix))]
    pub(super) fn is_in_place(&self) -> bool {
        self.path.exists()
    }
}

/// Device and inode.
#[cfg(unix)]
fn identity(path: &Path) -> io::Result<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).map(|file| (file.dev(), file.ino()))
}

/// Makes sure that there is a file, in a folder, which only its owner may read if it is new.
pub(super) fn prepare(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    match path.parent() {
        Some(folder) if folder.exists() && !folder.is_dir() => return Err(io::ErrorKind::NotADirectory.into()),
        Some(folder) => create_folder(folder)?,
        None => (),
    }
    match create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// Makes a folder where there is none, which only its owner may look into, whatever the umask.
#[cfg(unix)]
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
pub(crate) fn create_folder(folder: &Path) -> io::Result<()> {
    std::fs::create_dir_all(folder)
}

#[cfg(unix)]
fn create(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path).map(drop)
}

#[cfg(not(unix))]
fn create(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// A file that cannot be opened, and why.
pub(super) fn bad(path: &Path, problem: &io::Error) -> ConnectionError {
    ConnectionError::BadConnection(format!("{}: {problem}", path.display()))
}
