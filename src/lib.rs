//! The command line: `tidemill <part>`. One file per command, each thin.
//!
//! [`run`] is the whole program; both binaries call it. A command parses its arguments, loads a [`context::Context`],
//! does its work and returns an [`exit::Exit`] or a [`failure::Failure`]. Only this package prints: data to standard
//! output, everything else to standard error.
//!
//! To add a command: a file with its arguments and `pub(crate) fn run(...)`, a variant in [`cli::Command`] with its
//! arm in `dispatch`, and its name in a group of [`cli`]'s help.

use std::ffi::OsString;
use std::process::ExitCode;

mod amount;
mod audit;
mod bench;
mod calendar;
mod chaos;
mod cli;
mod columns;
mod config;
mod context;
mod dead;
mod diagnostic;
mod doctor;
mod exchange;
mod exit;
mod failure;
mod feed;
mod fsck;
mod gaps;
mod instruments;
mod listener;
mod logging;
mod migrate;
mod output;
mod pair;
mod panic_report;
mod part;
mod queue;
mod record;
mod reload;
mod start;
mod status;
mod symbol;
mod token;
mod worker;

pub use part::AS_TIDEMILL;

/// Runs the command line `args`, the program's name first, and returns its exit code.
pub fn run(args: impl IntoIterator<Item = OsString>) -> ExitCode {
    panic_report::install();
    let args: Vec<OsString> = args.into_iter().collect();
    guarded(move || cli::run(&args)).into()
}

/// A panic of this thread is a bug, with an exit code of its own; the hook has reported it.
fn guarded(work: impl FnOnce() -> exit::Exit + std::panic::UnwindSafe) -> exit::Exit {
    std::panic::catch_unwind(work).unwrap_or(exit::Exit::Bug)
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_panic_ends_with_the_exit_code_of_a_bug() {
        assert_eq!(super::guarded(|| panic!("for the test")), super::exit::Exit::Bug);
        assert_eq!(super::guarded(|| super::exit::Exit::Loss), super::exit::Exit::Loss);
    }
}
