//! Messages per second from a local socket into a broker in memory that keeps two copies of every task.
//!
//! `cargo bench -p tidemill-listener`. Server, listener and broker share the machine's cores, so this is a lower bound.

#![expect(clippy::unwrap_used, reason = "what fails here fails the benchmark")]
#![expect(clippy::print_stdout, reason = "a benchmark reports to the terminal")]
#![expect(dead_code, reason = "the tests' parts are shared as they are")]

use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::presence::ProcessFacts;
use common::shutdown::Shutdown;
use listener::ListenerOptions;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

#[path = "../tests/it/memory_broker.rs"]
mod memory_broker;
#[path = "../tests/it/quick_feed.rs"]
mod quick_feed;
#[path = "../tests/it/server.rs"]
mod server;

use memory_broker::MemoryBroker;
use quick_feed::QuickFeed;
use server::{Server, trade};

const MESSAGES: usize = 600_000;
const CHUNK: usize = 500;

#[tokio::main]
async fn main() {
    for connections in [1, 4] {
        measure(connections).await;
    }
}

async fn measure(connections: usize) {
    let server = Server::start().await;
    let broker = MemoryBroker::fresh();
    let symbols = (0..connections).map(|number| format!("SIM{number}USDT")).collect();
    let mut options = ListenerOptions::new(QuickFeed::leak(|_| {}), "ticks".parse().unwrap(), symbols);
    options.endpoint = Some(server.url());
    options.channels = vec!["trade".into()];
    options.shards.symbols_per_connection = 1;
    options.shards.connection_delay = Duration::ZERO;
    options.buffer.messages_max = MESSAGES;
    let shutdown = Shutdown::new();
    let listener = tokio::spawn(listener::run(options, Arc::clone(&broker) as _, shutdown.clone()));

    let mut peers = Vec::new();
    for _ in 0..connections {
        peers.push(server.accept_subscribed().await);
    }
    let (asked, cpu) = (clock::monotonic(), ProcessFacts::read().cpu_us);
    let chunks = MESSAGES / CHUNK / connections;
    let senders = peers.into_iter().map(|peer| tokio::spawn(send(peer, chunks))).collect::<Vec<_>>();
    let mut kept = Vec::new();
    for sender in senders {
        kept.push(sender.await.unwrap());
    }
    while broker.tasks() < chunks * CHUNK * connections {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let took = asked.elapsed();
    let cpu_us = ProcessFacts::read().cpu_us - cpu;
    shutdown.begin();
    let summary = listener.await.unwrap().unwrap();
    let per_s = u128::from(summary.accepted) * 1_000_000 / took.as_micros();
    let enqueues = broker.state().enqueues;
    let ns = u128::from(cpu_us) * 1_000 / u128::from(summary.accepted);
    println!(
        "{connections} connections: {per_s} messages/s, {enqueues} enqueues, {ns} ns CPU per message (all parts), {took:?}"
    );
}

/// Writes ready-made frames past the library, so that the server costs little.
async fn send(mut peer: server::Peer, chunks: usize) -> server::Peer {
    let mut bytes = Vec::new();
    for id in 0..CHUNK {
        let frame = Frame::message(trade("SIM0USDT", id as u64), OpCode::Data(Data::Text), true);
        frame.format(&mut bytes).unwrap();
    }
    for _ in 0..chunks {
        peer.raw(&bytes).await;
    }
    peer
}
