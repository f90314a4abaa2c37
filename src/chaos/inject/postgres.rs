//! PostgreSQL: away, frozen, busy, read-only, or unwilling.

use std::time::Duration;

use common::servers::{PostgresServer, sql};

use crate::chaos::fault::PostgresFault;
use crate::chaos::world::{DATABASE, World};
use crate::failure::Failure;

const END_SESSIONS: &str = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()";

/// A rule that no row keeps, for as long as it is there.
const REFUSE: &str = "CREATE FUNCTION chaos_refuse() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN RAISE EXCEPTION 'refused for a trial' USING ERRCODE = '23514'; END $$;
    CREATE TRIGGER chaos_refuse BEFORE UPDATE ON ticker_price_data FOR EACH ROW EXECUTE FUNCTION chaos_refuse()";
const ADMIT: &str = "DROP TRIGGER chaos_refuse ON ticker_price_data; DROP FUNCTION chaos_refuse()";

pub(super) async fn hurt(world: &mut World, fault: PostgresFault) -> Result<(), Failure> {
    let Some(postgres) = &world.postgres else { return Ok(()) };
    match fault {
        PostgresFault::Restart => postgres.stop().await?,
        PostgresFault::Kill => postgres.kill()?,
        PostgresFault::Freeze => postgres.freeze()?,
        PostgresFault::EndSessions => end_sessions(postgres).await?,
        PostgresFault::LockRows => lock_rows(postgres.url(DATABASE), world.setup.hold),
        PostgresFault::RefuseRows => drop(sql(&postgres.url(DATABASE), REFUSE).await?),
        PostgresFault::ReadOnly => set_read_only(postgres, true).await?,
    }
    Ok(())
}

pub(super) async fn again(world: &World, fault: PostgresFault) -> Result<(), Failure> {
    match (&world.postgres, fault) {
        (Some(postgres), PostgresFault::EndSessions) => end_sessions(postgres).await,
        _ => Ok(()),
    }
}

pub(super) async fn heal(world: &World, fault: PostgresFault) -> Result<(), Failure> {
    let Some(postgres) = &world.postgres else { return Ok(()) };
    match fault {
        PostgresFault::Restart | PostgresFault::Kill => postgres.resume().await?,
        PostgresFault::Freeze => postgres.thaw()?,
        PostgresFault::RefuseRows => drop(sql(&postgres.url(DATABASE), ADMIT).await?),
        PostgresFault::ReadOnly => set_read_only(postgres, false).await?,
        PostgresFault::EndSessions | PostgresFault::LockRows => {}
    }
    Ok(())
}

async fn end_sessions(postgres: &PostgresServer) -> Result<(), Failure> {
    sql(&postgres.url("postgres"), END_SESSIONS).await?;
    Ok(())
}

/// As after a failover to a standby; sessions that are open keep what they were told, so they are ended.
async fn set_read_only(postgres: &PostgresServer, is_read_only: bool) -> Result<(), Failure> {
    let word = if is_read_only { "on" } else { "off" };
    let set = format!(
        "BEGIN; SET TRANSACTION READ WRITE; ALTER DATABASE {DATABASE} SET default_transaction_read_only = {word}; COMMIT"
    );
    sql(&postgres.url("postgres"), &set).await?;
    end_sessions(postgres).await
}

/// Holds every row for so long, in a session of its own, backwards. It ends by itself.
fn lock_rows(url: String, hold: Duration) {
    let seconds = hold.as_millis();
    let lock = format!(
        "BEGIN; SELECT id FROM ticker_price_data ORDER BY id DESC FOR UPDATE; SELECT pg_sleep({seconds} / 1000.0); COMMIT"
    );
    tokio::spawn(async move { drop(sql(&url, &lock).await) });
}
