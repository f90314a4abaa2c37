//! What is known of a group, put together from its shards, its roster and its listeners' presence records. Pure.

use std::collections::BTreeMap;

use common::broker::shards::{GroupName, ShardMap, ShardOwner};
use common::clock::UnixMicros;
use common::presence::{InstanceId, ListenerState, Part, Presence};
use common::roster::Roster;
use serde::Serialize;

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct GroupView {
    pub(super) group: GroupName,
    pub(super) paused: bool,
    /// The roster's revision.
    pub(super) revision: u64,
    /// Whether our settings are those of the group; if not, its listeners carry symbols that are not listed here.
    pub(super) settings_known: bool,
    /// Symbols that shall be carried, in their order.
    pub(super) desired: Vec<String>,
    /// Symbols that connections carry.
    pub(super) carried: u64,
    /// Symbols that the provider has confirmed.
    pub(super) confirmed: u64,
    /// Symbols that a limit or the provider refused, with the reason.
    pub(super) refused: BTreeMap<Box<str>, Box<str>>,
    /// Shards of the plan.
    pub(super) plan: u32,
    /// Whether the listeners disagree about that: different settings, or one is about to follow.
    pub(super) plan_disputed: bool,
    /// Shards that nobody holds.
    pub(super) unheld: Vec<u32>,
    pub(super) listeners: Vec<ListenerView>,
}

/// One listener.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct ListenerView {
    pub(super) instance: InstanceId,
    /// Machine and process; `None` when it has no presence record.
    pub(super) process: Option<String>,
    pub(super) shards: Vec<u32>,
    pub(super) carried: u64,
    pub(super) confirmed: u64,
    /// Its shards go to others after this.
    pub(super) deadline_at: UnixMicros,
}

impl GroupView {
    pub(super) fn of(
        group: GroupName,
        settings_known: bool,
        roster: &Roster,
        map: &ShardMap,
        presences: &[Presence],
    ) -> Self {
        let listeners: Vec<ListenerView> = map.owners.iter().map(|owner| listener(owner, map, presences)).collect();
        let plan = map.owners.iter().map(|owner| owner.plan).max().unwrap_or(0);
        let states = map.owners.iter().filter_map(|owner| state_of(owner.owner, presences));
        let connections = states.flat_map(|(_, state)| &state.connections);
        Self {
            group,
            paused: roster.is_paused(),
            revision: roster.revision(),
            settings_known,
            desired: roster.symbols().into_iter().map(str::to_owned).collect(),
            carried: listeners.iter().map(|listener| listener.carried).sum(),
            confirmed: listeners.iter().map(|listener| listener.confirmed).sum(),
            refused: connections.flat_map(|connection| connection.refused.clone()).collect(),
            plan,
            plan_disputed: map.owners.iter().any(|owner| owner.plan != plan),
            unheld: (0..plan).filter(|shard| map.shards.iter().all(|lease| lease.shard != *shard)).collect(),
            listeners,
        }
    }
}

fn listener(owner: &ShardOwner, map: &ShardMap, presences: &[Presence]) -> ListenerView {
    let found = state_of(owner.owner, presences);
    let connections = || found.iter().flat_map(|(_, state)| &state.connections);
    ListenerView {
        instance: owner.owner,
        process: found.map(|(presence, _)| format!("{}/{}", presence.host, presence.pid)),
        shards: map.shards.iter().filter(|lease| lease.owner == owner.owner).map(|lease| lease.shard).collect(),
        carried: connections().map(|connection| connection.symbols).sum(),
        confirmed: connections().map(|connection| connection.confirmed).sum(),
        deadline_at: owner.deadline,
    }
}

fn state_of(owner: InstanceId, presences: &[Presence]) -> Option<(&Presence, &ListenerState)> {
    let presence = presences.iter().find(|presence| presence.instance == owner)?;
    match &presence.part {
        Part::Listener(state) => Some((presence, state)),
        Part::Worker(_) => None,
    }
}
