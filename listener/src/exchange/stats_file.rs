//! Writes the figures where scripts can read them.

use std::path::PathBuf;

use tracing::warn;

use super::stats::ExchangeReport;

/// A file that always holds one whole report.
#[derive(Debug)]
pub(super) struct StatsFile {
    path: Option<PathBuf>,
    has_failed: bool,
}

impl StatsFile {
    pub(super) fn new(path: Option<PathBuf>) -> Self {
        Self { path, has_failed: false }
    }

    /// Replaces the file. A failure is reported when it starts, and does not stop the exchange.
    pub(super) async fn write(&mut self, report: &ExchangeReport) {
        let Some(path) = &self.path else { return };
        let outcome = match serde_json::to_vec_pretty(report) {
            Ok(text) => replace(path, text).await,
            Err(error) => Err(error.into()),
        };
        if let Err(error) = &outcome
            && !self.has_failed
        {
            warn!(%error, "cannot write the figures to {}", path.display());
        }
        self.has_failed = outcome.is_err();
    }
}

/// Writes beside and renames, so that a reader never sees half a file.
async fn replace(path: &std::path::Path, text: Vec<u8>) -> std::io::Result<()> {
    let mut beside = path.as_os_str().to_owned();
    beside.push(".part");
    tokio::fs::write(&beside, text).await?;
    tokio::fs::rename(&beside, path).await
}
