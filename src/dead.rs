//! `tidemill dead`: read, repair or delete what was given up.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};
use common::broker::{Broker, BrokerDesk};
use common::queue::{DeadFilter, DeadId, QueueName};
use common::settings::Flags;
use serde_json::json;

use crate::amount::{counted, time};
use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{complain, print, print_json, print_line};

mod act;
mod show;
mod transfer;

use act::Verdict;

/// Show, retry, purge and export dead letters: ticks that could not be stored
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill dead ls --reason row
  tidemill dead show 0198c5d0-7d2e-7c55-a7bb-0123456789ab
  tidemill dead retry --code 22003         after the column was widened
  tidemill dead export --older-than 30d > letters.jsonl
  tidemill dead purge --reason malformed --yes")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
    /// Which queue [default: the setting queue.name]
    #[arg(long, value_name = "NAME", global = true)]
    queue: Option<QueueName>,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List dead letters, oldest first
    Ls {
        #[command(flatten)]
        conditions: Conditions,
        /// At most this many; 0 for all
        #[arg(long, value_name = "N", default_value_t = 100)]
        limit: u64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Show one dead letter with its original bytes
    Show {
        /// Its id, from `dead ls`
        id: DeadId,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Put dead letters back on the queue
    Retry(Selection),
    /// Write dead letters to standard output, one line of JSON each, with the original bytes; they stay
    Export {
        #[command(flatten)]
        conditions: Conditions,
    },
    /// Put the tasks of an exported file on the queue, as new ones
    Import {
        /// What `dead export` wrote
        file: PathBuf,
    },
    /// Delete dead letters for good; they stay counted
    Purge {
        #[command(flatten)]
        selection: Selection,
        /// Really delete them
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Args)]
struct Conditions {
    /// Only those given up for this reason, e.g. `row`
    #[arg(long)]
    reason: Option<String>,
    /// Only those refused with this SQLSTATE, e.g. `22003`
    #[arg(long)]
    code: Option<String>,
    /// Only those about this symbol, in the provider's words
    #[arg(long)]
    symbol: Option<String>,
    /// Only those given up longer ago than this, e.g. `36h`
    #[arg(long, value_name = "TIME", value_parser = time)]
    older_than: Option<Duration>,
}

#[derive(Debug, Args)]
struct Selection {
    /// These
    #[arg(value_name = "ID", conflicts_with_all = ["reason", "code", "symbol", "older_than", "all"])]
    ids: Vec<DeadId>,
    #[command(flatten)]
    conditions: Conditions,
    /// All of them
    #[arg(long, conflicts_with_all = ["reason", "code", "symbol", "older_than"])]
    all: bool,
}

impl Conditions {
    fn filter(&self) -> DeadFilter {
        DeadFilter {
            id: None,
            reason: self.reason.as_deref().map(Into::into),
            code: self.code.as_deref().map(Into::into),
            symbol: self.symbol.as_deref().map(Into::into),
            died_before: self.older_than.map(|age| common::clock::now().before(age)),
        }
    }
}

impl Selection {
    /// Nothing said must not mean everything.
    fn check(&self) -> Result<(), Failure> {
        let said = !self.ids.is_empty() || self.all || self.conditions.filter() != DeadFilter::default();
        said.then_some(()).ok_or_else(|| {
            Failure::usage(
                "which dead letters?",
                "name ids, or --reason, --code, --symbol, --older-than, or --all   see them: tidemill dead ls",
            )
        })
    }
}

/// Does what the verb says.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    if let Verb::Retry(selection) | Verb::Purge { selection, .. } = &arguments.verb {
        selection.check()?;
    }
    let context = Context::load(global, Flags::new())?;
    block_on(async {
        let broker = context.broker().await?;
        let queue = crate::queue::known(&*broker, arguments.queue.as_ref(), &context).await?;
        verb(&*broker, &queue, &arguments.verb, &context).await
    })
}

async fn verb(broker: &dyn Broker, queue: &QueueName, verb: &Verb, context: &Context) -> Result<Exit, Failure> {
    match verb {
        Verb::Ls { conditions, limit, json } => list(broker, queue, &conditions.filter(), (*limit, *json)).await,
        Verb::Show { id, json } => show(broker, queue, *id, *json).await,
        Verb::Export { conditions } => {
            let written = transfer::export(broker, queue, &conditions.filter()).await?;
            complain(&format!("{} of {queue} written", counted(written, "dead letter")));
            Ok(Exit::Ok)
        }
        Verb::Import { file } => {
            let put = transfer::import(broker, queue, file, context.settings.queue.waiting_max).await?;
            print_line(&format!("{} put on {queue}", counted(put, "task")))?;
            Ok(Exit::Ok)
        }
        Verb::Retry(selection) => {
            let done = carry_out(broker, queue, selection, Verdict::Retry).await?;
            print_line(&format!("{} put back on {queue}", counted(done, "dead letter")))?;
            Ok(outcome(done, selection))
        }
        Verb::Purge { selection, yes: true } => {
            let done = carry_out(broker, queue, selection, Verdict::Purge).await?;
            print_line(&format!("{} purged from {queue}", counted(done, "dead letter")))?;
            Ok(outcome(done, selection))
        }
        Verb::Purge { selection, yes: false } => {
            let meant = carry_out(broker, queue, selection, Verdict::Count).await?;
            if meant == 0 {
                print_line(&format!("no such dead letters in {queue}"))?;
                return Ok(outcome(meant, selection));
            }
            let title = format!("{} of {queue} would be deleted for good", counted(meant, "dead letter"));
            Err(Failure::new(Diagnostic::new(Code::Unconfirmed, title).fix("repeat the command with --yes")))
        }
    }
}

/// Named letters that were not there are a failure; conditions that match nothing are not.
fn outcome(done: u64, selection: &Selection) -> Exit {
    if done < selection.ids.len() as u64 { Exit::Failed } else { Exit::Ok }
}

async fn carry_out(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    selection: &Selection,
    verdict: Verdict,
) -> Result<u64, Failure> {
    if selection.ids.is_empty() {
        return Ok(act::on_matching(desk, queue, &selection.conditions.filter(), verdict).await?);
    }
    Ok(act::on_named(desk, queue, &selection.ids, verdict).await?)
}

async fn list(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    filter: &DeadFilter,
    (limit, as_json): (u64, bool),
) -> Result<Exit, Failure> {
    let limit = if limit == 0 { u64::MAX } else { limit };
    let (letters, more) = act::read(desk, queue, filter, limit).await?;
    if as_json {
        print_json(&json!({ "schema": 1, "queue": queue, "letters": letters, "more": more }))?;
    } else if letters.is_empty() {
        print_line(&format!("no dead letters in {queue}"))?;
    } else {
        print(&show::table(&letters, common::clock::now()))?;
        if more {
            print_line("there are more: --limit 0 lists all")?;
        }
    }
    Ok(Exit::Ok)
}

async fn show(
    desk: &(impl BrokerDesk + ?Sized),
    queue: &QueueName,
    id: DeadId,
    as_json: bool,
) -> Result<Exit, Failure> {
    let filter = DeadFilter { id: Some(id), ..DeadFilter::default() };
    let (letters, _) = act::read(desk, queue, &filter, 1).await?;
    let Some(letter) = letters.first() else {
        let title = format!("no dead letter {id} in {queue}");
        return Err(Failure::new(Diagnostic::new(Code::UnknownLetter, title).fix("see them: tidemill dead ls")));
    };
    if as_json {
        print_json(letter)?;
    } else {
        print(&show::letter(letter))?;
    }
    Ok(Exit::Ok)
}
