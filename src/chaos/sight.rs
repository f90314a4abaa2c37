//! Whether `status` shows a fault while it lasts.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::process::Command;

use super::world::World;
use crate::part::OwnProgram;

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
        let reason = report["reasons"].as_array().and_then(|reasons| reasons.first());
        let text = reason.and_then(|reason| reason["text"].as_str()).map(str::to_owned);
        let after = text.is_some().then(|| began.elapsed());
        Sighting { text, after }
    }
}
