//! Asks the broker, again and again, which shards are ours, and follows what operators ask for.

use std::sync::Arc;
use std::time::Duration;

use common::broker::shards::{GroupName, HeldShard, HoldShards, Turn};
use common::broker::{Broker, BrokerError};
use common::clock;
use common::outage::{Outage, chain};
use common::presence::InstanceId;
use common::roster::{Applied, Roster};
use tokio::time;
use tracing::{info, warn};

use crate::board::Board;
use crate::fence::Fence;

/// One question may take this long. Shorter than a lease, so that a silent broker is not taken for a sleep.
const PATIENCE: Duration = Duration::from_secs(2);

/// Keeps our place in the group.
#[derive(Debug)]
pub(crate) struct LeaseKeeper {
    broker: Arc<dyn Broker>,
    group: GroupName,
    owner: InstanceId,
    held: Vec<HeldShard>,
    roster: Roster,
    outage: Outage,
}

/// What a question led to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Turned {
    /// Shards that are ours no longer, or that somebody else may have had in between.
    pub(crate) lost: Vec<u32>,
    /// Whether the wanted symbols are others now.
    pub(crate) wishes_changed: bool,
}

impl LeaseKeeper {
    pub(crate) fn new(broker: Arc<dyn Broker>, group: GroupName, owner: InstanceId, symbols: &[String]) -> Self {
        let roster = Roster::new(symbols);
        Self { broker, group, owner, held: Vec::new(), roster, outage: Outage::default() }
    }

    pub(crate) fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The shards that are ours, by number from 0.
    pub(crate) fn held(&self) -> impl Iterator<Item = u32> {
        self.held.iter().map(|held| held.shard)
    }

    /// Asks once. A broker that is away changes nothing: nobody else can get our shards from it either.
    pub(crate) async fn ask(&mut self, shards: usize, fence: &Fence, board: &Board) -> Turned {
        let asked_at = clock::monotonic();
        let shards = u32::try_from(shards).unwrap_or(u32::MAX).min(HoldShards::SHARDS_MAX);
        let shards = if self.roster.is_paused() { 0 } else { shards };
        let hold = HoldShards { group: &self.group, owner: self.owner, shards, ttl: HoldShards::TTL };
        let problem = match time::timeout(PATIENCE, self.broker.hold_shards(&hold)).await {
            Ok(Ok(grant)) => {
                self.went_well(board);
                let turn = Turn::between(&self.held, &grant.held);
                self.held = grant.held;
                let lost: Vec<u32> = turn.lost.iter().map(|held| held.shard).collect();
                if lost.is_empty() {
                    fence.confirm(asked_at);
                }
                let wishes_changed = grant.revision != self.roster.revision() && self.catch_up(board).await;
                return Turned { lost, wishes_changed };
            }
            Ok(Err(error)) => chain(&error),
            Err(_) => format!("the broker gave no answer within {PATIENCE:?}"),
        };
        if let Some(notice) = self.outage.failed(clock::monotonic()) {
            warn!(tries = notice.tries, "the shards of group {} cannot be shared: {problem}", self.group);
        }
        board.set_share_trouble(Some(problem));
        Turned::default()
    }

    fn went_well(&mut self, board: &Board) {
        if let Some(over) = self.outage.ended(clock::monotonic()) {
            let outage_ms = over.lasted.as_millis();
            info!(outage_ms, "the shards of group {} are shared again after {outage_ms} ms", self.group);
        }
        let paused = format!("paused: `tidemill feed resume` goes on (group {})", self.group);
        board.set_share_trouble(self.roster.is_paused().then_some(paused));
    }

    /// Replays what operators asked for since. Whether a listener sees a difference.
    pub(crate) async fn catch_up(&mut self, board: &Board) -> bool {
        let news = match time::timeout(PATIENCE, self.broker.roster_since(&self.group, self.roster.revision())).await {
            Ok(Ok(news)) => news,
            // Asked again with the next question.
            Ok(Err(error)) => {
                if let BrokerError::Unfit { .. } = error {
                    board.set_share_trouble(Some(chain(&error)));
                }
                return false;
            }
            Err(_) => return false,
        };
        let applied = self.roster.catch_up(&news);
        applied == Applied::Changed
    }

    /// Puts other symbols under what operators asked for. False when the broker cannot say what that was: then nothing
    /// changes, and it is to be tried again.
    pub(crate) async fn rebase(&mut self, symbols: &[String]) -> bool {
        let mut roster = Roster::new(symbols);
        let Ok(Ok(news)) = time::timeout(PATIENCE, self.broker.roster_since(&self.group, roster.revision())).await
        else {
            return false;
        };
        roster.catch_up(&news);
        self.roster = roster;
        true
    }

    /// Gives everything back, for a stop in good order.
    pub(crate) async fn release(&self) {
        if !matches!(time::timeout(PATIENCE, self.broker.release_shards(&self.group, self.owner)).await, Ok(Ok(()))) {
            info!("the shards of group {} run out by themselves", self.group);
        }
    }
}
