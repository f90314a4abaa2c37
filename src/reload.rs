//! SIGHUP: settings are read again. What can change at run time does, what cannot is named, and a file that is wrong
//! changes nothing.

use common::settings::{Flags, Settings};
use common::shutdown::Shutdown;
use tokio::sync::watch;
use tracing::{info, warn};

use crate::cli::Global;
use crate::context::Context;
use crate::failure::Failure;
use crate::logging;

/// What every part takes over from new settings.
const ALWAYS: &[&str] = &["log.level"];

/// Where the settings of a running part come from.
#[derive(Debug)]
pub(crate) struct Reloader {
    global: Global,
    flags: Flags,
    current: Context,
    /// Settings that this part takes over while it runs.
    live: &'static [&'static str],
}

impl Reloader {
    /// `current` was read with these.
    pub(crate) fn new(global: &Global, flags: Flags, current: Context, live: &'static [&'static str]) -> Self {
        Self { global: global.clone(), flags, current, live }
    }

    /// Reads the settings whenever `asked` says so, until the stop, and hands good ones to `apply`.
    pub(crate) async fn run(
        mut self,
        mut asked: watch::Receiver<u64>,
        shutdown: Shutdown,
        mut apply: impl FnMut(&Settings) + Send,
    ) {
        while let Some(Ok(())) = shutdown.run_until(asked.changed()).await {
            if let Some(settings) = self.read_again() {
                apply(&settings);
            }
        }
    }

    /// The new settings, if they are good and differ.
    fn read_again(&mut self) -> Option<Settings> {
        let context = match Context::read(&self.global, self.flags.clone()) {
            Ok(context) => context,
            Err(failure) => {
                refused(&failure);
                return None;
            }
        };
        let changed = self.current.resolved.changed(&context.resolved);
        let is_live = |key: &&&str| self.live.contains(*key) || ALWAYS.contains(*key);
        let (live, fixed): (Vec<&str>, Vec<&str>) = changed.iter().partition(|key| is_live(key));
        if !fixed.is_empty() {
            warn!("{} changed: restart to use it", fixed.join(", "));
        }
        info!(changed = ?live, "settings were read again");
        logging::set_level(&context.settings.log);
        self.current = context;
        Some(self.current.settings.clone())
    }
}

fn refused(failure: &Failure) {
    let Failure::Told { diagnostics, .. } = failure else { return };
    for problem in diagnostics {
        let place = problem.place.as_deref().map(|place| format!(" ({place})")).unwrap_or_default();
        warn!("settings were not read again, the earlier ones stay: {}{place}", problem.title);
    }
}
