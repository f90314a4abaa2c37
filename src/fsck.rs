//! `tidemill fsck`: whether every task lies where something will take it.

use clap::Args;
use common::broker::BrokerDesk;
use common::queue::{Check, Finding, Flaw, QueueName};
use common::settings::Flags;
use serde::Serialize;

use crate::amount::count;
use crate::cli::Global;
use crate::columns::{Align, columns};
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, printable};

/// Check the queue's structure for tasks that nothing would take; put them back
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill fsck                 look only
  tidemill fsck --fix           put back what lies nowhere; safe while everything runs
  tidemill fsck --json | jq .queues

Exit codes: 0 nothing wrong, or all of it put right · 5 something is left")]
pub(crate) struct Arguments {
    /// Put right what can be put right without guessing
    #[arg(long)]
    fix: bool,
    /// Which queue [default: all]
    #[arg(long, value_name = "NAME")]
    queue: Option<QueueName>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// All queues' findings.
#[derive(Debug, Serialize)]
struct Report {
    schema: u32,
    /// Whether something is left.
    left: bool,
    queues: Vec<Checked>,
}

/// One queue's findings.
#[derive(Debug, Serialize)]
struct Checked {
    name: QueueName,
    findings: Vec<Finding>,
}

/// Checks and shows.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, Flags::new())?;
    let check = if arguments.fix { Check::Fix } else { Check::Look };
    let report = block_on(async {
        if context.missing_broker_file().is_some() {
            return Ok(Report::over(Vec::new())); // opening it would create it
        }
        let broker = context.broker().await?;
        let names = match &arguments.queue {
            Some(asked) => vec![crate::queue::known(&*broker, Some(asked), &context).await?],
            None => broker.queues().await?,
        };
        Ok(Report::over(checked(&*broker, names, check).await?))
    })?;
    if arguments.json {
        print_json(&report)?;
    } else {
        print(&text(&report, check))?;
    }
    Ok(if report.left { Exit::Degraded } else { Exit::Ok })
}

async fn checked(
    desk: &(impl BrokerDesk + ?Sized),
    names: Vec<QueueName>,
    check: Check,
) -> Result<Vec<Checked>, Failure> {
    let mut queues = Vec::new();
    for name in names {
        let findings = desk.fsck(&name, check).await?;
        queues.push(Checked { name, findings });
    }
    Ok(queues)
}

impl Report {
    fn over(queues: Vec<Checked>) -> Self {
        let left = queues.iter().flat_map(|queue| &queue.findings).any(|finding| finding.fixed < finding.found);
        Self { schema: 1, left, queues }
    }
}

fn text(report: &Report, check: Check) -> String {
    if report.queues.is_empty() {
        return "no queue yet\n".to_owned();
    }
    let mut out: String = report.queues.iter().map(table).collect();
    if report.left && check == Check::Look {
        out.push_str("tidemill fsck --fix puts right what can be put right without guessing\n");
    }
    out
}

fn table(queue: &Checked) -> String {
    use Align::{Left, Right};
    if queue.findings.is_empty() {
        return format!("{}: nothing wrong\n", queue.name);
    }
    let head =
        [("FLAW", Left), ("FOUND", Right), ("TASKS", Right), ("FIXED", Right), ("MEANING", Left), ("EXAMPLE", Left)];
    let row = |finding: &Finding| {
        vec![
            finding.flaw.name().to_owned(),
            count(finding.found),
            count(finding.tasks),
            count(finding.fixed),
            meaning(finding.flaw).to_owned(),
            printable(&finding.example),
        ]
    };
    format!("{}:\n{}", queue.name, columns(&head, &queue.findings.iter().map(row).collect::<Vec<_>>()))
}

fn meaning(flaw: Flaw) -> &'static str {
    match flaw {
        Flaw::Damaged => "the file is damaged: copy it, then sqlite3 .recover",
        Flaw::DanglingRow => "a row points to one that is not there",
        Flaw::StrayBatch => "tasks nobody would take",
        Flaw::StrayTasks => "tasks that belong to no batch",
        Flaw::BrokenTasks => "tasks that cannot be read",
        Flaw::EmptyBatch => "a lease or delay without tasks",
        Flaw::TwoPlaces => "leased and delayed at once",
        Flaw::StrayMeta => "left over from a batch that is gone",
        Flaw::UnsharedTasks => "tasks that the end of others would take away",
        Flaw::Miscounted => "a count that differs from what is there",
        Flaw::LetterWithoutEntry => "a dead letter that no list shows",
        Flaw::EntryWithoutLetter => "a dead letter whose task is gone",
        Flaw::UnreadableLetter => "a dead letter that cannot be read",
        Flaw::Foreign => "none of ours: look at it, delete it by hand",
        Flaw::LostTasks => "accepted, and nowhere",
        Flaw::UncountedTasks => "ended, and never counted as accepted",
        Flaw::MissingTicks => "ticks that ended no way",
        Flaw::SurplusTicks => "ticks of no settled task",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(flaw: Flaw, found: u64, fixed: u64) -> Finding {
        Finding { flaw, found, tasks: 20, fixed, example: "0198c5d0".to_owned() }
    }

    #[test]
    fn what_is_left_is_said_and_decides_the_exit_code() {
        let name: QueueName = "websocket_data".parse().unwrap();
        let spare = Checked { name: "spare".parse().unwrap(), findings: Vec::new() };
        let findings = vec![finding(Flaw::StrayBatch, 2, 0), finding(Flaw::Foreign, 1, 0)];
        let report = Report::over(vec![Checked { name: name.clone(), findings }, spare]);
        assert!(report.left);
        insta::assert_snapshot!(text(&report, Check::Look), @r#"
        websocket_data:
        FLAW         FOUND  TASKS  FIXED  MEANING                                      EXAMPLE
        stray_batch      2     20      0  tasks nobody would take                      0198c5d0
        foreign          1     20      0  none of ours: look at it, delete it by hand  0198c5d0
        spare: nothing wrong
        tidemill fsck --fix puts right what can be put right without guessing
        "#);
        let fixed = Report::over(vec![Checked { name, findings: vec![finding(Flaw::StrayBatch, 2, 2)] }]);
        assert!(!fixed.left);
    }
}
