//! What every long-running part shares: when to stop.

use std::ffi::OsString;
use std::io::{IsTerminal, Read};
use std::path::PathBuf;

use common::masters::{Catalogs, Freshness, Loaded, Masters};
use common::shutdown::Shutdown;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tracing::info;

use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;

/// Begins `shutdown` on the first SIGINT, SIGTERM or SIGQUIT; leaves at once on the second.
///
/// A supervised part stops when its standard input closes, so that it never outlives its launcher.
pub(crate) fn stop_on_signals(shutdown: &Shutdown, supervised: bool) -> Result<(), Failure> {
    watch_signals(shutdown, supervised).map(drop)
}

/// As [`stop_on_signals`]. What is returned changes when the settings shall be read again: on SIGHUP, or when a launcher
/// writes something. Who runs in a terminal stops on SIGHUP, as the terminal is gone.
pub(crate) fn watch_signals(shutdown: &Shutdown, supervised: bool) -> Result<watch::Receiver<u64>, Failure> {
    let refused = |error| Failure::new(Diagnostic::new(Code::Runtime, format!("cannot listen for signals: {error}")));
    let mut interrupt = signal(SignalKind::interrupt()).map_err(refused)?;
    let mut terminate = signal(SignalKind::terminate()).map_err(refused)?;
    let mut quit = signal(SignalKind::quit()).map_err(refused)?;
    let mut hangup = signal(SignalKind::hangup()).map_err(refused)?;
    // By default these would end the process in the middle of its work.
    let mut user = signal(SignalKind::user_defined1()).map_err(refused)?;
    let mut user_too = signal(SignalKind::user_defined2()).map_err(refused)?;
    let stop = shutdown.clone();
    let (reload, reloads) = watch::channel(0);
    let by_launcher = reload.clone();
    let has_terminal = std::io::stdin().is_terminal();
    tokio::spawn(async move {
        loop {
            let name = tokio::select! {
                _ = interrupt.recv() => "SIGINT",
                _ = terminate.recv() => "SIGTERM",
                _ = quit.recv() => "SIGQUIT",
                _ = user.recv() => continue,
                _ = user_too.recv() => continue,
                _ = hangup.recv() => if has_terminal { "SIGHUP" } else {
                    reload.send_modify(|times| *times += 1);
                    continue;
                },
            };
            if stop.has_begun() {
                leave_now();
            }
            stop.begin();
            info!("{name}: stopping; a second one leaves at once");
        }
    });
    if supervised {
        obey_input(shutdown.clone(), by_launcher);
    }
    Ok(reloads)
}

/// Reads symbol masters and keeps them fresh until `shutdown`; `None` when that begins before they are read.
pub(crate) async fn instruments(masters: Masters, shutdown: &Shutdown) -> Option<Catalogs> {
    let Loaded { catalog, reports } = shutdown.run_until(masters.load(Freshness::Cached)).await?;
    let catalogs = Catalogs::new(catalog);
    shutdown.spawn("masters", masters.keep_fresh(catalogs.clone(), reports, shutdown.clone()));
    Some(catalogs)
}

/// The launcher under its own name; it takes parts as arguments behind this word.
pub(crate) const LAUNCHER: &str = "start_system";

/// Before the name of a part, when the program is [`LAUNCHER`].
pub const AS_TIDEMILL: &str = "tidemill";

/// How to run a part of the program that runs now; never one that happens to be on the path.
#[derive(Debug, Clone)]
pub(crate) struct OwnProgram {
    /// Ourselves.
    pub(crate) path: PathBuf,
    /// What comes before a part's name.
    pub(crate) prefix: Vec<OsString>,
}

impl OwnProgram {
    /// Finds it. The launcher may be all that was built, so it can be every part, too.
    pub(crate) fn find() -> Result<Self, Failure> {
        let unknown =
            |error| Failure::new(Diagnostic::new(Code::Runtime, format!("cannot find our own program: {error}")));
        let path = std::env::current_exe().map_err(unknown)?;
        let is_launcher = path.file_stem().is_some_and(|name| name == LAUNCHER);
        let prefix = if is_launcher { vec![AS_TIDEMILL.into()] } else { Vec::new() };
        Ok(Self { path, prefix })
    }
}

/// A thread of its own: a blocked read on the runtime would keep the process from ending.
fn obey_input(shutdown: Shutdown, reload: watch::Sender<u64>) {
    std::thread::spawn(move || {
        let mut unused = [0_u8; 256];
        // Whatever is written asks for the settings to be read again; the end asks to stop. An error is an end, too.
        while matches!(std::io::stdin().read(&mut unused), Ok(1..)) {
            reload.send_modify(|times| *times += 1);
        }
        shutdown.begin();
    });
}

#[expect(clippy::exit, reason = "asked for twice: nothing is lost, leased work comes again")]
fn leave_now() -> ! {
    std::process::exit(Exit::Interrupted as i32)
}
