//! `tidemill migrate`: create or upgrade the tables.

use clap::Args;
use common::settings::Flags;

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::print_line;

/// Create or upgrade the tables of the store
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// Applies what is missing and says what that was.
pub(crate) fn run(_arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, Flags::new())?;
    let applied = block_on(async { Ok(context.store().await?.migrate().await?) })?;
    for migration in &applied {
        print_line(&format!("applied {migration}"))?;
    }
    let place = context.store_place();
    print_line(&match applied.len() {
        0 => format!("{place} is up to date"),
        1 => format!("{place} is up to date now: 1 migration applied"),
        many => format!("{place} is up to date now: {many} migrations applied"),
    })?;
    Ok(Exit::Ok)
}
