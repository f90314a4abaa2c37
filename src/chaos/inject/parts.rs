//! Our own processes: killed, stopped, frozen, told to reload.

use common::servers::{PostgresServer, RedisServer, Signal};
use fastrand::Rng;

use super::Wound;
use crate::chaos::fault::PartFault;
use crate::chaos::launcher;
use crate::chaos::parts::Part;
use crate::chaos::world::World;
use crate::failure::Failure;

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
        | PartFault::Reload => Ok(()),
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
