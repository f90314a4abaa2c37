//! Starts the parts of a listener, and stops them from the source on.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::shards::{BadGroupName, GroupName, HoldShards};
use common::clock;
use common::feed::FeedError;
use common::health::{HealthError, HealthServer};
use common::presence::InstanceId;
use common::shutdown::Shutdown;
use foldhash::fast::RandomState;
use tokio::time;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::beat::Beat;
use crate::board::Board;
use crate::dial;
use crate::enqueuer::Enqueuer;
use crate::epochs::Epochs;
use crate::fence::Fence;
use crate::fleet::Fleet;
use crate::gate::Gate;
use crate::intake::Intake;
use crate::lease_keeper::LeaseKeeper;
use crate::monitor;
use crate::options::{BufferLimits, ListenerOptions, Overflow};
use crate::readiness::ListenerReadiness;
use crate::rivals;
use crate::samples::Samples;
use crate::shard::Context;
use crate::shards::{Plan, Rules};

/// What a listener did, from start to end. `received = accepted + shed + buffered`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListenerSummary {
    /// Data messages read from sockets.
    pub received: u64,
    /// Tasks whose durable enqueue returned.
    pub accepted: u64,
    /// Frames that were no message of the feed, by reason.
    pub rejected: BTreeMap<Box<str>, u64>,
    /// Messages given up under the overflow policy, by policy.
    pub shed: BTreeMap<Box<str>, u64>,
    /// Messages that the broker did not accept before the grace ran out. Those of a last, unanswered enqueue are among
    /// them, though the broker may have them.
    pub buffered: u64,
}

/// Why a listener cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ListenerError {
    /// No symbol is left to subscribe.
    #[error("no symbol to subscribe{}", first_refusal(.refused))]
    NoSymbols {
        /// Those that were asked for and refused, with the reason.
        refused: BTreeMap<Box<str>, Box<str>>,
    },
    /// The feed has no such channel.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The endpoint cannot be connected to.
    #[error("the endpoint is no WebSocket url: {problem}")]
    Endpoint {
        /// What is wrong with it. Holds no part of the url that may be secret.
        problem: String,
    },
    /// Another listener of the group has other settings: together they would leave symbols out.
    #[error(
        "{other} shares the symbols of group {group} with other symbols, channels or limits than ours; give both the same          settings, or one of them a `listener.group` of its own"
    )]
    Rival {
        /// The group.
        group: GroupName,
        /// Who.
        other: String,
    },
    /// The feed's name cannot name a group.
    #[error(transparent)]
    Group(#[from] BadGroupName),
    /// Its shards panicked again and again: a bug here.
    #[error("connections broke down by a bug {panics} times, too often within a minute")]
    Panics {
        /// In its life.
        panics: u64,
    },
    /// The address for health checks cannot be used.
    #[error(transparent)]
    Health(#[from] HealthError),
    /// A policy that is named but not built.
    #[error("overflow policy `spool` is not available yet; use merge, block or drop_oldest")]
    SpoolNotBuilt,
    /// A limit of zero where nothing could happen.
    #[error("{0} must be at least 1")]
    ZeroLimit(&'static str),
    /// The enqueuer ended on its own: a bug here. The sources were stopped.
    #[error("the enqueuer broke down")]
    EnqueuerBroke(#[source] tokio::task::JoinError),
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
    if let Some(other) = rivals::rival(&broker, (&group, &plan, instance), &shutdown).await {
        return Err(ListenerError::Rival { group, other });
    }
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
    let enqueuer = Enqueuer {
        broker,
        queue: options.queue.clone(),
        producer: instance,
        limits: options.enqueue,
        intake: Arc::clone(&intake),
        board: Arc::clone(&board),
    };
    let ended = carry(enqueuer, fleet, &shutdown, options.drain_grace).await;

    done.cancel();
    for (name, task) in [("beat", beat), ("monitor", monitor)] {
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

/// Runs fleet and enqueuer to their end.
async fn carry(
    enqueuer: Enqueuer,
    fleet: Fleet,
    shutdown: &Shutdown,
    drain_grace: Duration,
) -> Result<(), ListenerError> {
    let intake = Arc::clone(&enqueuer.intake);
    let give_up = CancellationToken::new();
    let until = give_up.clone();
    let mut enqueuer =
        shutdown.spawn("enqueuer", async move { until.run_until_cancelled(enqueuer.run()).await.unwrap_or_default() });
    let mut fleet = shutdown.spawn("fleet", fleet.run());
    tokio::select! {
        broken = &mut enqueuer => {
            shutdown.begin();
            if let Err(error) = fleet.await {
                error!("the fleet broke down: {error}");
            }
            return broken.map_err(ListenerError::EnqueuerBroke);
        }
        ended = &mut fleet => if let Err(error) = ended {
            error!("the fleet broke down: {error}");
            shutdown.begin();
        }
    }
    intake.close();
    if let Ok(ended) = time::timeout(drain_grace, &mut enqueuer).await {
        return ended.map_err(ListenerError::EnqueuerBroke);
    }
    give_up.cancel();
    warn!("{} messages were not handed over within {drain_grace:?}", intake.totals().buffered);
    enqueuer.await.map_err(ListenerError::EnqueuerBroke)
}

fn check(options: &ListenerOptions) -> Result<(), ListenerError> {
    if options.buffer.overflow == Overflow::Spool {
        return Err(ListenerError::SpoolNotBuilt);
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
    }
}

fn first_refusal(refused: &BTreeMap<Box<str>, Box<str>>) -> String {
    match refused.first_key_value() {
        Some((symbol, reason)) => format!(": {} refused, e.g. {symbol:?}: {reason}", refused.len()),
        None => String::new(),
    }
}
