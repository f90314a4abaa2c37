//! An exchange that runs for one test.

use std::time::Duration;

use common::shutdown::Shutdown;
use common::testing::eventually;
use listener::exchange::{self, ExchangeControls, ExchangeOptions, ExchangeReport, ExchangeStats, StatsHandle};
use tokio::task::JoinHandle;

use super::client::Client;

pub(super) const PATIENCE: Duration = Duration::from_secs(30);

pub(super) struct Running {
    pub(super) url: String,
    pub(super) controls: ExchangeControls,
    pub(super) stats: StatsHandle,
    shutdown: Shutdown,
    report: JoinHandle<ExchangeReport>,
}

pub(super) async fn start(options: ExchangeOptions) -> Running {
    let exchange = exchange::bind(options).await.unwrap();
    let (url, controls, stats) = (exchange.url(), exchange.controls(), exchange.stats());
    let shutdown = Shutdown::new();
    let report = shutdown.spawn("exchange", exchange.run(shutdown.clone()));
    Running { url, controls, stats, shutdown, report }
}

impl Running {
    pub(super) async fn connect(&self, target: &str) -> Client {
        Client::connect(&format!("{}{target}", self.url)).await
    }

    /// Waits until the figures are as wanted.
    pub(super) async fn until(&self, what: &str, is_so: impl Fn(&ExchangeStats) -> bool) {
        eventually(what, PATIENCE, || async { is_so(&self.stats.now()) }).await;
    }

    /// Waits for an exchange that ends by itself.
    pub(super) async fn ended(self) -> ExchangeReport {
        tokio::time::timeout(PATIENCE, self.report).await.expect("the exchange does not end").unwrap()
    }

    pub(super) async fn stop(self) -> ExchangeReport {
        self.shutdown.begin();
        self.ended().await
    }
}
