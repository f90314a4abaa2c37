//! Random work on a broker for as long as one likes: replies get lost, workers die and freeze, leases are deleted, room
//! runs out, and the books are kept beside the broker.
//!
//! ```sh
//! cargo run -p tidemill-common --example queue_torture -- redis --seed 7 --runs 20 --steps 20000
//! cargo run -p tidemill-common --example queue_torture -- sqlite
//! ```
//!
//! Every run has its own queue and the next seed. It ends when every task has ended and every book agrees, or it fails
//! with the name of what did not hold.

#![expect(clippy::print_stderr, reason = "a program for people")]

use common::clock;
use common::testing::broker_suite::{Place, random_work, redis_place, sqlite_place};

/// Unless said otherwise.
const STEPS: u32 = 2_000;
const RUNS: u64 = 10;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = |name: &str, default: u64| -> anyhow::Result<u64> {
        match args.iter().position(|arg| arg == name) {
            None => Ok(default),
            Some(at) => Ok(args.get(at + 1).ok_or_else(|| anyhow::anyhow!("{name} wants a number"))?.parse()?),
        }
    };
    let (seed, runs) = (number("--seed", 1)?, number("--runs", RUNS)?);
    let steps = u32::try_from(number("--steps", u64::from(STEPS))?)?;
    let folder = tempfile::tempdir()?;
    let place: Place = match args.first().map(String::as_str) {
        Some("redis") => redis_place().await,
        Some("sqlite") => sqlite_place(folder.path()).await,
        _ => anyhow::bail!("which broker? redis or sqlite"),
    };
    for seed in seed..seed + runs {
        let began = clock::monotonic();
        let done = random_work(&place, seed, steps).await;
        eprintln!("seed {seed}: {steps} steps, {done}, all ended, {:?}", began.elapsed());
    }
    Ok(())
}
