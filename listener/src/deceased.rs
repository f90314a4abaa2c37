//! Does not wait for the leases of a listener that has crashed on this machine: its process is gone, so it reads no
//! socket any more. Leases are for those of whom nothing is known.

use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::shards::GroupName;
use common::outage::chain;
use common::presence::process::is_gone;
use common::presence::{Part, Presence};
use tokio::time;
use tracing::{info, warn};

/// All of it may take so long; what it does not reach runs out by itself.
const PATIENCE: Duration = Duration::from_secs(2);

/// Gives back the shards of this group's listeners that have ended here without doing so.
pub(crate) async fn release(broker: &Arc<dyn Broker>, group: &GroupName) {
    let released = time::timeout(PATIENCE, async {
        for presence in broker.presences().await?.iter().filter(|presence| has_died(presence, group)) {
            broker.release_shards(group, presence.instance).await?;
            broker.depart(presence.instance).await?;
            info!("took over from process {}, which has ended without a farewell", presence.pid);
        }
        Ok::<(), common::broker::BrokerError>(())
    });
    if let Ok(Err(error)) = released.await {
        warn!("shards of a listener that has ended here may stay with it for some seconds: {}", chain(&error));
    }
}

fn has_died(presence: &Presence, group: &GroupName) -> bool {
    let is_of_group = match &presence.part {
        Part::Listener(state) => state.group.as_deref() == Some(group.as_str()),
        Part::Worker(_) => false,
    };
    is_of_group && presence.life.as_deref().is_some_and(is_gone)
}
