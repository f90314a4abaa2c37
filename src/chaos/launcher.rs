//! A launcher is killed: its parts must leave by themselves, and the next start must work.

use std::time::Duration;

use common::clock;

use super::parts::Part;
use super::world::World;
use crate::failure::Failure;

/// How long a launcher may take to get ticks stored.
const START_PATIENCE: Duration = Duration::from_secs(20);
/// Parts of a dead launcher are gone after this.
const ORPHANS_MAX: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(20);

/// Runs the parts under a launcher for a moment, and kills it. Returns what was wrong.
pub(super) async fn kill(world: &mut World) -> Result<Vec<String>, Failure> {
    for part in world.wanted() {
        world.parts.stop(part).await?;
    }
    world.parts.set(Part::Launcher, "TIDEMILL_START__WORKERS", world.setup.workers.to_string());
    world.parts.start(Part::Launcher)?;
    let settled = async |world: &World| Ok::<u64, Failure>(world.broker.census(&world.queue).await?.ledger.settled);
    let (before, began) = (settled(world).await?, clock::monotonic());
    while settled(world).await? == before {
        if START_PATIENCE < began.elapsed() {
            world.parts.kill(Part::Launcher).await?;
            return Ok(vec!["under a launcher nothing was stored".to_owned()]);
        }
        tokio::time::sleep(LOOK).await;
    }
    let children = world.parts.pid(Part::Launcher).map(children_of).unwrap_or_default();
    world.parts.kill(Part::Launcher).await?;
    let killed = clock::monotonic();
    while children.iter().any(|pid| is_alive(*pid)) {
        if ORPHANS_MAX < killed.elapsed() {
            return Ok(vec![format!("2 s after its launcher was killed, a part still ran ({children:?})")]);
        }
        tokio::time::sleep(LOOK).await;
    }
    Ok(Vec::new())
}

fn children_of(pid: u32) -> Vec<u32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let children = tasks.map(|task| std::fs::read_to_string(task.path().join("children")).unwrap_or_default());
    children.flat_map(|line| line.split(' ').filter_map(|pid| pid.trim().parse().ok()).collect::<Vec<u32>>()).collect()
}

/// A process that has ended and was not waited for yet is a zombie, and not alive.
fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_some_and(|(_, state)| !state.starts_with('Z'))
}
