//! The log: to standard error, text for a terminal, JSON lines for machines.

use std::io::IsTerminal;
use std::sync::OnceLock;

use common::settings::{LogFormat, LogSettings};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::time::SystemTime;

use crate::diagnostic::{Code, Diagnostic};
use crate::failure::Failure;

/// Starts the log of this process. A second call in one process changes nothing.
pub(crate) fn start(settings: &LogSettings) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(&settings.level).map_err(|error| {
        Failure::new(
            Diagnostic::new(Code::BadValue, format!("`log.level` is no filter: {error}"))
                .fix("a level such as `info`, or `info,worker=debug`"),
        )
    })?;
    let terminal = std::io::stderr().is_terminal();
    let text = match settings.format {
        LogFormat::Text => true,
        LogFormat::Json => false,
        LogFormat::Auto => terminal,
    };
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_timer(SystemTime)
        // It would complain to standard error and panic when that is closed: a log without a reader must stop nothing.
        .log_internal_errors(false);
    let started = if text {
        let log = log.with_ansi(terminal && anstream::stderr().is_terminal() && wants_colour()).with_target(false);
        let log = log.with_filter_reloading();
        let handle = log.reload_handle();
        log.try_init().map(|()| remember(move |filter| handle.reload(filter).is_ok()))
    } else {
        let log = log.json().flatten_event(true).with_current_span(false).with_span_list(true);
        let log = log.with_filter_reloading();
        let handle = log.reload_handle();
        log.try_init().map(|()| remember(move |filter| handle.reload(filter).is_ok()))
    };
    // Already started, by a test of the same process: its log is as good.
    drop(started);
    Ok(())
}

/// Changes the level of the running log. The format stays.
pub(crate) fn set_level(settings: &LogSettings) {
    let filter = EnvFilter::try_new(&settings.level);
    let changed = filter.is_ok_and(|filter| SET_FILTER.get().is_none_or(|set| set(filter)));
    if !changed {
        tracing::warn!("the level of the log stays: `{}` is no filter", settings.level);
    }
}

type SetFilter = Box<dyn Fn(EnvFilter) -> bool + Send + Sync>;

static SET_FILTER: OnceLock<SetFilter> = OnceLock::new();

fn remember(set: impl Fn(EnvFilter) -> bool + Send + Sync + 'static) {
    // The first log of a process is the one that runs.
    drop(SET_FILTER.set(Box::new(set)));
}

fn wants_colour() -> bool {
    !matches!(anstream::AutoStream::choice(&std::io::stderr()), anstream::ColorChoice::Never)
}
