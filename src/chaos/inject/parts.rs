//! Our own processes: killed, stopped, frozen, told to reload.

use std::time::Duration;

use common::failpoint::Point;
use common::servers::{PostgresServer, RedisServer, Signal};
use fastrand::Rng;

use super::Wound;
use crate::chaos::fault::{Fault, PartFault, PostgresFault, RedisFault};
use crate::chaos::launcher;
use crate::chaos::parts::Part;
use crate::chaos::world::World;
use crate::failure::Failure;

/// At which of its visits a part dies: somewhere in its work, not at its beginning.
const VISIT: u32 = 20;

/// A part comes to any edge of its work long before.
const DEATH_MAX: Duration = Duration::from_secs(20);

pub(super) async fn hurt(
    world: &mut World,
    fault: PartFault,
    wound: &mut Wound,
    dice: &mut Rng,
) -> Result<(), Failure> {
    let Some(worker) = dice.choice(world.parts.workers()) else { return Ok(()) };
    match fault {
        PartFault::KillWorker => world.parts.kill(worker).await,
        PartFault::KillListener => world.parts.kill(Part::Listener).await,
        PartFault::KillLauncher => {
            wound.violations = launcher::kill(world).await?;
            Ok(())
        }
        PartFault::StopWorker => stop(world, worker, wound).await,
        PartFault::StopListener => stop(world, Part::Listener, wound).await,
        PartFault::StopWorkers => stop_workers(world, wound).await,
        PartFault::StopWhileStoreHangs => {
            world.postgres.as_ref().map_or(Ok(()), PostgresServer::freeze)?;
            if world.parts.stop(worker).await?.is_none() {
                wound.violations.push(format!("the {worker} did not leave while the store hung"));
            }
            Ok(())
        }
        PartFault::FreezeWorker => {
            wound.part = Some(worker);
            world.parts.signal(worker, Signal::STOP)
        }
        PartFault::Reload => again(world, fault),
        PartFault::DieAt(point) => die_at(world, point, wound).await,
    }
}

pub(super) fn again(world: &World, fault: PartFault) -> Result<(), Failure> {
    if fault != PartFault::Reload {
        return Ok(());
    }
    world.wanted().into_iter().try_for_each(|part| world.parts.signal(part, Signal::HUP))
}

pub(super) fn heal(world: &World, fault: PartFault, part: Option<Part>) -> Result<(), Failure> {
    match fault {
        PartFault::FreezeWorker => part.map_or(Ok(()), |part| world.parts.signal(part, Signal::CONT)),
        PartFault::StopWhileStoreHangs => Ok(world.postgres.as_ref().map_or(Ok(()), PostgresServer::thaw)?),
        PartFault::KillWorker
        | PartFault::KillListener
        | PartFault::KillLauncher
        | PartFault::StopWorker
        | PartFault::StopListener
        | PartFault::StopWorkers
        | PartFault::Reload
        | PartFault::DieAt(_) => Ok(()),
    }
}

/// Starts a part anew, told to die at an edge, and waits until it has.
async fn die_at(world: &mut World, point: Point, wound: &mut Wound) -> Result<(), Failure> {
    let (part, visit) = match point {
        Point::Received | Point::EnqueueBefore | Point::EnqueueAfter => (Part::Listener, VISIT),
        Point::SpoolAfter => (Part::Listener, 1),
        Point::TakeAfter | Point::CommitAfter | Point::SettleAfter => (Part::Worker(1), VISIT),
        Point::EachBefore | Point::EachAfter => (Part::Worker(1), 1),
    };
    world.parts.stop(part).await?;
    world.parts.set(part, "FAILPOINT", format!("{point}=abort@{visit}"));
    world.parts.start(part)?;
    // These edges are met in trouble only.
    let trouble = match point {
        Point::SpoolAfter => Some(Fault::Redis(RedisFault::Full)),
        Point::EachBefore | Point::EachAfter => Some(Fault::Postgres(PostgresFault::RefuseRows)),
        Point::Received
        | Point::EnqueueBefore
        | Point::EnqueueAfter
        | Point::TakeAfter
        | Point::CommitAfter
        | Point::SettleAfter => None,
    };
    match trouble {
        Some(Fault::Redis(fault)) => super::redis::hurt(world, fault)?,
        Some(Fault::Postgres(fault)) => super::postgres::hurt(world, fault).await?,
        _ => {}
    }
    if world.parts.ended(part, DEATH_MAX).await? {
        world.parts.unset(part, "FAILPOINT");
    } else {
        wound.violations.push(format!("the {part} has not come to {point} in {} s", DEATH_MAX.as_secs()));
        world.parts.unset(part, "FAILPOINT");
        world.parts.kill(part).await?;
    }
    match trouble {
        Some(Fault::Redis(fault)) => super::redis::heal(world, fault).await,
        Some(Fault::Postgres(fault)) => super::postgres::heal(world, fault).await,
        _ => Ok(()),
    }
}

async fn stop(world: &mut World, part: Part, wound: &mut Wound) -> Result<(), Failure> {
    let code = world.parts.stop(part).await?;
    if code != Some(0) {
        let how = code.map_or("had to be killed".to_owned(), |code| format!("left with exit code {code}"));
        wound.violations.push(format!("asked to stop, the {part} {how}"));
    }
    Ok(())
}

/// What they held must have been given back.
async fn stop_workers(world: &mut World, wound: &mut Wound) -> Result<(), Failure> {
    for worker in world.parts.workers() {
        stop(world, worker, wound).await?;
    }
    // While Redis is away, too, nobody can look.
    if world.redis.as_ref().is_some_and(|redis| RedisServer::pid(redis).is_none()) {
        return Ok(());
    }
    if let Ok(census) = world.broker.census(&world.queue).await {
        let leased = census.ledger.leased;
        if 0 < leased {
            wound.violations.push(format!("every worker has left, and {leased} tasks are still leased"));
        }
    }
    Ok(())
}
