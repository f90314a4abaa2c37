//! Keeps the listener's presence record fresh, and removes it at the end.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::shards::GroupName;
use common::clock::{self, UnixMicros};
use common::credentials::Vault;
use common::presence::{InstanceId, ListenerCounts, ListenerState, Part, Presence, ProcessFacts};
use common::queue::QueueName;
use common::wipe::{WipeWatch, Wiped};
use tokio::time::{self, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tracing::{debug, error};

use crate::board::Board;
use crate::intake::Intake;
use crate::samples::Samples;

/// A record outlives this many missed beats.
const BEATS_KEPT: u32 = 5;
/// A broker that is away must not hold up the listener's end for longer.
const DEPART_MAX: Duration = Duration::from_secs(1);

/// Writes the presence record.
#[derive(Debug)]
pub(crate) struct Beat {
    pub(crate) broker: Arc<dyn Broker>,
    pub(crate) instance: InstanceId,
    pub(crate) started_at: UnixMicros,
    pub(crate) queue: QueueName,
    pub(crate) group: GroupName,
    pub(crate) plan: Box<str>,
    pub(crate) buffer_max: u64,
    pub(crate) interval: Duration,
    pub(crate) intake: Arc<Intake>,
    pub(crate) board: Arc<Board>,
    pub(crate) samples: Arc<Samples>,
    pub(crate) vault: Option<Arc<Vault>>,
}

impl Beat {
    /// Runs until `done`.
    pub(crate) async fn run(self, done: CancellationToken) {
        let mut ticks = time::interval(self.interval);
        let mut watch = WipeWatch::new(self.queue.clone());
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while done.run_until_cancelled(ticks.tick()).await.is_some() {
            self.look(&mut watch, &done).await;
            let presence = self.presence(watch.found());
            let announced = self.broker.announce(&presence, self.interval * BEATS_KEPT);
            match done.run_until_cancelled(time::timeout(self.interval, announced)).await {
                None => {}
                Some(Ok(Ok(()))) => self.board.beaten(clock::monotonic()),
                // The enqueuer tells people that the broker is away; a missed beat is no news beside that.
                Some(Ok(Err(error))) => debug!("presence not announced: {error}"),
                Some(Err(_)) => debug!("presence not announced: no answer within {:?}", self.interval),
            }
        }
        if !matches!(time::timeout(DEPART_MAX, self.broker.depart(self.instance)).await, Ok(Ok(()))) {
            debug!("presence not removed; it runs out by itself");
        }
    }

    /// Looks whether the queue still knows what it has accepted.
    async fn look(&self, watch: &mut WipeWatch, done: &CancellationToken) {
        let own_before = self.intake.totals().accepted;
        let asked = time::timeout(self.interval, self.broker.census(&self.queue));
        // Where it cannot be asked, the next beat will.
        let Some(Ok(Ok(census))) = done.run_until_cancelled(asked).await else { return };
        let own = [own_before, self.intake.totals().accepted];
        if let Some(Wiped { queue, known_accepted, known_settled, lost_max, .. }) =
            watch.look(&census, own, clock::now())
        {
            error!(
                known_accepted,
                known_settled,
                "queue {queue} was emptied or went back to an older state: up to {lost_max} accepted tasks are lost"
            );
        }
    }

    fn redacted(&self, text: &str) -> String {
        self.vault.as_ref().map_or_else(|| text.to_owned(), |vault| vault.redact(text))
    }

    fn presence(&self, wiped: Option<&Wiped>) -> Presence {
        let facts = ProcessFacts::read();
        let totals = self.intake.totals();
        Presence {
            instance: self.instance,
            host: facts.host,
            pid: facts.pid,
            life: facts.life,
            version: env!("CARGO_PKG_VERSION").into(),
            started_at: self.started_at,
            beat_at: clock::now(),
            memory_bytes: facts.memory_bytes,
            cpu_us: facts.cpu_us,
            part: Part::Listener(ListenerState {
                queue: Some(self.queue.clone()),
                connections: self.board.connections(),
                buffered: totals.buffered,
                counts: Some(ListenerCounts {
                    received: totals.received,
                    recovered: totals.recovered,
                    accepted: totals.accepted,
                    shed: totals.shed.values().sum(),
                    spooled: totals.spooled,
                }),
                buffer_max: self.buffer_max,
                trouble: self.board.trouble(),
                group: Some(self.group.as_str().into()),
                plan: Some(self.board.plan().unwrap_or_else(|| self.plan.clone())),
                samples: self.samples.shown(|text| self.redacted(text)),
                wiped: wiped.cloned(),
            }),
        }
    }
}
