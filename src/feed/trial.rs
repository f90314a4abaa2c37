//! `tidemill feed test`: does a feed work from here, with these settings? Nothing is queued or stored.

use std::time::Duration;

use clap::Args;
use common::settings::{Flags, redacted};
use common::shutdown::Shutdown;
use listener::{ListenerOptions, Probed};

use self::report::{First, Report, TokenFound, Verdict};
use crate::amount::time;
use crate::context::Context;
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::listener::{FeedArguments, equipped, options};
use crate::output::{print, print_json};

mod report;
mod text;

/// Symbols that are tried: enough that one of them moves, few enough for every plan.
const SYMBOLS_MAX: usize = 5;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(flatten)]
    feed: FeedArguments,
    /// How long to wait for the first message, e.g. 30s
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = time)]
    patience: Duration,
    /// As JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// The same as settings.
    pub(super) fn flags(&self) -> Flags {
        self.feed.flags()
    }
}

/// Connects once and tells what came of it.
pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<Exit, Failure> {
    let options = few_symbols(options(&context.settings, context)?);
    let Some(options) = equipped(options, context, &Shutdown::new()).await? else { return Ok(Exit::Ok) };
    let report = attempt(&options, arguments.patience).await?;
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&text::render(&report))?;
    }
    Ok(report.result.exit())
}

/// So few that one connection carries them.
fn few_symbols(mut options: ListenerOptions) -> ListenerOptions {
    options.symbols.truncate(SYMBOLS_MAX);
    options.shards.symbols_per_connection = options.shards.symbols_per_connection.max(SYMBOLS_MAX);
    options
}

async fn attempt(options: &ListenerOptions, patience: Duration) -> Result<Report, Failure> {
    let mut report = Report {
        schema: 1,
        feed: options.feed.name(),
        endpoint: redacted(options.endpoint.as_deref().unwrap_or_else(|| options.feed.endpoints().socket)),
        symbols: options.symbols.clone(),
        token: token(options).await,
        connection: None,
        first: None,
        took_ms: 0,
        result: Verdict::NotConnected,
    };
    // Without a token there is nothing to try: a listener would wait for one.
    if report.token.is_missing() {
        return Ok(report);
    }
    let probed = listener::probe(options, patience).await;
    let Probed { connection, first, took } =
        probed.map_err(|error| Failure::new(Diagnostic::new(Code::Listener, error.to_string())))?;
    report.took_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    report.first = first.map(|task| First::read(&task, &options.catalog.current()));
    report.connection = connection;
    report.result = Verdict::of(report.connection.as_ref(), report.first.as_ref());
    Ok(report)
}

/// The listener asks the same vault a moment later, and gets the same answer.
async fn token(options: &ListenerOptions) -> TokenFound {
    let Some(vault) = &options.vault else { return TokenFound::NotWanted };
    match vault.token().await {
        Ok(None) => TokenFound::NotWanted,
        Ok(Some(token)) => TokenFound::Fingerprint(token.fingerprint.to_string()),
        Err(none) => TokenFound::Missing(none.asked.iter().map(ToString::to_string).collect()),
    }
}
