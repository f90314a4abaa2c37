//! `tidemill record`: write a feed's raw frames to files.

use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use common::shutdown::Shutdown;
use listener::recorder;

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::listener::{FeedArguments, equipped, options};
use crate::output::print_line;
use crate::part;

const EXAMPLES: &str = "\
Examples:
  tidemill record --feed binance --symbols BTCUSDT,ETHUSDT --to recordings
  tidemill exchange --feed binance --replay recordings/binance/2026-11-25.jsonl.gz --speed 10x";

/// Write a feed's raw frames, with their receive time, to compressed files
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    feed: FeedArguments,
    /// Folder for the files; one folder per feed is made in it
    #[arg(long, value_name = "FOLDER", default_value = "recordings")]
    to: PathBuf,
}

/// Records until it is asked to stop.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, arguments.feed.flags())?;
    let options = options(&context.settings, &context)?;
    block_on(async {
        let shutdown = Shutdown::new();
        part::stop_on_signals(&shutdown, false)?;
        let Some(mut options) = equipped(options, &context, &shutdown).await? else { return Ok(Exit::Ok) };
        let (recorder, recording) = recorder::start(&arguments.to, options.feed.name()).map_err(|e| failure(&e))?;
        options.recorder = Some(Arc::new(recorder));
        let folder = arguments.to.join(options.feed.name());
        print_line(&format!("recording into {}", folder.display()))?;
        let ended = listener::record(options, shutdown).await;
        let counts = recording.end().await.map_err(|error| failure(&error))?;
        ended.map_err(|error| Failure::new(Diagnostic::new(Code::Listener, error.to_string())))?;
        print_line(&format!("{} frames written, {} given up", counts.frames, counts.given_up))?;
        Ok(if counts.given_up == 0 { Exit::Ok } else { Exit::Failed })
    })
}

fn failure(error: &recorder::RecordError) -> Failure {
    let source = std::error::Error::source(error).map(ToString::to_string).unwrap_or_default();
    let fix = "choose another folder with --to, or make room";
    Failure::new(Diagnostic::new(Code::Listener, format!("{error}: {source}")).fix(fix))
}
