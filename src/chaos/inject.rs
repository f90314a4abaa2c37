//! Does the damage, and undoes it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::servers::{Signal, SqliteLock, Toxic, limit_files, sql};
use fastrand::Rng;
use listener::exchange::Target;

use super::fault::Fault;
use super::launcher;
use super::parts::Part;
use super::world::{ServerWires, World};
use crate::failure::Failure;

/// A line that is slow, and one that is narrow.
const SLOW: [Toxic; 2] = [Toxic::Latency(Duration::from_millis(200)), Toxic::Throttle(125_000)];

/// Far away, for a database.
const FAR: Duration = Duration::from_millis(200);

/// Close codes of WebSockets, ordinary and not (RFC 6455 §7.4, and private ones).
const CLOSE_CODES: [u16; 9] = [1000, 1001, 1002, 1008, 1011, 1012, 1013, 4000, 4999];

/// What was done, and what undoes it when it is healed or dropped.
#[derive(Debug)]
pub(super) struct Wound {
    pub(super) fault: Fault,
    part: Option<Part>,
    lock: Option<SqliteLock>,
    burners: Option<Burners>,
    files: Vec<(u32, u64)>,
    /// What was seen to be wrong already, in words.
    pub(super) violations: Vec<String>,
}

impl World {
    /// Begins a fault.
    pub(super) async fn hurt(&mut self, fault: Fault, dice: &mut Rng) -> Result<Wound, Failure> {
        let mut wound =
            Wound { fault, part: None, lock: None, burners: None, files: Vec::new(), violations: Vec::new() };
        match fault {
            Fault::KillWorker | Fault::StopWorker | Fault::FreezeWorker | Fault::StopWhileStoreHangs => {
                wound.part = dice.choice(self.parts.workers());
                self.hurt_worker(&mut wound).await?;
            }
            Fault::KillListener => self.parts.kill(Part::Listener).await?,
            Fault::StopListener => {
                let code = self.parts.stop(Part::Listener).await?;
                wound.expect_exit(Part::Listener, code, 0);
            }
            Fault::KillLauncher => wound.violations = launcher::kill(self).await?,
            Fault::WorkersAway => {
                for worker in self.parts.workers() {
                    let code = self.parts.stop(worker).await?;
                    wound.expect_exit(worker, code, 0);
                }
            }
            Fault::RedisRestart
            | Fault::RedisFreeze
            | Fault::RedisFull
            | Fault::PostgresRestart
            | Fault::PostgresKill
            | Fault::PostgresFreeze
            | Fault::RowsLocked => self.hurt_server(fault).await?,
            Fault::SlowStore
            | Fault::CommitUnknown
            | Fault::ListenerCutOff
            | Fault::WorkersCutOff
            | Fault::StoreCutOff => {
                if let Some(wires) = &self.wires.servers {
                    hurt_wires(wires, fault, dice);
                }
            }
            Fault::BadNetwork => self.every_wire(*dice.choice(&SLOW).unwrap_or(&SLOW[0])),
            Fault::FeedSilent => self.wires.feed.set(Toxic::BlackHole),
            Fault::FeedGarbled => self.wires.feed.set(Toxic::Corrupt),
            Fault::FeedCut => self.wires.feed.set(Toxic::Reset),
            Fault::FeedCloses => {
                let code = *dice.choice(&CLOSE_CODES).unwrap_or(&1000);
                // An exchange that has ended has no connection to close.
                _ = self.exchange.close(Target::Everyone, code, "as asked").await;
            }
            Fault::FileLocked => wound.lock = Some(SqliteLock::take(&self.folder.join("data/market.db")).await?),
            Fault::FewFiles => wound.files = self.take_files()?,
            Fault::Starved => wound.burners = Some(Burners::start()),
            Fault::Reload | Fault::RedisForgets | Fault::SessionsEnded => self.again(&wound).await?,
        }
        Ok(wound)
    }

