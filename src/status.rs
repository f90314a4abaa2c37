//! `tidemill status`: is it running, is it fresh, was anything lost.

use std::time::Duration;

use clap::{Args, ValueEnum};
use common::clock;
use common::settings::{Flags, duration};

use crate::amount::time;
use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json};

mod balance;
mod judgement;
mod look;
mod report;
mod text;

use judgement::State;
pub(crate) use judgement::link;
use look::{Look, Lookout};
use report::Report;

/// Show health once: what runs, how fresh it is, and whether anything was lost
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidemill status                                   human table
  tidemill status --watch 2                         repeat every 2 s, with rates
  tidemill status --json | jq .ledger               for scripts
  tidemill status --wait running --timeout 30s      block until it runs (CI, deploys)

Exit codes: 0 healthy · 4 queue unreachable · 5 degraded · 6 data lost")]
pub(crate) struct Arguments {
    /// As JSON, with a stable form
    #[arg(long)]
    json: bool,
    /// Repeat after this time
    #[arg(long, value_name = "TIME", num_args = 0..=1, default_missing_value = "2s", value_parser = time)]
    #[arg(conflicts_with = "wait")]
    watch: Option<Duration>,
    /// Wait until this is so
    #[arg(long, value_name = "GOAL")]
    wait: Option<Goal>,
    /// Wait no longer than this
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = time, requires = "wait")]
    timeout: Duration,
}

/// What can be waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Goal {
    /// Nothing needs attention
    Healthy,
    /// Healthy, and a listener and a worker are running
    Running,
    /// No task is waiting, leased or delayed
    Drained,
}

/// Pause between two looks while waiting for a goal.
const WAIT_INTERVAL: Duration = Duration::from_millis(250);

/// A watch that repeats faster only heats the machine.
const WATCH_INTERVAL_MIN: Duration = Duration::from_millis(200);

/// Looks, judges and shows.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, Flags::new())?;
    block_on(async {
        let mut lookout = Lookout::new(&context);
        match (arguments.wait, arguments.watch) {
            (Some(goal), _) => wait(&mut lookout, arguments, goal).await,
            (None, Some(interval)) => watch(&mut lookout, arguments, interval.max(WATCH_INTERVAL_MIN)).await,
            (None, None) => {
                let report = Report::of(&lookout.look().await, None);
                show(&report, arguments.json)?;
                Ok(report.state.exit())
            }
        }
    })
}

fn show(report: &Report, json: bool) -> Result<(), Failure> {
    if json { print_json(report) } else { print(&text::render(report)) }
}

/// Shows for ever; Ctrl-C ends it.
async fn watch(lookout: &mut Lookout<'_>, arguments: &Arguments, interval: Duration) -> Result<Exit, Failure> {
    use std::io::IsTerminal;
    let in_place = !arguments.json && std::io::stdout().is_terminal();
    let mut previous: Option<Look> = None;
    loop {
        let look = lookout.look().await;
        let report = Report::of(&look, previous.as_ref());
        if in_place {
            print("\u{1b}[H\u{1b}[2J")?;
        }
        show(&report, arguments.json)?;
        if !in_place && !arguments.json {
            print("\n")?;
        }
        previous = Some(look);
        tokio::time::sleep(interval).await;
    }
}

/// Waits until the goal is reached, data was lost, or time is up; then shows the last report.
async fn wait(lookout: &mut Lookout<'_>, arguments: &Arguments, goal: Goal) -> Result<Exit, Failure> {
    let began = clock::monotonic();
    loop {
        let report = Report::of(&lookout.look().await, None);
        if is_reached(goal, &report) || report.state == State::Loss {
            show(&report, arguments.json)?;
            return Ok(if goal == Goal::Drained && report.state != State::Loss {
                Exit::Ok
            } else {
                report.state.exit()
            });
        }
        if arguments.timeout <= began.elapsed() {
            show(&report, arguments.json)?;
            return Err(late(goal, arguments.timeout, report.state));
        }
        tokio::time::sleep(WAIT_INTERVAL).await;
    }
}

fn is_reached(goal: Goal, report: &Report) -> bool {
    match goal {
        Goal::Healthy => report.state == State::Healthy,
        Goal::Running => report.state == State::Healthy && !report.workers.is_empty() && !report.connections.is_empty(),
        Goal::Drained => report.ledger.as_ref().is_some_and(|ledger| ledger.open == 0),
    }
}

fn late(goal: Goal, timeout: Duration, state: State) -> Failure {
    let goal = goal.to_possible_value().map_or_else(String::new, |value| value.get_name().to_owned());
    let title = format!("not {goal} within {}", duration::format(timeout));
    let exit = if state == State::Healthy { Exit::Failed } else { state.exit() };
    Failure::Told { exit, diagnostics: vec![Diagnostic::new(Code::Timeout, title)] }
}

#[cfg(test)]
mod tests;
