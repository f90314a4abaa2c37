//! How many frames per second the simulated exchange sends to one reader that does nothing but read.
//!
//! Exchange and reader share the machine. The exchange alone has two threads at work: one publishes, one writes.
//! Run with `cargo bench -p tidemill-listener --bench exchange`.

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "a benchmark prints what it measured, or fails")]

use std::time::Duration;

use common::clock::monotonic;
use common::shutdown::Shutdown;
use listener::exchange::{self, ExchangeOptions, ExchangeSource, Rate, WalkOptions};
use tokio::io::AsyncReadExt;

/// Frames per round.
const FRAMES: u64 = 5_000_000;

const ROUNDS: usize = 3;

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    for round in 1..=ROUNDS {
        // Spawned, so that the reader runs on a worker thread, too.
        let (bytes, elapsed) = runtime.block_on(async { tokio::spawn(measure()).await.unwrap() });
        let per_second = u128::from(FRAMES) * 1_000_000 / elapsed.as_micros();
        println!("round {round}: {per_second} frames/s of {} bytes on average", bytes / FRAMES);
    }
}

/// Subscribes to trades and quotes of all symbols, then counts bytes until the last frame is there.
async fn measure() -> (u64, Duration) {
    let source = WalkOptions { rate: Rate::Unlimited, messages: Some(FRAMES), ..WalkOptions::default() };
    let exchange = exchange::bind(ExchangeOptions::new(ExchangeSource::Walk(source))).await.unwrap();
    let streams: Vec<_> = exchange
        .symbols()
        .iter()
        .map(|symbol| symbol.to_lowercase())
        .flat_map(|symbol| [format!("{symbol}@trade"), format!("{symbol}@bookTicker")])
        .collect();
    let (url, stats) = (exchange.url(), exchange.stats());
    let shutdown = Shutdown::new();
    shutdown.spawn("exchange", exchange.run(shutdown.clone()));
    let started = monotonic();
    let url = format!("{url}/stream?streams={}", streams.join("/"));
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
    let (mut buffer, mut bytes, mut last_read) = (vec![0; 256 << 10], 0, started);
    let tcp = socket.get_mut();
    loop {
        // At the end the exchange falls silent: it keeps the connection.
        match tokio::time::timeout(Duration::from_millis(100), tcp.read(&mut buffer)).await {
            Ok(read) => {
                bytes += read.unwrap() as u64;
                last_read = monotonic();
            }
            Err(_) if stats.now().finished => break,
            Err(_) => {}
        }
    }
    shutdown.begin();
    (bytes, last_read - started)
}
