//! `tidemill chaos`: does to a system of its own what may happen to a real one, and looks whether a tick was lost.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use common::clock;
use common::settings::Flags;
use common::shutdown::Shutdown;
use fastrand::Rng;

use crate::amount::time;
use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{complain, print, print_line};
use crate::pair::Pair;
use crate::part::{self, OwnProgram};

mod cycle;
mod fault;
mod inject;
mod launcher;
mod oracle;
mod parts;
mod report;
mod setup;
mod sight;
mod soak;
mod witness;
mod world;

use cycle::Court;
use fault::{Plan, Trial};
use oracle::Oracle;
use report::{Line, Summary};
use setup::{Setup, accepted_log};
use sight::Sight;
use soak::Soak;
use witness::Witness;
use world::World;

const EXAMPLES: &str = "\
Examples:
  tidemill chaos --pair embedded                       every fault once, with nothing installed
  tidemill chaos --plan F1,F13 --cycles 100 --seed 7   a worker or Redis killed, 100 times each, in any order
  tidemill chaos --plan pairs --json                   two faults at once, one JSON line per cycle

The faults are described in docs/reliability.md. It touches nothing but processes and folders of its own.";

/// Break a system of its own in every way, and count what was lost
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Rows of the fault matrix, two at once as F1+F13, or `all`, or `pairs`
    #[arg(long, value_name = "FAULT,...", default_value = "all")]
    plan: Plan,
    /// Cycles of each fault
    #[arg(long, value_name = "N", default_value_t = 1)]
    cycles: u32,
    /// Fixes the order of the faults and their dice
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
    /// Which queue and store; servers are started from this machine's programs
    #[arg(long, value_enum, default_value = "embedded")]
    pair: Pair,
    /// Messages a second
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    #[arg(value_parser = RangedU64ValueParser::<u32>::new().range(1..))]
    rate: u32,
    /// Load for so long without a break instead of cycles, then quiet
    #[arg(long, value_name = "TIME", value_parser = time, conflicts_with = "cycles")]
    soak: Option<Duration>,
    /// In a soak, a random fault of the plan so often
    #[arg(long, value_name = "TIME", default_value = "20s", value_parser = time, requires = "soak")]
    every: Duration,
    /// Symbols
    #[arg(long, value_name = "N", default_value_t = 40)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=1_000))]
    symbols: usize,
    /// Worker processes
    #[arg(long, value_name = "N", default_value_t = 2)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=16))]
    workers: u32,
    /// Lease of a batch
    #[arg(long, value_name = "TIME", default_value = "2s", value_parser = time)]
    lease: Duration,
    /// How long a fault lasts that does not pass by itself, at most
    #[arg(long, value_name = "TIME", default_value = "6s", value_parser = time)]
    hold: Duration,
    /// Do not ask `status` while a fault lasts
    #[arg(long)]
    unseen: bool,
    /// One JSON line per cycle instead of the table
    #[arg(long)]
    json: bool,
    /// Keep logs and data in this folder
    #[arg(long, value_name = "FOLDER")]
    keep: Option<PathBuf>,
}

/// Runs all cycles and prints what they came to.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    Context::load_quietly(global, Flags::new())?;
    let refused = |error| Failure::new(Diagnostic::new(Code::DataDir, format!("cannot create a folder: {error}")));
    let temporary = tempfile::Builder::new().prefix("tidemill-chaos-").tempdir().map_err(refused)?;
    let folder = arguments.keep.clone().unwrap_or_else(|| temporary.path().to_owned());
    std::fs::create_dir_all(&folder).map_err(refused)?;
    let folder = folder.canonicalize().map_err(refused)?;
    let setup = Setup {
        pair: arguments.pair,
        symbols: arguments.symbols,
        rate: arguments.rate,
        workers: arguments.workers,
        lease: arguments.lease,
        hold: arguments.hold,
        seed: arguments.seed,
        // A long run checks the sums: every tick of an hour would fill the disk.
        history: arguments.soak.is_none(),
    };
    block_on(async {
        let shutdown = Shutdown::new();
        part::stop_on_signals(&shutdown, false)?;
        let mut dice = Rng::with_seed(arguments.seed);
        let plan = arguments.plan.of(setup.pair);
        let mut world = World::new(setup, &folder).await?;
        let (plan, refused): (Vec<Trial>, Vec<Trial>) = plan
            .into_iter()
            .partition(|trial| world.allows(trial.fault) && trial.beside.is_none_or(|beside| world.allows(beside)));
        for trial in refused {
            complain(&format!("left out: {trial} needs the rights of root here"));
        }
        if plan.is_empty() {
            return Err(Failure::usage(
                "no fault of the plan can be run on this pair here",
                "choose another --plan or --pair",
            ));
        }
        world.start_all()?;
        let mut court = Court {
            oracle: Oracle::default(),
            witness: Witness::new(accepted_log(&folder)),
            sight: if arguments.unseen { None } else { Some(Sight { program: OwnProgram::find()? }) },
            began: clock::monotonic(),
            since: clock::now(),
        };
        let mut summary = Summary::default();
        if let Some(lasts) = arguments.soak {
            let soak = (Soak { lasts, every: arguments.every }, &*plan, &mut dice);
            let memory = soak::run(&mut world, &mut court, soak, (&mut summary, arguments.json), &shutdown).await?;
            summary.set_slopes(memory.slopes());
        } else {
            let mut trials = shuffled(&plan, arguments.cycles, &mut dice);
            while let Some(trial) = trials.pop().filter(|_| !shutdown.has_begun()) {
                let line = court.cycle(&mut world, trial, &mut dice).await?;
                tell(&line, arguments.json)?;
                summary.add(&line);
            }
        }
        summary.set_peaks(world.parts.peaks());
        for part in world.wanted() {
            world.parts.stop(part).await?;
        }
        if arguments.json {
            complain(&summary.text());
        } else {
            print(&summary.text())?;
        }
        Ok(verdict(&summary, shutdown.has_begun()))
    })
}

fn verdict(summary: &Summary, is_interrupted: bool) -> Exit {
    match (summary.lost(), summary.violations(), is_interrupted) {
        (1.., ..) => Exit::Loss,
        (0, 1.., _) => Exit::Failed,
        (0, 0, true) => Exit::Interrupted,
        (0, 0, false) => Exit::Ok,
    }
}

/// Every fault as often as asked, in any order.
fn shuffled(plan: &[Trial], cycles: u32, dice: &mut Rng) -> Vec<Trial> {
    let mut trials: Vec<Trial> = (0..cycles).flat_map(|_| plan.iter().copied()).collect();
    dice.shuffle(&mut trials);
    trials
}

fn tell(line: &Line, json: bool) -> Result<(), Failure> {
    if json {
        let text = serde_json::to_string(line).expect("numbers and text always serialise to memory");
        return print_line(&text);
    }
    let bad = if 0 < line.lost + line.violations { " !" } else { "" };
    complain(&format!(
        "{:>8} ms  {:<8} {:<50} {:>6} accepted  {} lost  back in {} ms{bad}",
        line.at_ms, line.fault, line.about, line.accepted, line.lost, line.recovery_ms
    ));
    line.told.iter().for_each(|told| complain(&format!("             ! {told}")));
    Ok(())
}
