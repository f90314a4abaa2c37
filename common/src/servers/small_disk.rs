//! A file system that is soon full. Only root may have one.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{ServerError, program};

/// A file system in memory, mounted on a folder until it is dropped.
#[derive(Debug)]
pub struct SmallDisk(PathBuf);

impl SmallDisk {
    /// Mounts one of so many bytes on `folder`; `None` for those who are not root.
    ///
    /// # Errors
    /// When root may not mount either, as in most containers.
    pub fn mount(folder: &Path, bytes: u64) -> Result<Option<Self>, ServerError> {
        if !rustix::process::geteuid().is_root() {
            return Ok(None);
        }
        std::fs::create_dir_all(folder).map_err(ServerError::system("create a folder"))?;
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={bytes},mode=0700"), "tmpfs"]).arg(folder);
        program::run(&mut mount)?;
        Ok(Some(Self(folder.to_owned())))
    }

    /// Where it is mounted.
    pub fn folder(&self) -> &Path {
        &self.0
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Whoever still writes there writes into nothing.
        drop(program::run(Command::new("umount").arg("--lazy").arg(&self.0)));
    }
}
