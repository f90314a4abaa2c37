//! What the user sees of a bug: a short report instead of a backtrace.

use std::panic::PanicHookInfo;

use crate::output::{complain, printable};

/// Replaces the standard panic message for all threads. The main thread's panic then ends with exit code 70.
pub(crate) fn install() {
    std::panic::set_hook(Box::new(|panic| complain(&report(panic))));
}

fn report(panic: &PanicHookInfo<'_>) -> String {
    let said = panic.payload_as_str().map_or_else(|| "no message".to_owned(), printable);
    let place = panic.location().map_or_else(|| "an unknown place".to_owned(), ToString::to_string);
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed");
    let backtrace = std::backtrace::Backtrace::capture();
    let trace = if backtrace.status() == std::backtrace::BacktraceStatus::Captured {
        format!("\n{backtrace}")
    } else {
        "\n  = note  RUST_BACKTRACE=1 shows the way here".to_owned()
    };
    format!(
        "error[TM-900]: a bug in tidemill {}: {said}\n  --> {place}, thread {thread}\n  \
         = safe  what was not acknowledged is delivered again{trace}",
        env!("CARGO_PKG_VERSION")
    )
}
