//! Starts the parts of a listener, and stops them from the source on.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::broker::Broker;
use common::broker::shards::{GroupName, HoldShards};
use common::clock;
use common::health::HealthServer;
use common::latency::LatencyLog;
use common::presence::InstanceId;
use common::shutdown::Shutdown;
use foldhash::fast::RandomState;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::accepted_log::AcceptedLog;
use crate::beat::Beat;
use crate::board::Board;
use crate::carry::{Ways, carry};
use crate::deceased;
use crate::dial;
use crate::drain::Drain;
use crate::enqueuer::Enqueuer;
use crate::epochs::Epochs;
use crate::error::ListenerError;
use crate::fence::Fence;
use crate::fleet::Fleet;
use crate::gate::Gate;
use crate::handover::Handover;
use crate::intake::Intake;
use crate::lease_keeper::LeaseKeeper;
use crate::monitor;
use crate::options::{BufferLimits, ListenerOptions, Overflow};
use crate::readiness::ListenerReadiness;
use crate::rivals;
use crate::samples::Samples;
use crate::shard::Context;
use crate::shards::{Plan, Rules};
use crate::spool::Spool;

/// Under the policy `spool`, an enqueue without an answer for so long goes to the disk: its outcome is known when it is
/// repeated.
const SPOOL_PATIENCE: Duration = Duration::from_secs(1);

/// What a listener did, from start to end. `received + recovered = accepted + shed + buffered + spooled`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListenerSummary {
    /// Data messages read from sockets.
    pub received: u64,
    /// Tasks whose durable enqueue returned.
    pub accepted: u64,
    /// Frames that were no message of the feed, by reason.
    pub rejected: BTreeMap<Box<str>, u64>,
    /// Messages given up under the overflow policy, by policy; `spool_damaged` where a damaged spool held them.
    pub shed: BTreeMap<Box<str>, u64>,
    /// Messages that the broker did not accept before the grace ran out. Those of a last, unanswered enqueue are among
    /// them, though the broker may have them.
    pub buffered: u64,
    /// Messages that are in the spool, for the next listener of the group on this machine.
    pub spooled: u64,
    /// Messages that an earlier process left in the spool.
    pub recovered: u64,
}

/// Runs a listener until `shutdown` begins: then the sockets are closed first, and what was read is handed over within
/// the options' grace.
///
/// # Errors
/// When the options make no sense, before anything is opened. Faults of network, provider and broker are no errors: they
/// are waited out, and shown.
pub async fn run(
    options: ListenerOptions,
    broker: Arc<dyn Broker>,
    shutdown: Shutdown,
) -> Result<ListenerSummary, ListenerError> {
    let health = match options.health {
        Some(address) => Some(HealthServer::bind(address).await?),
        None => None,
    };
    let instance = InstanceId::fresh();
    let (group, plan) = (group_of(&options)?, rivals::digest(&options));
    deceased::release(&broker, &group).await;
    if let Some(other) = rivals::rival(&broker, (&group, &plan, instance), &shutdown).await {
        return Err(ListenerError::Rival { group, other });
    }
    let (accepted_log, latency_log) = (accepted_log(&options)?, LatencyLog::open(options.latency_log.as_deref())?);
    let Parts { fleet, intake, board, samples } = parts(&options, Some((&broker, instance)), &shutdown).await?;
    info!(instance = %instance, "listener of {} starts", options.feed.name());

    let done = CancellationToken::new();
    if let Some(server) = health {
        let (address, over, services) = (server.address(), done.clone(), shutdown.clone());
        info!(address = ?address, "answers health checks");
        let readiness = Arc::new(ListenerReadiness { board: Arc::clone(&board), shutdown: shutdown.clone() });
        shutdown.spawn("health", async move { over.run_until_cancelled(server.run(readiness, services)).await });
    }
    let beat = Beat {
        broker: Arc::clone(&broker),
        instance,
        started_at: clock::now(),
        queue: options.queue.clone(),
        group,
        plan,
        buffer_max: options.buffer.messages_max as u64,
        interval: options.beat_interval,
        intake: Arc::clone(&intake),
        board: Arc::clone(&board),
        samples,
        vault: options.vault.clone(),
    };
    let beat = shutdown.spawn("beat", beat.run(done.clone()));
    let monitor = monitor::run(options.monitor_interval, Arc::clone(&intake), Arc::clone(&board), done.clone());
    let monitor = shutdown.spawn("monitor", monitor);
    let latencies = latency_log.as_ref().map(|log| {
        let log = Arc::clone(log).run(done.clone().cancelled_owned());
        shutdown.spawn("latencies", log)
    });
    let ways = ways(&options, (broker, instance), (&intake, &board), (accepted_log, latency_log)).await?;
    let ended = carry(ways, fleet, &shutdown, options.drain_grace).await;

    done.cancel();
    let services = [("beat", beat), ("monitor", monitor)];
    for (name, task) in services.into_iter().chain(latencies.map(|task| ("log of latencies", task))) {
        if let Err(error) = task.await {
            error!("the {name} broke down: {error}");
        }
    }
    ended?;
    match board.given_up() {
        Some(panics) => Err(ListenerError::Panics { panics }),
        None => Ok(summary(&intake)),
    }
}

