//! `tidemill`: live market data into a database, through a distributed task queue.

use std::process::ExitCode;

fn main() -> ExitCode {
    tidemill::run(std::env::args_os())
}
