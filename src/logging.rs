//! The log: to standard error, text for a terminal, JSON lines for machines.

use std::io::IsTerminal;

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
        log.with_ansi(terminal && anstream::stderr().is_terminal() && wants_colour()).with_target(false).try_init()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(true).try_init()
    };
    // Already started, by a test of the same process: its log is as good.
    drop(started);
    Ok(())
}

fn wants_colour() -> bool {
    !matches!(anstream::AutoStream::choice(&std::io::stderr()), anstream::ColorChoice::Never)
}