/// Runs the connections alone until `shutdown` begins: frames go to the options' recorder and nowhere else.
///
/// # Errors
/// As [`run`].
pub async fn record(mut options: ListenerOptions, shutdown: Shutdown) -> Result<ListenerSummary, ListenerError> {
    // Nobody empties the buffer; the newest message is enough of it.
    options.buffer = BufferLimits { messages_max: 1, overflow: Overflow::DropOldest, ..options.buffer };
    let Parts { fleet, intake, board, samples: _ } = parts(&options, None, &shutdown).await?;
    let done = CancellationToken::new();
    let monitor = monitor::run(options.monitor_interval, Arc::clone(&intake), board, done.clone());
    let monitor = shutdown.spawn("monitor", monitor);
    fleet.run().await;
    done.cancel();
    if let Err(error) = monitor.await {
        error!("the monitor broke down: {error}");
    }
    Ok(summary(&intake))
}

/// What both kinds of listener have.
pub(crate) struct Parts {
    pub(crate) fleet: Fleet,
    pub(crate) intake: Arc<Intake>,
    pub(crate) board: Arc<Board>,
    pub(crate) samples: Arc<Samples>,
}

/// Makes the parts; without a broker, nothing is enqueued or shared.
pub(crate) async fn parts(
    options: &ListenerOptions,
    sharing: Option<(&Arc<dyn Broker>, InstanceId)>,
    shutdown: &Shutdown,
) -> Result<Parts, ListenerError> {
    check(options)?;
    let board = Arc::<Board>::default();
    let mut keeper = sharing.map(|sharing| keeper(options, sharing)).transpose()?;
    if let Some(keeper) = &mut keeper {
        keeper.catch_up(&board).await;
    }
    let settings: Vec<_> = options.symbols.iter().map(|symbol| Some(symbol.as_str())).collect();
    let plan = plan(options, &keeper.as_ref().map_or(settings, |keeper| keeper.roster().places()))?;
    if rustls::crypto::ring::default_provider().install_default().is_err() {
        // Somebody in this process has chosen a provider before: as good.
    }
    let limits = options.feed.limits();
    let intake = Arc::new(Intake::new(options.buffer));
    let samples = Arc::<Samples>::default();
    let context = Arc::new(Context {
        options: options.clone(),
        intake: Arc::clone(&intake),
        samples: Arc::clone(&samples),
        epochs: Epochs::new(sharing.map(|(broker, _)| Arc::clone(broker)), Arc::clone(&board)),
        gate: Gate::new(limits.connect_interval, limits.attempts),
        fence: Fence::new(sharing.map(|_| HoldShards::TTL), clock::monotonic()),
        shutdown: shutdown.clone(),
        merge_hash: RandomState::default(),
    });
    Ok(Parts { fleet: Fleet::new(context, Arc::clone(&board), plan, keeper), intake, board, samples })
}

