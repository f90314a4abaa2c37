//! Bells between processes: a folder beside the database with a datagram socket for each one that waits.
//!
//! Who has committed something to take sends a byte to every socket there. It stays in the socket's buffer until its
//! owner waits, so a ring between a look and a wait is heard; a buffer that is full rings already. The socket of a
//! process that was killed refuses the byte, and its file is removed.

#[cfg(not(unix))]
pub(super) use elsewhere::Bells;
#[cfg(unix)]
pub(super) use unix::Bells;

#[cfg(unix)]
mod unix {
    use std::ffi::OsString;
    use std::fs;
    use std::io;
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::net::UnixDatagram as Ringer;
    use std::path::{Path, PathBuf};
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;
    use tokio::net::UnixDatagram;

    use crate::broker::{Bell, BrokerError};
    use crate::presence::InstanceId;
    use crate::sqlite::create_folder;

    /// Of a socket's name, which is as short as chance allows: a path of more than about 100 bytes is refused.
    const NAME_DIGITS: usize = 12;

    /// The bells of one database.
    #[derive(Debug)]
    pub(in super::super) struct Bells {
        folder: PathBuf,
        ringer: Option<Ringer>,
    }

    impl Bells {
        /// Those of the processes that use `database`.
        pub(in super::super) fn beside(database: &Path) -> Self {
            let mut folder = OsString::from(database);
            folder.push("-bells");
            let ringer = Ringer::unbound().and_then(|ringer| ringer.set_nonblocking(true).map(|()| ringer));
            Self { folder: folder.into(), ringer: ringer.ok() }
        }

        /// Wakes whoever waits. Costs an empty folder's look where nobody does.
        pub(in super::super) fn ring(&self) {
            let (Some(ringer), Ok(bells)) = (&self.ringer, fs::read_dir(&self.folder)) else { return };
            for bell in bells.flatten() {
                let path = bell.path();
                let is_orphan = ringer.send_to(&[1], &path).is_err_and(|error| is_orphaned(&error));
                if is_orphan && bell.file_type().is_ok_and(|kind| kind.is_socket()) {
                    drop(fs::remove_file(path)); // another one may have been faster
                }
            }
        }

        /// Hangs a bell. `place` names the database in errors.
        pub(in super::super) fn hang(&self, place: &Arc<str>) -> Box<dyn Bell> {
            self.ring(); // removes what killed processes have left
            let hung = create_folder(&self.folder).and_then(|()| {
                let id = InstanceId::fresh().to_string();
                let path = self.folder.join(&id[id.len().saturating_sub(NAME_DIGITS)..]);
                Ok(Hung { socket: UnixDatagram::bind(&path)?, path })
            });
            Box::new(SqliteBell { place: Arc::clone(place), folder: self.folder.clone(), hung })
        }
    }

    fn is_orphaned(error: &io::Error) -> bool {
        error.kind() == io::ErrorKind::ConnectionRefused
    }

    #[derive(Debug)]
    struct SqliteBell {
        place: Arc<str>,
        folder: PathBuf,
        hung: io::Result<Hung>,
    }

    #[derive(Debug)]
    struct Hung {
        socket: UnixDatagram,
        path: PathBuf,
    }

    impl Drop for Hung {
        fn drop(&mut self) {
            drop(fs::remove_file(&self.path)); // whoever rings next removes it otherwise
        }
    }

    impl SqliteBell {
        fn deaf(&self, error: &io::Error) -> BrokerError {
            BrokerError::Unfit {
                place: self.place.to_string(),
                problem: format!("its bell cannot be hung in {}: {error}", self.folder.display()),
                fix: "keep the file in a folder that may be written to, under a path shorter than 80 bytes".to_owned(),
            }
        }
    }

    #[async_trait]
    impl Bell for SqliteBell {
        async fn rung(&mut self, at_most: Duration) -> Result<(), BrokerError> {
            let hung = self.hung.as_ref().map_err(|error| self.deaf(error))?;
            let mut byte = [0];
            if let Ok(Err(error)) = tokio::time::timeout(at_most, hung.socket.recv(&mut byte)).await {
                return Err(self.deaf(&error));
            }
            // The look that follows sees what all of these were rung for.
            while hung.socket.try_recv(&mut byte).is_ok() {}
            Ok(())
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use async_trait::async_trait;

    use crate::broker::{Bell, BrokerError};

    /// There are none here.
    #[derive(Debug)]
    pub(in super::super) struct Bells;

    impl Bells {
        pub(in super::super) fn beside(_database: &Path) -> Self {
            Self
        }

        pub(in super::super) fn ring(&self) {}

        pub(in super::super) fn hang(&self, place: &Arc<str>) -> Box<dyn Bell> {
            Box::new(Deaf(Arc::clone(place)))
        }
    }

    #[derive(Debug)]
    struct Deaf(Arc<str>);

    #[async_trait]
    impl Bell for Deaf {
        async fn rung(&mut self, _at_most: Duration) -> Result<(), BrokerError> {
            Err(BrokerError::Unfit {
                place: self.0.to_string(),
                problem: "there are no bells between processes on this system".to_owned(),
                fix: "nothing: workers look for tasks instead".to_owned(),
            })
        }
    }
}
