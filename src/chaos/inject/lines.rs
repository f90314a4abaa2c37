//! The lines between parts and servers, and the feed's other end.

use std::time::Duration;

use common::servers::{Proxy, Toxic};
use fastrand::Rng;
use listener::exchange::Target;

use crate::chaos::fault::LineFault;
use crate::chaos::world::World;

/// A line that is slow, and one that is narrow (1 Mbit/s).
const BAD: [Toxic; 2] = [Toxic::Latency(Duration::from_millis(200)), Toxic::Throttle(125_000)];

/// Far away, for a database.
const FAR: Duration = Duration::from_millis(200);

/// Close codes of WebSockets, ordinary and not (RFC 6455 §7.4, and private ones).
const CLOSE_CODES: [u16; 9] = [1000, 1001, 1002, 1008, 1011, 1012, 1013, 4000, 4999];

pub(super) async fn hurt(world: &World, fault: LineFault, dice: &mut Rng) {
    let servers = world.wires.servers.as_ref();
    // Silence or a reset: both happen.
    let cut = if dice.bool() { Toxic::BlackHole } else { Toxic::Reset };
    let set = |wire: Option<&Proxy>, toxic: Toxic| wire.into_iter().for_each(|wire| wire.set(toxic));
    match fault {
        LineFault::RepliesCut => set(servers.map(|wires| &wires.worker_postgres), Toxic::CutReplies),
        LineFault::StoreFar => set(servers.map(|wires| &wires.worker_postgres), Toxic::Latency(FAR)),
        LineFault::StoreCut => set(servers.map(|wires| &wires.worker_postgres), cut),
        LineFault::ListenerCut => set(servers.map(|wires| &wires.listener_redis), cut),
        LineFault::WorkersCut => set(servers.map(|wires| &wires.worker_redis), cut),
        LineFault::AllBad => set_all(world, BAD[dice.usize(..BAD.len())]),
        LineFault::FeedSilent => world.wires.feed.set(Toxic::BlackHole),
        LineFault::FeedGarbled => world.wires.feed.set(Toxic::Corrupt),
        LineFault::FeedReset => world.wires.feed.set(Toxic::Reset),
        LineFault::FeedCloses => {
            let code = CLOSE_CODES[dice.usize(..CLOSE_CODES.len())];
            // An exchange that has ended has no connection to close.
            _ = world.exchange.close(Target::Everyone, code, "as asked").await;
        }
    }
}

pub(super) fn heal(world: &World) {
    set_all(world, Toxic::None);
}

fn set_all(world: &World, toxic: Toxic) {
    world.wires.feed.set(toxic);
    if let Some(wires) = &world.wires.servers {
        for wire in [&wires.listener_redis, &wires.worker_redis, &wires.worker_postgres] {
            wire.set(toxic);
        }
    }
}
