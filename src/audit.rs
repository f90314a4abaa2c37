//! `tidemill audit`: the ledger stage by stage, with the equations that must hold and the numbers in them.

use clap::Args;
use common::broker::Broker;
use common::ledger::Ledger;
use common::presence::Presence;
use common::queue::QueueName;
use common::settings::Flags;
use serde::Serialize;

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json};

mod equation;
mod stages;
mod text;

use equation::{Equation, Verdict};

/// Show the ledger stage by stage, with the equations that must hold
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill audit
  tidemill audit --json | jq '.queues[].equations[] | select(.verdict != \"ok\")'

Exit codes: 0 balanced · 5 more ended than was accepted · 6 data lost")]
pub(crate) struct Arguments {
    /// Which queue [default: all]
    #[arg(long, value_name = "NAME")]
    queue: Option<QueueName>,
    /// As JSON, with a stable form
    #[arg(long)]
    json: bool,
}

/// What was seen at about one time; each ledger is of one moment.
#[derive(Debug, Default)]
struct Look {
    queues: Vec<(QueueName, Ledger)>,
    presences: Vec<Presence>,
    /// Ticks in the history, where it is on.
    history: Option<u64>,
}

/// The whole audit.
#[derive(Debug, Serialize)]
struct Audit {
    schema: u32,
    /// Whether every equation of every queue holds.
    balanced: bool,
    queues: Vec<Audited>,
    /// Other counters beside the ledger's. They are of other moments and other lifetimes, so they decide nothing.
    comparisons: Vec<Equation>,
}

/// One queue's equations.
#[derive(Debug, Serialize)]
struct Audited {
    name: QueueName,
    equations: Vec<Equation>,
}

/// Looks, adds up and shows.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, Flags::new())?;
    let look = block_on(look(&context, arguments.queue.as_ref()))?;
    let audit = Audit::of(&look);
    if arguments.json {
        print_json(&audit)?;
    } else {
        print(&text::render(&audit))?;
    }
    Ok(audit.exit())
}

async fn look(context: &Context, only: Option<&QueueName>) -> Result<Look, Failure> {
    if context.missing_broker_file().is_some() {
        return Ok(Look::default()); // opening it would create it
    }
    let broker = context.broker().await?;
    let names = match only {
        Some(asked) => vec![crate::queue::known(&*broker, Some(asked), context).await?],
        None => broker.queues().await?,
    };
    // The history first: what is committed is settled a moment later, never the other way round.
    let history = history(context).await;
    let queues = ledgers(&*broker, names).await?;
    Ok(Look { queues, presences: broker.presences().await?, history })
}

async fn ledgers(broker: &dyn Broker, names: Vec<QueueName>) -> Result<Vec<(QueueName, Ledger)>, Failure> {
    let mut queues = Vec::new();
    for name in names {
        let ledger = broker.census(&name).await?.ledger;
        queues.push((name, ledger));
    }
    Ok(queues)
}

/// The audit is of the queue: a store that is away only leaves its line out.
async fn history(context: &Context) -> Option<u64> {
    if !context.settings.store.history || context.missing_store_file().is_some() {
        return None;
    }
    let Ok(store) = context.store().await else { return None };
    store.history_ticks().await.ok()
}

impl Audit {
    fn of(look: &Look) -> Self {
        let queues: Vec<Audited> = look
            .queues
            .iter()
            .map(|(name, ledger)| Audited { name: name.clone(), equations: stages::equations(ledger) })
            .collect();
        let balanced = queues.iter().flat_map(|queue| &queue.equations).all(|one| one.verdict == Verdict::Ok);
        Self { schema: 1, balanced, queues, comparisons: stages::comparisons(look) }
    }

    fn exit(&self) -> Exit {
        let verdicts = || self.queues.iter().flat_map(|queue| &queue.equations).map(|equation| equation.verdict);
        match () {
            () if verdicts().any(|verdict| verdict == Verdict::Lost) => Exit::Loss,
            () if verdicts().any(|verdict| verdict == Verdict::Uncounted) => Exit::Degraded,
            () => Exit::Ok,
        }
    }
}

#[cfg(test)]
mod tests;
