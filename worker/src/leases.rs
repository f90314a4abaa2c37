//! Keeps the leases of batches in work, and fences this worker off when it cannot.
//!
//! Renewal runs in a task of its own, so a slow store never costs a lease. A lease that the broker calls lost, or
//! that could not be renewed in time by our own monotonic clock, is given up: its work is dropped before it commits.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use common::broker::Broker;
use common::clock;
use common::queue::{LeaseId, QueueName};
use common::shutdown::Shutdown;
use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::stats::Stats;
use crate::trouble::Trouble;

/// Renewals per lease time.
const RENEWALS_PER_TTL: u32 = 3;

/// A lease is given up this part of its time before it runs out, so that no commit is under way when it does.
const MARGIN_PART: u32 = 10;

#[derive(Debug)]
struct Held {
    queue: QueueName,
    /// Not later than the broker's own deadline: counted from before the request left.
    until: Instant,
    lost: CancellationToken,
}

/// The leases of this process.
#[derive(Debug)]
pub(crate) struct Leases {
    ttl: Duration,
    held: Mutex<HashMap<LeaseId, Held>>,
}

/// One lease in work. Dropping it ends the renewals.
#[derive(Debug)]
pub(crate) struct Keeping {
    leases: Arc<Leases>,
    lease: LeaseId,
    lost: CancellationToken,
}

impl Keeping {
    /// Runs `work` unless the lease is lost first: then `None`, and the work is dropped where it stands.
    pub(crate) async fn while_held<F: Future>(&self, work: F) -> Option<F::Output> {
        self.lost.run_until_cancelled(work).await
    }
}

impl Drop for Keeping {
    fn drop(&mut self) {
        self.leases.lock().remove(&self.lease);
    }
}

impl Leases {
    pub(crate) fn new(ttl: Duration) -> Arc<Self> {
        Arc::new(Self { ttl, held: Mutex::default() })
    }

    /// Keeps a lease that was asked for at `asked_at`.
    pub(crate) fn keep(self: &Arc<Self>, queue: &QueueName, lease: LeaseId, asked_at: Instant) -> Keeping {
        let lost = CancellationToken::new();
        let held = Held { queue: queue.clone(), until: asked_at + self.ttl, lost: lost.clone() };
        self.lock().insert(lease, held);
        Keeping { leases: Arc::clone(self), lease, lost }
    }

    /// Batches in work now.
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    /// Renews until `over`, which comes after the last batch: leases are kept while a stopping worker drains.
    pub(crate) async fn run(
        self: Arc<Self>,
        broker: Arc<dyn Broker>,
        trouble: Arc<Trouble>,
        stats: Arc<Stats>,
        over: Shutdown,
    ) {
        let every = self.ttl / RENEWALS_PER_TTL;
        while over.run_until(tokio::time::sleep(every)).await.is_some() {
            for (queue, leases) in self.by_queue() {
                let asked_at = clock::monotonic();
                match broker.renew(&queue, &leases, self.ttl).await {
                    Ok(lost) => {
                        trouble.answered(clock::monotonic());
                        self.renewed(&leases, &lost, asked_at, &stats);
                    }
                    Err(error) => trouble.failed(&error, clock::monotonic()),
                }
            }
            self.fence(clock::monotonic(), &stats);
        }
    }

    /// Gives up everything at once and says what it was, so that it can be released.
    pub(crate) fn abandon(&self) -> Vec<(QueueName, LeaseId)> {
        let held = self.lock();
        held.iter()
            .map(|(lease, held)| {
                held.lost.cancel();
                (held.queue.clone(), *lease)
            })
            .collect()
    }

    /// Leases whose renewal is late at `now`: more than one was missed.
    pub(crate) fn overdue(&self, now: Instant) -> usize {
        let fresh = self.ttl / RENEWALS_PER_TTL;
        self.lock().values().filter(|held| held.until.saturating_duration_since(now) < fresh).count()
    }

    fn by_queue(&self) -> HashMap<QueueName, Vec<LeaseId>> {
        let mut by_queue: HashMap<QueueName, Vec<LeaseId>> = HashMap::new();
        for (lease, held) in &*self.lock() {
            by_queue.entry(held.queue.clone()).or_default().push(*lease);
        }
        by_queue
    }

    fn renewed(&self, asked: &[LeaseId], lost: &[LeaseId], asked_at: Instant, stats: &Stats) {
        let mut held = self.lock();
        for lease in asked {
            let Some(keeping) = held.get_mut(lease) else { continue }; // settled meanwhile
            if lost.contains(lease) {
                give_up(keeping, *lease, "the broker gave it to another worker", stats);
            } else {
                keeping.until = asked_at + self.ttl;
            }
        }
    }

    /// Gives up what could not be renewed in time.
    fn fence(&self, now: Instant, stats: &Stats) {
        let margin = self.ttl / MARGIN_PART;
        for (lease, held) in &*self.lock() {
            if held.until.saturating_duration_since(now) < margin {
                give_up(held, *lease, "it could not be renewed in time", stats);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<LeaseId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn give_up(held: &Held, lease: LeaseId, why: &str, stats: &Stats) {
    if !held.lost.is_cancelled() {
        // Nothing is lost: whoever holds the batch now stores it, and our rows would only be superseded.
        warn!(lease = %lease, "gave up a batch: {why}");
        stats.lease_lost();
        held.lost.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_lease_that_could_not_be_renewed_in_time_is_given_up_before_it_runs_out() {
        let (leases, stats) = (Leases::new(Duration::from_secs(10)), Stats::default());
        let asked_at = clock::monotonic();
        let keeping = leases.keep(&"q".parse().unwrap(), LeaseId::fresh(), asked_at);

        leases.fence(asked_at + Duration::from_millis(8_900), &stats);
        assert_eq!(keeping.while_held(async { "done" }).await, Some("done"));

        leases.fence(asked_at + Duration::from_millis(9_100), &stats);
        assert_eq!(keeping.while_held(std::future::pending::<()>()).await, None);
    }

    #[tokio::test]
    async fn a_renewed_lease_is_held_and_a_lost_one_is_not() {
        let (leases, stats) = (Leases::new(Duration::from_secs(10)), Stats::default());
        let asked_at = clock::monotonic();
        let queue = "q".parse().unwrap();
        let [kept, lost] = [LeaseId::fresh(), LeaseId::fresh()];
        let [keeping_kept, keeping_lost] = [kept, lost].map(|lease| leases.keep(&queue, lease, asked_at));

        let later = asked_at + Duration::from_secs(5);
        leases.renewed(&[kept, lost], &[lost], later, &stats);
        leases.fence(later + Duration::from_secs(8), &stats);
        assert!(keeping_kept.while_held(async {}).await.is_some());
        assert!(keeping_lost.while_held(std::future::pending::<()>()).await.is_none());

        drop((keeping_kept, keeping_lost));
        assert_eq!(leases.count(), 0);
    }
}
