//! `tidemill queue`: how full the queues are; stop and go.

use clap::{Args, Subcommand};
use common::broker::{BrokerDesk, Census};
use common::queue::QueueName;
use common::settings::{Flags, nearest};
use serde_json::json;

use crate::amount::{age, count};
use crate::cli::Global;
use crate::columns::{Align, columns};
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, print_line};

/// Show the queues; pause and resume them
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill queue ls
  tidemill queue pause          workers finish what they have and take no more
  tidemill queue resume --queue websocket_data")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List all queues
    Ls {
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Let workers take no more tasks; leased ones are finished, new ones still accepted
    Pause(Which),
    /// Let workers take tasks again
    Resume(Which),
}

#[derive(Debug, Args)]
struct Which {
    /// Which queue [default: the setting queue.name]
    #[arg(long, value_name = "NAME")]
    queue: Option<QueueName>,
}

/// Does what the verb says.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, Flags::new())?;
    block_on(async {
        let broker = context.broker().await?;
        match &arguments.verb {
            Verb::Ls { json } => list(&*broker, *json).await?,
            Verb::Pause(which) => {
                let queue = known(&*broker, which.queue.as_ref(), &context).await?;
                broker.set_paused(&queue, true).await?;
                print_line(&format!("{queue} is paused; tidemill queue resume --queue {queue} lets it go on"))?;
            }
            Verb::Resume(which) => {
                let queue = known(&*broker, which.queue.as_ref(), &context).await?;
                broker.set_paused(&queue, false).await?;
                print_line(&format!("{queue} goes on"))?;
            }
        }
        Ok(Exit::Ok)
    })
}

/// The queue that is meant: the settings' own, which may be empty yet, or one that the broker knows.
pub(crate) async fn known(
    desk: &(impl BrokerDesk + ?Sized),
    asked: Option<&QueueName>,
    context: &Context,
) -> Result<QueueName, Failure> {
    let own = &context.settings.queue.name;
    let Some(asked) = asked.filter(|asked| *asked != own) else { return Ok(own.clone()) };
    let mut queues = desk.queues().await?;
    queues.push(own.clone());
    if queues.contains(asked) { Ok(asked.clone()) } else { Err(Failure::new(unknown(asked, &queues))) }
}

fn unknown(asked: &QueueName, queues: &[QueueName]) -> Diagnostic {
    let names = queues.iter().map(QueueName::as_str);
    let fix = nearest(asked.as_str(), names).map_or_else(
        || "see all queues: tidemill queue ls".to_owned(),
        |near| format!("did you mean `{near}`?   See all queues: tidemill queue ls"),
    );
    Diagnostic::new(Code::UnknownQueue, format!("unknown queue `{asked}`")).fix(fix)
}

async fn list(desk: &(impl BrokerDesk + ?Sized), as_json: bool) -> Result<(), Failure> {
    let mut queues = Vec::new();
    for queue in desk.queues().await? {
        let census = desk.census(&queue).await?;
        queues.push((queue, census));
    }
    if as_json {
        let queues: Vec<_> = queues.iter().map(|(name, census)| json!({ "name": name, "census": census })).collect();
        return print_json(&json!({ "schema": 1, "queues": queues }));
    }
    if queues.is_empty() {
        return print_line("no queue yet");
    }
    print(&table(&queues, common::clock::now()))
}

fn table(queues: &[(QueueName, Census)], now: common::clock::UnixMicros) -> String {
    use Align::{Left, Right};
    let head = [
        ("QUEUE", Left),
        ("STATE", Left),
        ("WAITING", Right),
        ("OLDEST", Right),
        ("LEASED", Right),
        ("DELAYED", Right),
        ("DEAD", Right),
        ("ACCEPTED", Right),
        ("SETTLED", Right),
        ("LOST", Right),
    ];
    let row = |(name, census): &(QueueName, Census)| {
        let ledger = &census.ledger;
        let oldest = census.oldest_at.map_or_else(|| "-".to_owned(), |at| age(at.age_at(now)));
        let mut row = vec![name.to_string(), if census.paused { "paused" } else { "open" }.to_owned()];
        row.extend([count(ledger.waiting), oldest]);
        let rest = [ledger.leased, ledger.delayed, ledger.dead, ledger.accepted, ledger.settled, ledger.lost()];
        row.extend(rest.map(count));
        row
    };
    columns(&head, &queues.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use common::clock::UnixMicros;
    use common::ledger::Ledger;

    use super::*;

    #[test]
    fn the_list_of_queues_stands_in_columns() {
        let ledger = Ledger {
            accepted: 12_000,
            settled: 11_800,
            waiting: 184,
            leased: 10,
            dead: 2,
            delayed: 3,
            ..Default::default()
        };
        let census = Census { ledger, oldest_at: Some(UnixMicros(959_000)), leases: 1, paused: true, generation: None };
        let queues = [("websocket_data".parse().unwrap(), census), ("spare".parse().unwrap(), Census::default())];
        insta::assert_snapshot!(table(&queues, UnixMicros(1_000_000)), @r#"
        QUEUE           STATE   WAITING  OLDEST  LEASED  DELAYED  DEAD  ACCEPTED  SETTLED  LOST
        websocket_data  paused      184   41 ms      10        3     2    12,000   11,800     1
        spare           open          0       -       0        0     0         0        0     0
        "#);
    }

    #[test]
    fn a_misspelt_queue_gets_a_suggestion() {
        let queues = ["websocket_data".parse().unwrap(), "spare".parse().unwrap()];
        let diagnostic = unknown(&"websoket_data".parse().unwrap(), &queues);
        assert!(diagnostic.the_fix().unwrap().starts_with("did you mean `websocket_data`?"));
    }
}
