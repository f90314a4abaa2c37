//! What all parts share: files, processors.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use common::servers::{SqliteLock, limit_files};

use crate::chaos::fault::MachineFault;
use crate::chaos::world::World;
use crate::failure::Failure;

/// For each processor.
const BURNERS: usize = 4;

/// Lasts until it is ended or dropped.
#[derive(Debug)]
pub(super) enum Strain {
    Locked(SqliteLock),
    /// Processes and their limits before.
    Files(Vec<(u32, u64)>),
    Burning(Burners),
}

impl Strain {
    pub(super) fn end(self) -> Result<(), Failure> {
        match self {
            Self::Locked(lock) => {
                drop(lock);
                Ok(())
            }
            Self::Burning(burners) => {
                drop(burners);
                Ok(())
            }
            Self::Files(limits) => {
                limits.into_iter().try_for_each(|(pid, limit)| limit_files(pid, limit).map(drop).map_err(Failure::from))
            }
        }
    }
}

pub(super) async fn strain(world: &World, fault: MachineFault) -> Result<Strain, Failure> {
    Ok(match fault {
        MachineFault::FileLocked => Strain::Locked(SqliteLock::take(&world.folder.join("data/market.db")).await?),
        MachineFault::FewFiles => Strain::Files(take_files(world)?),
        MachineFault::Starved => Strain::Burning(Burners::start()),
    })
}

/// Every part has the files it has now, and gets no other. Returns the limits before.
fn take_files(world: &World) -> Result<Vec<(u32, u64)>, Failure> {
    let pids = world.wanted().into_iter().filter_map(|part| world.parts.pid(part));
    let limited = pids.map(|pid| {
        let open = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
        Ok((pid, limit_files(pid, open as u64)?))
    });
    limited.collect()
}

/// Threads that do nothing but use the processors.
#[derive(Debug)]
pub(super) struct Burners(Arc<AtomicBool>);

impl Burners {
    fn start() -> Self {
        let burning = Arc::new(AtomicBool::new(true));
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        for _ in 0..cores * BURNERS {
            let burning = Arc::clone(&burning);
            std::thread::spawn(move || {
                while burning.load(Ordering::Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        Self(burning)
    }
}

impl Drop for Burners {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Relaxed);
    }
}
