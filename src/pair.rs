//! Which queue and which store a system of our own gets.

use clap::ValueEnum;

/// A queue and a store that go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pair {
    /// SQLite files.
    Embedded,
    /// Redis and PostgreSQL, started from this machine's programs.
    Servers,
}
