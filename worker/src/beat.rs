//! Says every second how this worker is.

use std::time::Duration;

use common::broker::Broker;
use common::clock::{self, UnixMicros};
use common::presence::ProcessFacts;
use common::presence::{InstanceId, Part, Presence, WorkerState};
use common::shutdown::Shutdown;
use common::wipe::{WipeWatch, Wiped};

use crate::consumer::Shared;
use crate::stats::Look;

/// Between two beats.
const EVERY: Duration = Duration::from_secs(1);

/// A record outlives this many missed beats.
const KEPT: Duration = Duration::from_secs(5);

/// Announces this worker until `over`, then removes its record.
pub(crate) async fn run(shared: Shared, over: Shutdown) {
    let (instance, started_at) = (InstanceId::fresh(), clock::now());
    let mut before = (shared.stats.look(), clock::monotonic());
    let mut watches: Vec<_> = shared.options.queues.iter().cloned().map(WipeWatch::new).collect();
    loop {
        let look = shared.stats.look();
        let since = before.1.elapsed();
        look_for_wipes(&shared, &mut watches).await;
        let wiped = watches.iter().filter_map(WipeWatch::found).cloned().collect();
        let state = WorkerState { wiped, ..state(&shared, &look, &before.0, since) };
        let presence = presence(instance, started_at, state);
        before = (look, clock::monotonic());
        let answer = tokio::time::timeout(KEPT, shared.broker.announce(&presence, KEPT)).await;
        if let Ok(Err(error)) = answer {
            shared.broker_trouble.failed(&error, clock::monotonic());
        }
        if over.run_until(tokio::time::sleep(EVERY)).await.is_none() {
            break;
        }
    }
    depart(&*shared.broker, instance).await;
}

/// Looks whether the queues still know what they have accepted.
async fn look_for_wipes(shared: &Shared, watches: &mut [WipeWatch]) {
    for (queue, watch) in shared.options.queues.iter().zip(watches) {
        // Where it cannot be asked, the next beat will.
        let Ok(Ok(census)) = tokio::time::timeout(EVERY, shared.broker.census(queue)).await else { continue };
        if let Some(Wiped { known_accepted, known_settled, lost_max, .. }) = watch.look(&census, [0; 2], clock::now()) {
            tracing::error!(
                known_accepted,
                known_settled,
                "queue {queue} was emptied or went back to an older state: up to {lost_max} accepted tasks are lost"
            );
        }
    }
}

async fn depart(broker: &dyn Broker, instance: InstanceId) {
    let left = tokio::time::timeout(EVERY, broker.depart(instance)).await;
    if !matches!(left, Ok(Ok(()))) {
        tracing::debug!("could not remove the presence record, it runs out by itself");
    }
}

fn state(shared: &Shared, look: &Look, before: &Look, since: Duration) -> WorkerState {
    let (tasks, batches) = (look.tasks - before.tasks, look.batches - before.batches);
    let per_second = u128::from(tasks) * 1_000_000 / since.as_micros().max(1);
    let trouble = [&shared.writer.trouble, &*shared.broker_trouble]
        .into_iter()
        .find_map(|trouble| trouble.words(clock::monotonic()));
    let trouble = trouble.or_else(|| shared.checkpoint.words());
    WorkerState {
        queues: shared.options.queues.clone(),
        concurrency: shared.options.concurrency,
        busy: u32::try_from(shared.leases.count()).unwrap_or(u32::MAX),
        tasks: look.tasks,
        tasks_per_s: u64::try_from(per_second).unwrap_or(u64::MAX),
        batch_tasks: u32::try_from(tasks / batches.max(1)).unwrap_or(u32::MAX),
        batch_size: shared.writer.size().shown(),
        commit_p50_us: look.commit_p50_us,
        commit_p99_us: look.commit_p99_us,
        retries: look.retries,
        dead: look.dead,
        leases_lost: look.leases_lost,
        trouble,
        last_take_at: look.last_take_at,
        wiped: Vec::new(),
    }
}

fn presence(instance: InstanceId, started_at: UnixMicros, state: WorkerState) -> Presence {
    let facts = ProcessFacts::read();
    Presence {
        instance,
        host: facts.host,
        pid: facts.pid,
        life: facts.life,
        version: env!("CARGO_PKG_VERSION").into(),
        started_at,
        beat_at: clock::now(),
        memory_bytes: facts.memory_bytes,
        cpu_us: facts.cpu_us,
        part: Part::Worker(state),
    }
}
