//! `tidemill worker`: store queued ticks.

use clap::Args;
use common::masters::Catalogs;
use common::outage::chain;
use common::queue::QueueName;
use common::settings::{Flags, Settings};
use common::shutdown::Shutdown;
use tokio::sync::watch;
use worker::{WorkerLimits, WorkerOptions};

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::diagnostic::{Code, Diagnostic};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::part;
use crate::reload::Reloader;

const EXAMPLES: &str = "\
Examples:
  tidemill worker                     one process, 16 batches at once
  tidemill worker --concurrency 4     fewer, for a small one
  tidemill worker --queue a,b         two queues";

/// Store queued ticks. Run as many as you like, on as many machines as you like
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Batches in work at once
    #[arg(long, value_name = "N")]
    concurrency: Option<u32>,
    /// Queue to take from; several separated by commas
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    queue: Vec<QueueName>,
    /// Tasks per batch at most
    #[arg(long, value_name = "TASKS")]
    batch: Option<u32>,
    /// A batch goes to another worker when this one is silent for so long
    #[arg(long, value_name = "TIME")]
    lease: Option<String>,
    /// Name of this worker in logs and dead letters
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// Stop when standard input closes: for launchers
    #[arg(long, hide = true)]
    supervised: bool,
}

impl Arguments {
    fn flags(&self) -> Flags {
        Flags::new()
            .set("worker.concurrency", "--concurrency", self.concurrency)
            .set("worker.batch_tasks", "--batch", self.batch)
            .set("worker.lease", "--lease", self.lease.as_ref())
    }

    fn options(&self, settings: &Settings) -> WorkerOptions {
        let worker = &settings.worker;
        let queues = if self.queue.is_empty() { vec![settings.queue.name.clone()] } else { self.queue.clone() };
        let name = self.name.clone().unwrap_or_else(|| format!("worker-{}", std::process::id()));
        WorkerOptions {
            queues,
            concurrency: worker.concurrency,
            batch_tasks: worker.batch_tasks,
            batch_bytes: worker.batch_bytes,
            lease: worker.lease,
            age_max: settings.queue.age_max,
            history: settings.store.history,
            catalogs: Catalogs::default(),
            unknown_ticker: settings.store.unknown_ticker,
            row_retry: worker.retry,
            limits: None,
            drain: worker.drain,
            latency_log: worker.latency_log.clone(),
            health: settings.health.listen,
            name: name.into(),
            look_every: WorkerOptions::LOOK_EVERY,
        }
    }
}

/// What a running worker takes over from new settings.
const RELOADED: &[&str] = &[
    "worker.batch_tasks",
    "worker.batch_bytes",
    "worker.attempts_max",
    "worker.retry_first",
    "worker.retry_longest",
    "queue.age_max",
];

fn limits(settings: &Settings) -> WorkerLimits {
    let worker = &settings.worker;
    WorkerLimits {
        batch_tasks: worker.batch_tasks,
        batch_bytes: worker.batch_bytes,
        age_max: settings.queue.age_max,
        row_retry: worker.retry,
    }
}

/// Works until it is asked to stop.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let context = Context::load(global, arguments.flags())?;
    let mut options = arguments.options(&context.settings);
    block_on(async {
        let shutdown = Shutdown::new();
        let asked = part::watch_signals(&shutdown, arguments.supervised)?;
        let (limits, latest) = watch::channel(limits(&context.settings));
        options.limits = Some(latest);
        let reloader = Reloader::new(global, arguments.flags(), context.clone(), RELOADED);
        let apply = move |settings: &Settings| limits.send_modify(|now| *now = self::limits(settings));
        shutdown.spawn("reload", reloader.run(asked, shutdown.clone(), apply));
        let Some(catalogs) = part::instruments(context.masters(), &shutdown).await else { return Ok(Exit::Ok) };
        options.catalogs = catalogs;
        let (broker, store) = (context.broker().await?, context.store().await?);
        match worker::run(options, broker, store, shutdown).await {
            Ok(summary) if 0 < summary.released => Ok(Exit::Failed),
            Ok(_summary) => Ok(Exit::Ok),
            Err(worker::WorkerError::Broker(error)) => Err(Failure::new(Diagnostic::from(&error))),
            Err(error @ worker::WorkerError::Panics { .. }) => Err(Failure::new(
                Diagnostic::new(Code::Panicked, error.to_string())
                    .safe("what it held comes again when its leases have run out")
                    .fix("start it again, and report this with the log above"),
            )),
            Err(error @ worker::WorkerError::LatencyLog(_)) => {
                Err(Failure::new(Diagnostic::new(Code::Output, chain(&error))))
            }
            Err(worker::WorkerError::Health(error)) => Err(Failure::new(Diagnostic::from(&error))),
        }
    })
}
