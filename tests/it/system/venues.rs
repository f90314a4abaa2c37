//! Simulated exchanges of any feed inside the test, with real listeners at them.

use common::shutdown::Shutdown;
use listener::exchange::{
    self, ExchangeControls, ExchangeOptions, ExchangeSource, ExchangeStats, Rate, StatsHandle, WalkOptions,
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::rig::Rig;

/// An exchange that is served until it is dropped.
pub(super) struct Venue {
    feed: String,
    pub(super) symbols: Vec<String>,
    pub(super) url: String,
    controls: ExchangeControls,
    stats: StatsHandle,
    shutdown: Shutdown,
}

impl Venue {
    /// A market that admits this credential where its feed wants one.
    pub(super) async fn open(feed: &str, walk: WalkOptions, credential: &str) -> Self {
        let mut options = ExchangeOptions::new(ExchangeSource::Walk(walk)).of(feed.parse().expect("a known feed"));
        options.credential = Some(credential.to_owned());
        let exchange = exchange::bind(options).await.expect("a free port");
        let (url, controls, stats) = (exchange.url(), exchange.controls(), exchange.stats());
        let (symbols, shutdown) = (exchange.symbols().to_vec(), Shutdown::new());
        shutdown.spawn("exchange", exchange.run(shutdown.clone()));
        Self { feed: feed.to_owned(), symbols, url, controls, stats, shutdown }
    }

    /// What it has sent.
    pub(super) fn stats(&self) -> ExchangeStats {
        self.stats.now()
    }

    /// Whether so many connections are open now.
    pub(super) fn has(&self, connections: usize) -> bool {
        self.stats().connections == connections as u64
    }

    /// While the market is closed nothing is sent; connections stay.
    pub(super) async fn set_open(&self, is_open: bool) {
        self.controls.set_market_open(is_open).await.expect("it runs");
    }

    /// The body of a plain HTTP answer.
    pub(super) async fn get(&self, path: &str, authorization: &str) -> String {
        let address = self.url.trim_start_matches("ws://");
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let asked = format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: {authorization}\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(asked.as_bytes()).await.expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("head and body");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        body.to_owned()
    }
}

/// A made-up market of so many symbols, with this many messages a second; it never ends.
pub(super) fn walk(symbols: usize, rate: u32) -> WalkOptions {
    let rate = Rate::PerSecond(rate.try_into().expect("more than none"));
    WalkOptions { symbols, rate, ..WalkOptions::default() }
}

impl Drop for Venue {
    fn drop(&mut self) {
        self.shutdown.begin();
    }
}

impl Rig {
    /// Starts a listener at a venue under a name, with its credential in the environment.
    pub(super) fn listen_to(&mut self, name: &str, venue: &Venue, symbols: &[String], more: &[&str]) {
        let symbols = symbols.join(",");
        let args = ["listener", "--feed", &venue.feed, "--endpoint", &venue.url, "--symbols", &symbols];
        self.processes.start(name, &[&args[..], more].concat());
    }
}
