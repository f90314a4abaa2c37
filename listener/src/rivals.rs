//! Keeps two listeners with different settings from sharing one plan: each would carry a part of its own list and leave
//! the rest to the other, who does not know it.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use common::broker::Broker;
use common::broker::shards::GroupName;
use common::presence::{InstanceId, ListenerState, Part};
use common::shutdown::Shutdown;
use tokio::time;

use crate::options::ListenerOptions;

/// A listener that crashed is shown for some beats; one that was started anew with other settings waits so long for it.
const LOOKS_MAX: u32 = 8;
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

/// What all listeners of a group must have alike, as a short text.
pub(crate) fn digest(options: &ListenerOptions) -> Box<str> {
    let mut hasher = DefaultHasher::new();
    let limits = (options.shards.symbols_per_connection, options.shards.symbols_max);
    (options.feed.name(), options.socket_endpoint(), &options.symbols, options.channels(), limits).hash(&mut hasher);
    format!("{:016x}", hasher.finish()).into()
}

/// A running listener of the group that has other settings, after those that are about to vanish had time to. `None`
/// also when the broker cannot say: then nobody can be given shards either.
pub(crate) async fn rival(
    broker: &Arc<dyn Broker>,
    (group, digest, own): (&GroupName, &str, InstanceId),
    shutdown: &Shutdown,
) -> Option<String> {
    let mut found = None;
    for look in 0..LOOKS_MAX {
        if 0 < look && shutdown.run_until(time::sleep(LOOK_INTERVAL)).await.is_none() {
            return None;
        }
        let Ok(Ok(presences)) = time::timeout(LOOK_INTERVAL, broker.presences()).await else { return None };
        let differs = |state: &ListenerState| {
            state.group.as_deref() == Some(group.as_str()) && state.plan.as_deref().is_some_and(|plan| plan != digest)
        };
        let others = presences.iter().filter(|presence| presence.instance != own);
        found = others
            .filter(|presence| matches!(&presence.part, Part::Listener(state) if differs(state)))
            .map(|presence| format!("process {} on {}", presence.pid, presence.host))
            .next();
        found.as_ref()?;
    }
    found
}
