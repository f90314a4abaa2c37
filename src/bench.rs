//! `tidemill bench`: how fast this machine is, with real processes on the configured queue and store.

use std::time::Duration;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use common::settings::Flags;

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{complain, print, print_json};
use crate::pair::Pair;

mod choice;
mod course;
mod drain;
mod limits;
mod logs;
mod member;
mod meter;
mod opening;
mod paced;
mod plan;
mod prefill;
mod report;
mod run;
mod servers;
mod stream;
mod sweep;
mod table;
mod usage;
mod watch;

#[cfg(test)]
mod tests;

use choice::{Measurement, PacedRate};
use course::Course;
use report::Report;
pub(crate) use usage::{Usage, resident};

/// Most ticks of a run: they wait on the queue, in memory or on disk.
const TICKS_MAX: u64 = 10_000_000;

/// Most symbols.
const SYMBOLS_MAX: u64 = 100_000;

/// Most seconds of a run.
const SECONDS_MAX: u64 = 3_600;

/// Most worker processes and runs.
const WORKERS_MAX: i64 = 64;
const RUNS_MAX: i64 = 99;

const EXAMPLES: &str = "\
Examples:
  tidemill bench                    1, 2 and 4 workers on a temporary embedded queue and store
  tidemill bench --quick            a first impression in seconds
  tidemill bench --pair servers     on a Redis and a PostgreSQL of its own
  tidemill bench --only websocket-to-rows --workers 2 --seconds 60
  tidemill bench --only paced --rate idle,100,10k --seconds 30
  tidemill bench --only queue-to-rows --symbols 250,1000,10000,100000 --runs 5 --json
  REDIS_URL=redis://127.0.0.1:6379/0 DATABASE_URL=postgres://tidemill@127.0.0.1/market tidemill bench

Without --pair it uses the configured queue and store, and without those a temporary embedded one. On a configured
queue it uses a queue of its own and leaves that queue's counters; in a configured store it leaves the rows of the symbols
SIM001USDT and on. Missing tables are created. What the figures mean: docs/performance.md";

/// Measure ticks per second, CPU time and memory on this machine
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Which queue and store; servers are started from this machine's programs [default: as configured]
    #[arg(long, value_enum)]
    pair: Option<Pair>,
    /// What to measure [default: all]
    #[arg(long, value_enum, value_name = "WHAT,...", value_delimiter = ',')]
    only: Vec<Measurement>,
    /// Ticks of a run [default: 300000; embedded 200000; quick 20000]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..=TICKS_MAX))]
    ticks: Option<u64>,
    /// Symbols they are spread over; several numbers are measured one after the other
    #[arg(long, value_name = "N,...", value_delimiter = ',', default_value = "1000")]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=SYMBOLS_MAX))]
    symbols: Vec<usize>,
    /// Worker processes; several numbers are measured one after the other [default: 1,2,4; quick 1,2]
    #[arg(long, value_name = "N,...", value_delimiter = ',')]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=WORKERS_MAX))]
    workers: Vec<u32>,
    /// Tasks of a batch at most [default: as configured]
    #[arg(long, value_name = "TASKS")]
    batch: Option<u32>,
    /// Runs of each measurement; the median is shown [default: 3; quick 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=RUNS_MAX))]
    runs: Option<u32>,
    /// Messages a second of paced runs, as 100, 10k or idle; several are measured one after the other [default of
    /// paced runs: 100,1k,10k,50k]
    #[arg(long, value_name = "RATE,...", value_delimiter = ',', value_parser = PacedRate::parse)]
    rate: Vec<PacedRate>,
    /// Length of a run from the exchange, instead of a number of ticks [default of paced runs: 10]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..=SECONDS_MAX))]
    seconds: Option<u64>,
    /// Few ticks, one run: a first impression
    #[arg(long)]
    quick: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

impl Arguments {
    fn course(&self, is_embedded: bool) -> Course {
        let (ticks, workers, runs) = match (self.quick, is_embedded) {
            (true, _) => (20_000, vec![1, 2], 1),
            (false, true) => (200_000, vec![1, 2, 4], 3),
            (false, false) => (300_000, vec![1, 2, 4], 3),
        };
        let mut only = if self.only.is_empty() { Measurement::USUAL.into() } else { self.only.clone() };
        if !self.rate.is_empty() {
            only.push(Measurement::Paced);
        }
        Course {
            only,
            symbols: self.symbols.clone(),
            workers: if self.workers.is_empty() { workers } else { self.workers.clone() },
            ticks: self.ticks.unwrap_or(ticks),
            runs: self.runs.unwrap_or(runs),
            rates: if self.rate.is_empty() { PacedRate::usual() } else { self.rate.clone() },
            paced_workers: if self.workers.is_empty() { vec![1] } else { self.workers.clone() },
            paced_runs: self.runs.unwrap_or(1),
            timing: if self.quick { limits::QUICK } else { limits::USUAL },
            seconds: self.seconds.map(Duration::from_secs),
        }
    }

    fn report(&self, context: &Context, course: &Course) -> Report {
        let worker = &context.settings.worker;
        Report {
            schema: 2,
            version: env!("CARGO_PKG_VERSION"),
            pair: match self.pair {
                Some(Pair::Embedded) => "embedded",
                Some(Pair::Servers) => "servers",
                None => "configured",
            },
            broker: context.broker_place(),
            store: context.store_place(),
            cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
            ticks: course.ticks,
            seconds: self.seconds,
            symbols: course.symbols.clone(),
            batch_tasks: worker.batch_tasks,
            concurrency: worker.concurrency,
            history: context.settings.store.history,
            queue_to_rows: Vec::new(),
            websocket_to_rows: Vec::new(),
            websocket_to_queue: Vec::new(),
            paced: Vec::new(),
            limits: Vec::new(),
            skipped: Vec::new(),
        }
    }
}

/// Measures, cleans up and prints.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let refused = |error| Failure::new(Diagnostic::new(Code::DataDir, format!("cannot create a folder: {error}")));
    let folder = tempfile::Builder::new().prefix("tidemill-bench-").tempdir().map_err(refused)?;
    // The folder serves only where no URL says otherwise.
    let flags = Flags::new().set("data_dir", "the benchmark's folder", Some(folder.path().display())).set(
        "worker.batch_tasks",
        "--batch",
        arguments.batch,
    );
    let mut context = Context::load_quietly(global, flags)?;
    block_on(async {
        let servers = opening::pair_up(arguments.pair, &mut context, folder.path()).await?;
        let plan = opening::plan(arguments.pair, &context, servers, global, folder.path()).await?;
        let course = arguments.course(context.broker_place().starts_with("sqlite:"));
        let mut report = arguments.report(&context, &course);
        let measured = course.run(&plan, &mut report).await;
        let left = sweep::empty(&plan).await;
        let finished = measured?;
        if arguments.json {
            print_json(&report)?;
        } else {
            print(&report.text())?;
        }
        let left = left?;
        if 0 < left {
            complain(&format!("{left} tasks are left on the queue {}", plan.queue));
        }
        Ok(verdict(&report, finished))
    })
}

/// The exit code, and why it is not 0.
fn verdict(report: &Report, finished: bool) -> Exit {
    if !report.is_lossless() {
        complain("the counts do not agree with what was sent: tasks were lost or counted twice");
        return Exit::Loss;
    }
    if !finished {
        complain("stopped before everything was measured");
        return Exit::Interrupted;
    }
    if !report.is_stored() {
        complain("some ticks were not stored in the price table: the figures are not what they seem");
        return Exit::Failed;
    }
    Exit::Ok
}
