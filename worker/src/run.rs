//! The life of a worker process.

use std::sync::Arc;
use std::time::Duration;

use common::broker::{Broker, BrokerError};
use common::health::{HealthError, HealthServer};
use common::latency::{LatencyLog, LatencyLogError};
use common::shutdown::Shutdown;
use common::store::PriceStore;
use tracing::{info, warn};

use crate::consumer::{Consumer, Shared};
use crate::idle::Lookout;
use crate::leases::Leases;
use crate::options::WorkerOptions;
use crate::stats::Stats;
use crate::trouble::Trouble;
use crate::writer::Writer;
use crate::{beat, reaper};

/// After the last batch, for the last beat and renewal to end.
const SERVICES_GRACE: Duration = Duration::from_secs(2);

/// What a worker did in its life.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct WorkerSummary {
    /// Tasks it settled or gave up.
    pub tasks: u64,
    /// Of these, those it gave up.
    pub dead: u64,
    /// Batches it could not finish in time and gave back.
    pub released: u64,
}

/// Why a worker could not start.
#[derive(Debug, thiserror::Error)]
pub enum WorkerError {
    /// The broker would lose tasks as it is.
    #[error("the broker is not fit for work")]
    Broker(#[from] BrokerError),
    /// Its loops panicked again and again: a bug here.
    #[error("loops of this worker panicked {panics} times, too often within a minute")]
    Panics {
        /// In its life.
        panics: u64,
    },
    /// The log of latencies cannot be opened.
    #[error(transparent)]
    LatencyLog(#[from] LatencyLogError),
    /// The address for health checks cannot be used.
    #[error(transparent)]
    Health(#[from] HealthError),
}

/// Works until `shutdown` begins, then finishes what it holds, or gives it back when that takes too long.
///
/// A broker or store that is away at the start is waited for, like at any other time.
pub async fn run(
    options: WorkerOptions,
    broker: Arc<dyn Broker>,
    store: Arc<dyn PriceStore>,
    shutdown: Shutdown,
) -> Result<WorkerSummary, WorkerError> {
    let health = match options.health {
        Some(address) => Some(HealthServer::bind(address).await?),
        None => None,
    };
    match broker.preflight().await {
        Ok(warnings) => warnings.iter().for_each(|warning| warn!("{warning}")),
        Err(error) if error.is_transient() => warn!(%error, "starting without the broker"),
        Err(error) => return Err(error.into()),
    }
    let stats = Arc::new(Stats::default());
    let bell = broker.bell(&options.queues);
    let shared = Shared {
        broker,
        broker_trouble: Arc::new(Trouble::with("the broker")),
        writer: Arc::new(Writer::new(&options, store, Arc::clone(&stats), shutdown.clone())),
        checkpoint: Arc::default(),
        ward: Arc::default(),
        leases: Leases::new(options.lease),
        lookout: Arc::new(Lookout::new(bell, options.look_every)),
        latency_log: LatencyLog::open(options.latency_log.as_deref())?,
        stats,
        shutdown: shutdown.clone(),
        options: Arc::new(options),
    };
    let services = start_services(&shared);
    let health = health.map(|server| {
        let address = server.address();
        info!(address = ?address, "answers health checks");
        services.spawn("health", server.run(Arc::new(shared.clone()), services.clone()))
    });
    let queues: Vec<&str> = shared.options.queues.iter().map(common::queue::QueueName::as_str).collect();
    info!(queues = ?queues, concurrency = shared.options.concurrency, "worker is ready");

    let consumers = Shutdown::new(); // counts the loops apart from other tasks of the process
    for number in 0..shared.options.concurrency {
        let shared = shared.clone();
        let kept = async move {
            let make = || Consumer::new(shared.clone(), number).run();
            shared.ward.keep(&shared.shutdown, make).await;
        };
        consumers.spawn("consumer", kept);
    }
    shutdown.begun().await;
    let released = stop(&shared, &consumers).await;
    services.begin();
    if let Some(health) = health {
        health.abort();
    }
    services.drained(SERVICES_GRACE).await;
    let look = shared.stats.look();
    info!(tasks = look.tasks, dead = look.dead, released, "worker has stopped");
    if shared.ward.gave_up() {
        return Err(WorkerError::Panics { panics: shared.ward.panics() });
    }
    Ok(WorkerSummary { tasks: look.tasks, dead: look.dead, released })
}

/// Renewal and beats go on until the last batch is settled, so they have a stop of their own.
fn start_services(shared: &Shared) -> Shutdown {
    let services = Shutdown::new();
    let (leases, broker) = (Arc::clone(&shared.leases), Arc::clone(&shared.broker));
    let (trouble, stats) = (Arc::clone(&shared.broker_trouble), Arc::clone(&shared.stats));
    services.spawn("leases", leases.run(broker, trouble, stats, services.clone()));
    if let Some(log) = &shared.latency_log {
        let (log, over) = (Arc::clone(log), services.clone());
        services.spawn("latencies", log.run(async move { over.begun().await }));
    }
    services.spawn("beat", beat::run(shared.clone(), services.clone()));
    let (broker, trouble) = (Arc::clone(&shared.broker), Arc::clone(&shared.broker_trouble));
    services.spawn("reaper", reaper::run(broker, shared.options.queues.clone(), trouble, shared.shutdown.clone()));
    services
}

/// Waits for the loops; what they cannot finish in time is given back. Returns how many batches that were.
async fn stop(shared: &Shared, consumers: &Shutdown) -> u64 {
    if consumers.drained(shared.options.drain).await {
        return 0;
    }
    let abandoned = shared.leases.abandon();
    let mut released = 0;
    for (queue, lease) in abandoned {
        let answer = tokio::time::timeout(SERVICES_GRACE, shared.broker.release(&queue, lease)).await;
        if matches!(answer, Ok(Ok(_))) {
            released += 1;
        } else {
            warn!(%lease, "could not give a batch back, it comes again when its lease has run out");
        }
    }
    released
}
