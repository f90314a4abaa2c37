//! `tidemill start` and `start_system`: everything on this machine with one command.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use common::broker::Broker;
use common::clock;
use common::queue::QueueName;
use common::settings::{Flags, Settings, by_key};
use common::shutdown::Shutdown;
use common::store::PriceStore;
use tokio::sync::watch;

use crate::cli::Global;
use crate::context::{Context, block_on};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::listener::ShardArguments;
use crate::part::{self, OwnProgram};

mod child;
mod console;
mod demo;
mod fleet;
mod output;
mod report;

use child::ChildSpec;
use console::Wish;
use fleet::{Fleet, STOP_MARGIN};
use output::Output;

/// Between two looks at the emptying queue.
const DRY_LOOK: Duration = Duration::from_millis(20);

/// Between two blocks of prices.
const PRICES_EVERY: Duration = Duration::from_secs(5);

/// Longest name of a child.
const NAME_WIDTH: usize = 9;

/// How long a stopping listener tries to hand over what it has read.
const LISTENER_DRAIN: Duration = Duration::from_secs(5);

const EXAMPLES: &str = "\
Examples:
  tidemill start                                  a simulated exchange, until symbols are configured
  tidemill start --workers 4                      more workers; type `workers N` to change it while running
  tidemill start --stocks-per-connection 50 --max-stocks 250 --connection-delay 3 --monitor-interval 30";

/// Run everything here: listener, workers, and a simulated exchange until symbols are set
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    #[command(flatten)]
    shards: ShardArguments,
    /// Worker processes
    #[arg(long, value_name = "N")]
    workers: Option<u32>,
    /// Messages a second of the simulated exchange
    #[arg(long, value_name = "N")]
    rate: Option<u32>,
}

impl Arguments {
    fn flags(&self) -> Flags {
        Flags::new()
            .set("start.workers", "--workers", self.workers)
            .set("start.rate", "--rate", self.rate)
            .and(self.shards.flags())
    }

    /// The flags as the children get them.
    fn environment(&self) -> Vec<(String, String)> {
        let variable = |(key, _flag, text): (&str, &str, String)| Some((by_key(key)?.variable(), text));
        self.shards.said().into_iter().filter_map(variable).collect()
    }
}

/// Runs until Ctrl-C, then stops in order and prints the balance.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    let started = clock::monotonic();
    let context = Context::load(global, arguments.flags())?;
    block_on(async {
        let output = Output::new(NAME_WIDTH);
        output.say(&format!("tidemill {}", env!("CARGO_PKG_VERSION")));
        let shutdown = Shutdown::new();
        let asked = part::watch_signals(&shutdown, false)?;
        let (broker, store) = open(&context, &output).await?;

        let mut environment = arguments.environment();
        let demo = demo::begin_if_wanted(&context.settings, &output).await?;
        if let Some(demo) = &demo {
            environment.extend(demo.environment(&environment));
        }
        let mut fleet = launch(&context.settings, global, environment, (&output, asked))?;
        output.say(
            "Ctrl-C stops in order · type `workers N` to change their number · live view: tidemill status --watch 2",
        );

        let started_at = clock::now();
        let first = report::first_quote(Arc::clone(&store), started, started_at, output.clone());
        let queue = context.settings.queue.name.clone();
        let prices =
            report::prices(Arc::clone(&broker), Arc::clone(&store), queue.clone(), PRICES_EVERY, output.clone());
        tokio::select! {
            () = async { first.await; prices.await } => {}
            () = obey(&mut fleet, &output) => {}
            () = shutdown.begun() => {}
        }

        let stopping = clock::monotonic();
        output.say("\nstopping: the source first");
        fleet.stop_listener().await;
        if let Some(demo) = demo {
            demo.end().await;
        }
        run_dry(&*broker, &queue, fleet.workers(), context.settings.worker.drain).await;
        fleet.stop_workers().await;
        output.say(&format!("stopped after {:.1} s", stopping.elapsed().as_secs_f32()));
        last_line(&*broker, &queue, &output).await
    })
}

/// Opens and prepares what the parts will use, so that what is wrong is said once and at once.
async fn open(context: &Context, output: &Output) -> Result<(Arc<dyn Broker>, Arc<dyn PriceStore>), Failure> {
    let broker = context.broker().await?;
    for warning in broker.preflight().await? {
        output.say(&format!("  ! queue      {warning}"));
    }
    output.say(&format!("  ✓ queue      {}", context.broker_place()));
    let store = context.store().await?;
    let migrated = store.migrate().await?.len();
    let news = if migrated == 0 { String::new() } else { format!(" · {migrated} migrations applied") };
    output.say(&format!("  ✓ store      {}{news}", context.store_place()));
    Ok((broker, store))
}

fn launch(
    settings: &Settings,
    global: &Global,
    environment: Vec<(String, String)>,
    (output, reload): (&Output, watch::Receiver<u64>),
) -> Result<Fleet, Failure> {
    let program = OwnProgram::find()?;
    let config = global.config.iter().flat_map(|path| [OsString::from("--config"), path.into()]);
    let arguments = |part: &str| {
        let own = [OsString::from(part), "--supervised".into()];
        program.prefix.iter().cloned().chain(own).chain(config.clone()).collect::<Vec<OsString>>()
    };
    let mut environment = environment;
    if settings.log.format == common::settings::LogFormat::Auto {
        // Their output is a pipe to us, but people read it.
        environment.push(("TIDEMILL_LOG__FORMAT".to_owned(), "text".to_owned()));
    }
    let spec = |name: &str, drain: Duration| ChildSpec {
        name: name.to_owned(),
        program: program.path.clone(),
        args: arguments(name),
        env: environment.clone(),
        health: settings.health.listen,
        reload: reload.clone(),
        grace: drain + STOP_MARGIN,
    };
    let workers = settings.start.workers;
    output.say(&format!("  ✓ workers    {workers}"));
    Ok(Fleet::start(spec("listener", LISTENER_DRAIN), spec("worker", settings.worker.drain), workers, output.clone()))
}

/// Follows what is typed, for as long as it is polled.
async fn obey(fleet: &mut Fleet, output: &Output) {
    let mut wishes = console::wishes();
    while let Some(wish) = wishes.recv().await {
        match wish {
            Wish::Workers(number) => {
                fleet.scale(number);
                output.say(&format!("running {number} workers now"));
            }
            Wish::Unclear => output.say(&format!("type `workers N`, N from 0 to {}", console::WORKERS_MAX)),
        }
    }
    std::future::pending::<()>().await; // standard input has closed: nothing more is typed
}

/// Waits until every task has ended, if there is anybody to end them.
async fn run_dry(broker: &dyn Broker, queue: &QueueName, workers: usize, patience: Duration) {
    let emptied = async {
        while 0 < workers
            && broker.census(queue).await.is_ok_and(|census| 0 < census.ledger.waiting + census.ledger.leased)
        {
            tokio::time::sleep(DRY_LOOK).await;
        }
    };
    if tokio::time::timeout(patience, emptied).await.is_err() {
        tracing::warn!("the queue did not run dry in time; what waits is kept for the next start");
    }
}

async fn last_line(broker: &dyn Broker, queue: &QueueName, output: &Output) -> Result<Exit, Failure> {
    let ledger = broker.census(queue).await?.ledger;
    output.say(&report::balance(&ledger));
    Ok(if ledger.lost() == 0 { Exit::Ok } else { Exit::Loss })
}
