//! Where parts under measurement write their latencies.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use common::latency::{Latencies, Stage};
use tempfile::TempDir;

use super::member::Member;
use super::plan::{Load, Plan};
use super::{drain, watch};
use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// Two files in a folder of their own, which goes with them.
#[derive(Debug)]
pub(crate) struct Logs {
    _folder: TempDir,
    listener: PathBuf,
    /// All workers append to one.
    workers: PathBuf,
}

impl Logs {
    /// In a new folder below this one.
    pub(crate) fn new(folder: &Path) -> Result<Self, Failure> {
        let refused = |error| Failure::new(Diagnostic::new(Code::DataDir, format!("cannot create a folder: {error}")));
        let folder = tempfile::Builder::new().prefix("latencies-").tempdir_in(folder).map_err(refused)?;
        let [listener, workers] = ["listener.hlog", "workers.hlog"].map(|name| folder.path().join(name));
        Ok(Self { _folder: folder, listener, workers })
    }

    /// What tells the parts to write there.
    pub(crate) fn environment(&self) -> [(String, String); 2] {
        let variable = |name: &str, path: &Path| (name.to_owned(), path.display().to_string());
        [
            variable("TIDEMILL_LISTENER__LATENCY_LOG", &self.listener),
            variable("TIDEMILL_WORKER__LATENCY_LOG", &self.workers),
        ]
    }

    /// Forgets what the workers were acquainted with, as soon as all of that is written down; `false` after Ctrl-C.
    pub(crate) async fn begin(&self, plan: &Plan, load: Load, parts: &mut [Member]) -> Result<bool, Failure> {
        if load.workers == 0 {
            return Ok(true);
        }
        let first = drain::acquainting(load.symbols);
        let is_noted = |_: &_| read(&self.workers).is_ok_and(|noted| first <= committed(&noted));
        if watch::until(plan, parts, "the workers have written down their first latencies", is_noted).await?.is_none() {
            return Ok(false);
        }
        // They append, so they go on at the new end.
        File::options()
            .write(true)
            .truncate(true)
            .open(&self.workers)
            .map_err(|error| unreadable(&error.to_string()))?;
        Ok(true)
    }

    /// All that was written since.
    pub(crate) fn read(&self) -> Result<Latencies, Failure> {
        let mut latencies = read(&self.listener)?;
        latencies.merge(&read(&self.workers)?).map_err(|error| unreadable(&error.to_string()))?;
        Ok(latencies)
    }
}

fn committed(latencies: &Latencies) -> u64 {
    latencies.summary(Stage::ReceivedToCommitted).map_or(0, |figures| figures.count)
}

fn read(path: &Path) -> Result<Latencies, Failure> {
    let log = fs::read(path).map_err(|error| unreadable(&error.to_string()))?;
    Latencies::read(&log).map_err(|error| unreadable(&error.to_string()))
}

/// A part has not kept to the format, or has none of it.
pub(crate) fn unreadable(problem: &str) -> Failure {
    Failure::new(Diagnostic::new(Code::PartEnded, format!("the latencies of a part cannot be read: {problem}")))
}
