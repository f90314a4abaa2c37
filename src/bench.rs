//! `tidemill bench`: how fast this machine is, with real processes on the configured queue and store.

use std::ffi::OsString;

use clap::Args;
use clap::builder::RangedU64ValueParser;
use common::presence::InstanceId;
use common::settings::{Flags, LogFormat};
use common::shutdown::Shutdown;

use crate::amount::{count, counted};
use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{complain, print, print_json};
use crate::part::{self, OwnProgram};

mod drain;
mod member;
mod plan;
mod prefill;
mod report;
mod run;
mod stream;
mod sweep;
mod usage;
mod watch;

#[cfg(test)]
mod tests;

use plan::Plan;
use report::Report;
use run::{Run, Summary};
pub(crate) use usage::{Usage, resident};

/// Most ticks of a run: they wait on the queue, in memory or on disk.
const TICKS_MAX: u64 = 10_000_000;

/// Most symbols: a listener is given them in one environment variable, which Linux limits to 128 KiB.
const SYMBOLS_MAX: u64 = 5_000;

/// Most worker processes and runs.
const WORKERS_MAX: i64 = 64;
const RUNS_MAX: i64 = 99;

const EXAMPLES: &str = "\
Examples:
  tidemill bench                    1, 2 and 4 workers on a temporary embedded queue and store
  tidemill bench --quick            a first impression in seconds
  REDIS_URL=redis://127.0.0.1:6379/0 DATABASE_URL=postgres://tidemill@127.0.0.1/market tidemill bench

On a configured queue it uses a queue of its own and leaves that queue's counters; in a configured store it leaves the
rows of the symbols SIM001USDT and on. Missing tables are created.";

/// Measure ticks per second, CPU time and memory on this machine
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Ticks of a run [default: 300000; embedded 200000; quick 20000]
    #[arg(long, value_name = "N", value_parser = RangedU64ValueParser::<u64>::new().range(1..=TICKS_MAX))]
    ticks: Option<u64>,
    /// Symbols they are spread over
    #[arg(long, value_name = "N", default_value_t = 1_000)]
    #[arg(value_parser = RangedU64ValueParser::<usize>::new().range(1..=SYMBOLS_MAX))]
    symbols: usize,
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
    /// Few ticks, one run: a first impression
    #[arg(long)]
    quick: bool,
    /// One JSON object
    #[arg(long)]
    json: bool,
}

/// What the defaults come to.
struct Amounts {
    ticks: u64,
    workers: Vec<u32>,
    runs: u32,
}

impl Arguments {
    fn amounts(&self, embedded: bool) -> Amounts {
        let (ticks, workers, runs) = match (self.quick, embedded) {
            (true, _) => (20_000, vec![1, 2], 1),
            (false, true) => (200_000, vec![1, 2, 4], 3),
            (false, false) => (300_000, vec![1, 2, 4], 3),
        };
        Amounts {
            ticks: self.ticks.unwrap_or(ticks),
            workers: if self.workers.is_empty() { workers } else { self.workers.clone() },
            runs: self.runs.unwrap_or(runs),
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
    let context = Context::load_quietly(global, flags)?;
    block_on(async {
        let plan = plan(arguments, &context, global).await?;
        let mut report = report(arguments, &context, &plan);
        let measured = measure_all(&plan, &arguments.amounts(is_embedded(&context)), &mut report).await;
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
        complain("the ledger does not balance: tasks were lost or counted twice");
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

fn is_embedded(context: &Context) -> bool {
    context.broker_place().starts_with("sqlite:")
}

async fn plan(arguments: &Arguments, context: &Context, global: &Global) -> Result<Plan, Failure> {
    let broker = context.broker().await?;
    for warning in broker.preflight().await? {
        complain(&format!("warning: {warning}"));
    }
    let store = context.store().await?;
    store.migrate().await?;
    let shutdown = Shutdown::new();
    part::stop_on_signals(&shutdown, false)?;
    let settings = &context.settings;
    let format = match settings.log.format {
        LogFormat::Json => "json",
        LogFormat::Auto | LogFormat::Text => "text",
    };
    let environment = [
        ("TIDEMILL_DATA_DIR", settings.data_dir.display().to_string()),
        ("TIDEMILL_LOG__LEVEL", settings.log.level.clone()),
        ("TIDEMILL_LOG__FORMAT", format.to_owned()),
        // Our ticks wait in the queue on purpose, and their tickers are new.
        ("TIDEMILL_QUEUE__AGE_MAX", "0s".to_owned()),
        ("TIDEMILL_STORE__UNKNOWN_TICKER", "create".to_owned()),
        ("TIDEMILL_WORKER__BATCH_TASKS", settings.worker.batch_tasks.to_string()),
    ];
    let name = format!("bench_{}", InstanceId::fresh());
    let queue = name.parse().expect("letters, digits and an underscore are a queue's name");
    Ok(Plan {
        broker,
        worker_arguments: vec!["--queue".into(), name.into()],
        queue,
        ticks: arguments.amounts(is_embedded(context)).ticks,
        symbols: arguments.symbols,
        program: OwnProgram::find()?,
        arguments: global.config.iter().flat_map(|path| [OsString::from("--config"), path.into()]).collect(),
        environment: environment.map(|(key, value)| (key.to_owned(), value)).into(),
        drain: settings.worker.drain,
        shutdown,
    })
}

fn report(arguments: &Arguments, context: &Context, plan: &Plan) -> Report {
    let worker = &context.settings.worker;
    Report {
        schema: 1,
        version: env!("CARGO_PKG_VERSION"),
        broker: context.broker_place(),
        store: context.store_place(),
        cores: std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64),
        ticks: plan.ticks,
        symbols: arguments.symbols,
        batch_tasks: worker.batch_tasks,
        concurrency: worker.concurrency,
        history: context.settings.store.history,
        queue_to_rows: Vec::new(),
        websocket_to_rows: Vec::new(),
    }
}

/// Fills in the report; `false` after Ctrl-C.
async fn measure_all(plan: &Plan, amounts: &Amounts, report: &mut Report) -> Result<bool, Failure> {
    for &workers in &amounts.workers {
        let mut runs = Vec::new();
        while (runs.len() as u64) < u64::from(amounts.runs) {
            let Some(run) = drain::measure(plan, workers).await? else { return Ok(false) };
            say("queue to rows", workers, &run);
            runs.push(run);
        }
        report.queue_to_rows.extend(Summary::of(workers, &runs));
    }
    for &workers in &amounts.workers {
        let mut runs = Vec::new();
        while (runs.len() as u64) < u64::from(amounts.runs) {
            let Some(run) = stream::measure(plan, workers).await? else { return Ok(false) };
            say("WebSocket to rows", workers, &run);
            runs.push(run);
        }
        report.websocket_to_rows.extend(Summary::of(workers, &runs));
    }
    Ok(true)
}

/// A sign of life on standard error: all of it takes minutes.
fn say(what: &str, workers: u32, run: &Run) {
    let (speed, took) = (count(run.ticks_per_s()), run.elapsed.as_secs_f32());
    complain(&format!("{what}, {}: {speed} ticks/s ({took:.1} s)", counted(workers.into(), "worker")));
}
