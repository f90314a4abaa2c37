//! Schema changes, from `migrations/postgres`, built into the program.

use diesel::pg::Pg;
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use crate::BoxError;

const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../migrations/postgres");

/// Any number that no other program takes for its lock: "tide" in ASCII.
const LOCK: i64 = 0x7469_6465;

/// Applies what is missing; one process at a time, the others wait and then find nothing to do.
/// The connection is used up: closing it gives the lock back, also after an error.
pub(super) async fn run(connection: AsyncPgConnection) -> Result<Vec<String>, BoxError> {
    let work = move || {
        use diesel::connection::SimpleConnection;
        let mut connection: AsyncConnectionWrapper<AsyncPgConnection> = connection.into();
        // Waiting for the other process and building indexes may take longer than any query.
        connection.batch_execute(&format!("SET statement_timeout = 0; SELECT pg_advisory_lock({LOCK})"))?;
        apply(&mut connection)
    };
    // Migrations are synchronous, and the wrapper blocks its thread on the runtime.
    tokio::task::spawn_blocking(work).await?
}

fn apply(connection: &mut impl MigrationHarness<Pg>) -> Result<Vec<String>, BoxError> {
    let applied = connection.run_pending_migrations(MIGRATIONS)?;
    Ok(applied.into_iter().map(|version| version.to_string()).collect())
}
