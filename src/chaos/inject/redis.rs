//! Redis: away, frozen, full, forgetful, or behind another password.

use std::fs;
use std::path::PathBuf;

use common::servers::RedisServer;

use crate::chaos::fault::RedisFault;
use crate::chaos::world::World;
use crate::failure::Failure;

/// What Redis wants for a while.
const PASSWORD: &str = "changed";

/// More than the small file system of Redis holds, in bytes.
const FILLER: usize = 1 << 20;

pub(super) fn hurt(world: &mut World, fault: RedisFault) -> Result<(), Failure> {
    let Some(redis) = &mut world.redis else { return Ok(()) };
    match fault {
        RedisFault::Restart => redis.kill()?,
        RedisFault::Freeze => redis.freeze()?,
        // Below what it uses already: every growing command is refused.
        RedisFault::Full => drop(redis.cli(&["CONFIG", "SET", "maxmemory", "1mb"])?),
        RedisFault::DiskFull => fill(redis),
        RedisFault::Password => {
            redis.cli(&["CONFIG", "SET", "requirepass", PASSWORD])?;
            redis.set_password(Some(PASSWORD.to_owned()));
            redis.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])?;
        }
        RedisFault::Forgets => forget(redis)?,
    }
    Ok(())
}

pub(super) fn again(world: &World, fault: RedisFault) -> Result<(), Failure> {
    match (&world.redis, fault) {
        (Some(redis), RedisFault::Forgets) => forget(redis),
        _ => Ok(()),
    }
}

pub(super) async fn heal(world: &mut World, fault: RedisFault) -> Result<(), Failure> {
    let Some(redis) = &mut world.redis else { return Ok(()) };
    match fault {
        RedisFault::Restart => redis.start().await?,
        RedisFault::Freeze => redis.thaw()?,
        RedisFault::Full => drop(redis.cli(&["CONFIG", "SET", "maxmemory", "0"])?),
        // It may never have been written.
        RedisFault::DiskFull => drop(fs::remove_file(filler(redis))),
        RedisFault::Password => {
            redis.cli(&["CONFIG", "SET", "requirepass", ""])?;
            redis.set_password(None);
        }
        RedisFault::Forgets => {}
    }
    Ok(())
}

fn forget(redis: &RedisServer) -> Result<(), Failure> {
    redis.cli(&["SCRIPT", "FLUSH"])?;
    redis.cli(&["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"])?;
    Ok(())
}

fn filler(redis: &RedisServer) -> PathBuf {
    redis.data().join("filler")
}

/// Writes until nothing fits any more; the error is the aim.
fn fill(redis: &RedisServer) {
    use std::io::Write as _;
    let Ok(mut file) = fs::File::create(filler(redis)) else { return };
    for size in [FILLER, 1] {
        while file.write_all(&vec![0; size]).is_ok() {}
    }
}
