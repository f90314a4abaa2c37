//! Exit codes. They are part of the interface: scripts and supervisors read them.

use std::process::ExitCode;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub(crate) enum Exit {
    /// Done, or healthy.
    Ok = 0,
    /// The command could not do all it was asked to.
    Failed = 1,
    /// The command line makes no sense.
    Usage = 2,
    /// The configuration cannot be used, or starting was refused because of it.
    Config = 3,
    /// The broker or the store cannot be reached.
    Unreachable = 4,
    /// Running, but something needs attention.
    Degraded = 5,
    /// The balance shows a loss.
    Loss = 6,
    /// A bug in this program.
    Bug = 70,
    /// A file or stream could not be read or written.
    Io = 74,
    /// Stopped by Ctrl-C before it was done.
    Interrupted = 130,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}