    /// What a fault does again and again while it lasts.
    pub(super) async fn again(&mut self, wound: &Wound) -> Result<(), Failure> {
        match wound.fault {
            Fault::Reload => self.wanted().into_iter().try_for_each(|part| self.parts.signal(part, Signal::HUP))?,
            Fault::RedisForgets => {
                if let Some(redis) = &self.redis {
                    redis.cli(&["SCRIPT", "FLUSH"])?;
                    redis.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])?;
                }
            }
            Fault::SessionsEnded => {
                let end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";
                if let Some(postgres) = &self.postgres {
                    sql(&postgres.url("postgres"), end).await?;
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends a fault: from here on, everything has to come right by itself.
    pub(super) async fn heal(&mut self, wound: Wound) -> Result<Vec<String>, Failure> {
        let Wound { fault, part, lock, burners, files, violations } = wound;
        drop((lock, burners));
        for (pid, limit) in files {
            limit_files(pid, limit)?;
        }
        match fault {
            Fault::RedisRestart => {
                if let Some(redis) = &mut self.redis {
                    redis.start().await?;
                }
            }
            Fault::RedisFreeze => self.redis.as_ref().map_or(Ok(()), |redis| redis.thaw())?,
            Fault::RedisFull => {
                if let Some(redis) = &self.redis {
                    redis.cli(&["CONFIG", "SET", "maxmemory", "0"])?;
                }
            }
            Fault::PostgresRestart | Fault::PostgresKill => {
                if let Some(postgres) = &self.postgres {
                    postgres.resume().await?;
                }
            }
            Fault::PostgresFreeze | Fault::StopWhileStoreHangs => {
                self.postgres.as_ref().map_or(Ok(()), |postgres| postgres.thaw())?;
            }
            Fault::FreezeWorker => part.map_or(Ok(()), |part| self.parts.signal(part, Signal::CONT))?,
            _ => self.every_wire(Toxic::None),
        }
        self.start_all()?;
        Ok(violations)
    }

    async fn hurt_worker(&mut self, wound: &mut Wound) -> Result<(), Failure> {
        let Some(worker) = wound.part else { return Ok(()) };
        match wound.fault {
            Fault::KillWorker => self.parts.kill(worker).await,
            Fault::FreezeWorker => self.parts.signal(worker, Signal::STOP),
            Fault::StopWhileStoreHangs => {
                self.postgres.as_ref().map_or(Ok(()), |postgres| postgres.freeze())?;
                let code = self.parts.stop(worker).await?;
                if code.is_none() {
                    wound.violations.push(format!("the {worker} did not leave while the store hung"));
                }
                Ok(())
            }
            _ => {
                let code = self.parts.stop(worker).await?;
                wound.expect_exit(worker, code, 0);
                Ok(())
            }
        }
    }

    async fn hurt_server(&mut self, fault: Fault) -> Result<(), Failure> {
        let (Some(redis), Some(postgres)) = (&mut self.redis, &self.postgres) else { return Ok(()) };
        match fault {
            Fault::RedisRestart => redis.kill()?,
            Fault::RedisFreeze => redis.freeze()?,
            // Below what it uses already: every growing command is refused.
            Fault::RedisFull => drop(redis.cli(&["CONFIG", "SET", "maxmemory", "1mb"])?),
            Fault::PostgresRestart => postgres.stop().await?,
            Fault::PostgresKill => postgres.kill()?,
            Fault::PostgresFreeze => postgres.freeze()?,
            Fault::RowsLocked => lock_rows(postgres.url("test_0"), self.setup.hold),
            _ => {}
        }
        Ok(())
    }

    fn every_wire(&self, toxic: Toxic) {
        self.wires.feed.set(toxic);
        if let Some(wires) = &self.wires.servers {
            for wire in [&wires.listener_redis, &wires.worker_redis, &wires.worker_postgres] {
                wire.set(toxic);
            }
        }
    }

    /// Every part has the files it has now, and gets no other. Returns the limits before.
    fn take_files(&self) -> Result<Vec<(u32, u64)>, Failure> {
        let pids = self.wanted().into_iter().filter_map(|part| self.parts.pid(part));
        let limited = pids.map(|pid| {
            let open = std::fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, Iterator::count);
            Ok((pid, limit_files(pid, open as u64)?))
        });
        limited.collect()
    }
}

impl Wound {
    fn expect_exit(&mut self, part: Part, code: Option<i32>, wanted: i32) {
        if code != Some(wanted) {
            let how = code.map_or("had to be killed".to_owned(), |code| format!("left with exit code {code}"));
            self.violations.push(format!("asked to stop, the {part} {how}"));
        }
    }
}

/// Silence or a reset: both happen.
fn hurt_wires(wires: &ServerWires, fault: Fault, dice: &mut Rng) {
    let cut = if dice.bool() { Toxic::BlackHole } else { Toxic::Reset };
    match fault {
        Fault::SlowStore => wires.worker_postgres.set(Toxic::Latency(FAR)),
        Fault::CommitUnknown => wires.worker_postgres.set(Toxic::CutReplies),
        Fault::ListenerCutOff => wires.listener_redis.set(cut),
        Fault::WorkersCutOff => wires.worker_redis.set(cut),
        _ => wires.worker_postgres.set(cut),
    }
}

/// Holds every row for so long, in a session of its own. It ends by itself.
fn lock_rows(url: String, hold: Duration) {
    let seconds = hold.as_secs_f32();
    let lock = format!(
        "BEGIN; SELECT id FROM ticker_price_data ORDER BY id DESC FOR UPDATE; SELECT pg_sleep({seconds}); COMMIT"
    );
    tokio::spawn(async move { drop(sql(&url, &lock).await) });
}

/// Threads that do nothing but use the processors.
#[derive(Debug)]
struct Burners(Arc<AtomicBool>);

/// For each processor.
const BURNERS: usize = 4;

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
