//! Whether `status` shows a fault while it lasts.

use std::process::Stdio;
use std::time::{Duration, Instant};

use common::clock;
use serde_json::Value;
use tokio::process::Command;

use super::cycle::late;
use super::world::World;
use crate::failure::Failure;
use crate::part::OwnProgram;

/// Between two questions.
const LOOK: Duration = Duration::from_millis(100);

/// The command line, asked as an operator would.
#[derive(Debug)]
pub(super) struct Sight {
    pub(super) program: OwnProgram,
}

/// What was shown, and how long after the fault began.
#[derive(Debug, Default)]
pub(super) struct Sighting {
    pub(super) text: Option<String>,
    pub(super) after: Option<Duration>,
}

impl Sight {
    /// Completes when `status` has nothing to complain about any more: every fault clears by itself.
    pub(super) async fn healthy(&self, world: &World, patience: Duration) -> Result<(), Failure> {
        let asked = clock::monotonic();
        loop {
            let sighting = self.look(world, asked).await;
            match sighting.text {
                None => return Ok(()),
                Some(_) if asked.elapsed() < patience => tokio::time::sleep(LOOK).await,
                Some(text) => return Err(late(&format!("status is healthy; it says: {text}"))),
            }
        }
    }

    /// Asks once.
    pub(super) async fn look(&self, world: &World, began: Instant) -> Sighting {
        let mut command = Command::new(&self.program.path);
        command.args(&self.program.prefix).args(["status", "--json"]).current_dir(&world.folder).env_clear();
        command.env("TIDEMILL_DATA_DIR", world.folder.join("data"));
        if let (Some(redis), Some(postgres)) = (&world.redis, &world.postgres) {
            command.env("REDIS_URL", redis.url()).env("DATABASE_URL", postgres.url("test_0"));
        }
        command.stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let Ok(output) = command.output().await else { return Sighting::default() };
        let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        let reasons: Vec<&Value> = report["reasons"].as_array().into_iter().flatten().collect();
        // A connection that is on its way up for its own reasons is no news if there is any other.
        let telling = reasons.iter().find(|reason| reason["code"] != "connection_not_live");
        let reason = telling.or(reasons.first());
        let text = reason.and_then(|reason| reason["text"].as_str()).map(str::to_owned);
        let after = text.is_some().then(|| began.elapsed());
        Sighting { text, after }
    }
}
