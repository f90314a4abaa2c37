//! A running listener between a server and a broker.

use std::sync::Arc;
use std::time::Duration;

use common::presence::{ConnectionState, Link};
use common::retry::Backoff;
use common::shutdown::Shutdown;
use common::testing::eventually;
use listener::{ListenerError, ListenerOptions, ListenerSummary};
use tokio::task::JoinHandle;

use crate::memory_broker::MemoryBroker;
use crate::quick_feed::QuickFeed;
use crate::server::{PATIENCE, Server};

pub(crate) struct Rig {
    pub(crate) broker: Arc<MemoryBroker>,
    pub(crate) server: Server,
    shutdown: Shutdown,
    listener: JoinHandle<Result<ListenerSummary, ListenerError>>,
}

/// Options with the patience of a test: trades only, quick attempts.
pub(crate) fn options(server: &Server, symbols: &[&str]) -> ListenerOptions {
    let symbols = symbols.iter().map(|symbol| (*symbol).to_owned()).collect();
    let mut options = ListenerOptions::new(QuickFeed::leak(|_| {}), "ticks".parse().unwrap(), symbols);
    options.endpoint = Some(server.url());
    options.channels = vec!["trade".into()];
    options.shards.connection_delay = Duration::from_millis(1);
    options.beat_interval = Duration::from_millis(20);
    options.link.reconnect =
        Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(20), times: None };
    options
}

impl Rig {
    /// Starts a listener for `symbols` with options changed by `change`.
    pub(crate) async fn start(symbols: &[&str], change: impl FnOnce(&mut ListenerOptions)) -> Self {
        let server = Server::start().await;
        let (broker, shutdown) = (MemoryBroker::fresh(), Shutdown::new());
        let mut options = options(&server, symbols);
        change(&mut options);
        let listener = tokio::spawn(listener::run(options, Arc::clone(&broker) as _, shutdown.clone()));
        Self { broker, server, shutdown, listener }
    }

    /// Waits for this many tasks in the broker, and not one more.
    pub(crate) async fn tasks(&self, count: usize) {
        eventually("tasks in the broker", PATIENCE, async || count <= self.broker.tasks()).await;
        assert_eq!(self.broker.tasks(), count);
    }

    /// Waits until the first connection's state is as wanted.
    pub(crate) async fn connection(&self, what: &str, wanted: impl Fn(&ConnectionState) -> bool) -> ConnectionState {
        let shown = || self.broker.listener().and_then(|state| state.connections.into_iter().next());
        eventually(what, PATIENCE, async || shown().is_some_and(|state| wanted(&state))).await;
        shown().unwrap()
    }

    pub(crate) async fn live(&self) {
        self.connection("live", |state| state.state == Link::Live).await;
    }

    /// Waits until the listener's buffer holds this many messages.
    pub(crate) async fn buffered(&self, count: u64) {
        let shown = || self.broker.listener().is_some_and(|state| state.buffered == count);
        eventually("buffered", PATIENCE, async || shown()).await;
    }

    /// Stops the listener as a signal would.
    pub(crate) async fn stop(self) -> ListenerSummary {
        self.shutdown.begin();
        let summary = tokio::time::timeout(PATIENCE, self.listener).await.expect("it does not stop");
        let summary = summary.unwrap().unwrap();
        let shed: u64 = summary.shed.values().sum();
        let kept = summary.buffered + summary.spooled;
        assert_eq!(summary.received + summary.recovered, summary.accepted + shed + kept, "{summary:?}");
        summary
    }
}