/// Makes the ways from the intake to the broker.
async fn ways(
    options: &ListenerOptions,
    (broker, instance): (Arc<dyn Broker>, InstanceId),
    (intake, board): (&Arc<Intake>, &Arc<Board>),
    (accepted_log, latency_log): (Option<AcceptedLog>, Option<Arc<LatencyLog>>),
) -> Result<Ways, ListenerError> {
    let does_spool = options.buffer.overflow == Overflow::Spool;
    let mut limits = options.enqueue;
    if does_spool {
        limits.patience = limits.patience.min(SPOOL_PATIENCE).min(options.drain_grace / 4);
    }
    let handover = Arc::new(Handover {
        broker,
        limits,
        intake: Arc::clone(intake),
        board: Arc::clone(board),
        accepted_log,
        latency_log,
        meanwhile: if does_spool { "go to the spool" } else { "gather here" },
        outage: Mutex::default(),
    });
    let mut spool = None;
    if let Some(place) = &options.spool {
        let opened = Spool::open(place, group_of(options)?.as_str(), Arc::clone(intake), Arc::clone(board)).await;
        spool = (does_spool || !opened.is_empty()).then(|| Arc::new(opened));
    }
    let enqueuer = Enqueuer {
        handover: Arc::clone(&handover),
        queue: options.queue.clone(),
        producer: instance,
        intake: Arc::clone(intake),
        spool: spool.clone().filter(|_| does_spool),
    };
    Ok(Ways { enqueuer, drain: spool.map(|spool| Drain { spool, handover }) })
}

fn check(options: &ListenerOptions) -> Result<(), ListenerError> {
    if options.buffer.overflow == Overflow::Spool && options.spool.is_none() {
        return Err(ListenerError::NoSpoolFolder);
    }
    let limits = [
        ("symbols_per_connection", options.shards.symbols_per_connection),
        ("max_symbols", options.shards.symbols_max),
        ("buffer_max", options.buffer.messages_max),
        ("the buffer's bytes", options.buffer.bytes_max),
        ("the tasks of one enqueue", options.enqueue.tasks_max),
        ("waiting_max", usize::try_from(options.enqueue.waiting_max).unwrap_or(usize::MAX)),
        ("the beat interval in microseconds", micros(options.beat_interval)),
        ("monitor_interval in microseconds", micros(options.monitor_interval)),
    ];
    if let Some((name, _)) = limits.into_iter().find(|(_, limit)| *limit == 0) {
        return Err(ListenerError::ZeroLimit(name));
    }
    dial::check(options.socket_endpoint()).map_err(|problem| ListenerError::Endpoint { problem })
}

fn accepted_log(options: &ListenerOptions) -> Result<Option<AcceptedLog>, ListenerError> {
    let Some(path) = &options.accepted_log else { return Ok(None) };
    let opened = AcceptedLog::open(path);
    opened.map(Some).map_err(|source| ListenerError::AcceptedLog { path: path.clone(), source })
}

fn micros(duration: Duration) -> usize {
    usize::try_from(duration.as_micros()).unwrap_or(usize::MAX)
}

fn keeper(
    options: &ListenerOptions,
    (broker, owner): (&Arc<dyn Broker>, InstanceId),
) -> Result<LeaseKeeper, ListenerError> {
    Ok(LeaseKeeper::new(Arc::clone(broker), group_of(options)?, owner, &options.symbols))
}

fn group_of(options: &ListenerOptions) -> Result<GroupName, ListenerError> {
    match &options.group {
        Some(group) => Ok(group.clone()),
        None => Ok(options.feed.name().parse()?),
    }
}

fn plan(options: &ListenerOptions, places: &[Option<&str>]) -> Result<Plan, ListenerError> {
    let (channels, catalog) = (options.channels(), options.catalog.current());
    let (feed, limits, now) = (options.feed, options.shards, clock::now());
    let plan = Plan::of(places, Rules { feed, channels: &channels, limits, catalog: &catalog, now })?;
    for (symbol, reason) in &plan.refused {
        warn!("symbol {symbol:?} is not subscribed: {reason}");
    }
    if plan.shards.is_empty() {
        return Err(ListenerError::NoSymbols { refused: plan.refused });
    }
    Ok(plan)
}

fn summary(intake: &Intake) -> ListenerSummary {
    let totals = intake.totals();
    ListenerSummary {
        received: totals.received,
        accepted: totals.accepted,
        rejected: totals.rejected,
        shed: totals.shed,
        buffered: totals.buffered,
        spooled: totals.spooled,
        recovered: totals.recovered,
    }
}
