//! How long Redis' scripts take on a huge backlog: five million tasks wait, 20,000 batches of ten are due, 20,000 leases
//! have expired.
//!
//! ```sh
//! cargo run --release -p tidemill-common --example queue_backlog
//! cargo run --release -p tidemill-common --example queue_backlog -- 500000
//! ```
//!
//! The number is that of the waiting tasks; the others follow. Redis needs about 300 bytes for each.

#![expect(clippy::print_stdout, reason = "a program for people")]

use common::clock;
use common::testing::RedisServer;
use common::testing::backlog::{Backlog, Sizes};

const WAITING: usize = 5_000_000;
/// Due batches and expired leases, for so many waiting tasks.
const WAITING_PER_BATCH: usize = 250;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let waiting = std::env::args().nth(1).map_or(Ok(WAITING), |number| number.parse())?;
    let batches = waiting / WAITING_PER_BATCH;
    let server = RedisServer::start_with(&[]).await;
    let began = clock::monotonic();
    let backlog = Backlog::fill(&server, Sizes { waiting, due: batches, expired: batches, batch: 10 }).await;
    println!(
        "{waiting} tasks wait, {batches} batches are due, {batches} leases have expired, after {:?}",
        began.elapsed()
    );
    let began = clock::monotonic();
    let times = backlog.work_through().await;
    println!("{times}; all ended after {:?}", began.elapsed());
    Ok(())
}
