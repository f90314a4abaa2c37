//! Listeners between the simulated exchange and a broker in memory.

use std::sync::Arc;
use std::time::Duration;

use common::feed;
use common::presence::{ConnectionState, Link};
use common::shutdown::Shutdown;
use common::testing::eventually;
use listener::exchange::{self, ExchangeControls, ExchangeOptions, ExchangeSource, StatsHandle, WalkOptions};
use listener::{ListenerError, ListenerOptions, ListenerSummary};
use tokio::task::JoinHandle;

use crate::memory_broker::MemoryBroker;
use crate::server::PATIENCE;

/// The credential that is admitted.
pub(crate) const KEY: &str = "s3cret-key";

pub(crate) struct Simulated {
    pub(crate) symbols: Vec<String>,
    pub(crate) controls: ExchangeControls,
    pub(crate) stats: StatsHandle,
    feed: &'static str,
    url: String,
    shutdown: Shutdown,
}

pub(crate) struct Listening {
    pub(crate) broker: Arc<MemoryBroker>,
    shutdown: Shutdown,
    listener: JoinHandle<Result<ListenerSummary, ListenerError>>,
}

impl Simulated {
    /// An exchange of 250 symbols that admits [`KEY`] only and refuses the symbols of these numbers.
    pub(crate) async fn start(feed: &'static str, refused: &[usize]) -> Self {
        let named = |symbols: &[String]| refused.iter().map(|number| symbols[*number].clone()).collect();
        Self::changed(feed, |options, symbols| options.refused = named(symbols)).await
    }

    /// The same with other options. `change` is told the symbols.
    pub(crate) async fn changed(feed: &'static str, change: impl FnOnce(&mut ExchangeOptions, &[String])) -> Self {
        let walk = ExchangeSource::Walk(WalkOptions::default());
        let mut options = ExchangeOptions::new(walk).of(feed.parse().unwrap());
        let symbols = exchange::bind(options.clone()).await.unwrap().symbols().to_vec();
        options.credential = Some(KEY.to_owned());
        change(&mut options, &symbols);
        let exchange = exchange::bind(options).await.unwrap();
        let (url, controls, stats) = (exchange.url(), exchange.controls(), exchange.stats());
        let shutdown = Shutdown::new();
        shutdown.spawn("exchange", exchange.run(shutdown.clone()));
        Self { symbols, controls, stats, feed, url, shutdown }
    }

    /// A listener of these symbols.
    pub(crate) fn listen(&self, symbols: &[String], change: impl FnOnce(&mut ListenerOptions)) -> Listening {
        let (broker, shutdown) = (MemoryBroker::fresh(), Shutdown::new());
        let feed = feed::by_name(self.feed).unwrap();
        let mut options = ListenerOptions::new(feed, "ticks".parse().unwrap(), symbols.to_vec());
        options.endpoint = Some(self.url.clone());
        options.credential = Some(KEY.into());
        options.shards.connection_delay = Duration::from_millis(1);
        options.beat_interval = Duration::from_millis(20);
        change(&mut options);
        let listener = tokio::spawn(listener::run(options, Arc::clone(&broker) as _, shutdown.clone()));
        Listening { broker, shutdown, listener }
    }

    /// Closes the market and checks that everything that was sent is in the broker, once, and nothing else.
    pub(crate) async fn all_has_arrived(&self, listening: &Listening) {
        self.controls.set_market_open(false).await.unwrap();
        let are_equal = || self.stats.now().sent_total == listening.broker.tasks() as u64;
        eventually("as many tasks as were sent", PATIENCE, async || are_equal()).await;
        let stats = self.stats.now();
        assert_eq!((stats.undelivered, stats.connections), (0, listening.connections().len() as u64), "{stats:?}");
        assert!(listening.broker.state().rejected.is_empty(), "{:?}", listening.broker.state().rejected);
        let mut keys: Vec<_> = listening.broker.seen().iter().map(|task| (task.conn, task.epoch, task.seq)).collect();
        keys.sort_unstable();
        let follows = |pair: &[(u32, u64, u32)]| pair[0].2 + 1 == pair[1].2 || pair[1].2 == 0;
        assert!(keys.windows(2).all(follows), "the numbers of a connection have no hole and no double");
    }

    pub(crate) fn stop(self) {
        self.shutdown.begin();
    }
}

impl Listening {
    pub(crate) fn connections(&self) -> Vec<ConnectionState> {
        self.broker.listener().map(|state| state.connections).unwrap_or_default()
    }

    /// Waits until every connection is as wanted.
    pub(crate) async fn until(&self, what: &str, wanted: impl Fn(&ConnectionState) -> bool) -> Vec<ConnectionState> {
        let are_so = || {
            let connections = self.connections();
            !connections.is_empty() && connections.iter().all(&wanted)
        };
        eventually(what, PATIENCE, async || are_so()).await;
        self.connections()
    }

    pub(crate) async fn live(&self) -> Vec<ConnectionState> {
        self.until("live", |state| state.state == Link::Live).await
    }

    /// Waits until tasks of so many different symbols have come, by `symbol_of` a body.
    pub(crate) async fn symbols(&self, count: usize, symbol_of: impl Fn(&str) -> String) {
        let seen = || {
            let bodies = self.broker.seen().into_iter().map(|task| symbol_of(&task.body));
            bodies.collect::<std::collections::BTreeSet<_>>().len()
        };
        eventually("tasks of every symbol", PATIENCE, async || count <= seen()).await;
        assert_eq!(seen(), count);
    }

    /// Stops the listener and checks that nothing it has read is unaccounted for.
    pub(crate) async fn stop(self) -> ListenerSummary {
        self.shutdown.begin();
        let summary = tokio::time::timeout(PATIENCE, self.listener).await.expect("it does not stop").unwrap().unwrap();
        let shed: u64 = summary.shed.values().sum();
        let kept = summary.buffered + summary.spooled;
        assert_eq!(summary.received + summary.recovered, summary.accepted + shed + kept, "{summary:?}");
        summary
    }
}

/// The symbol that a task's body decodes to.
pub(crate) fn decoded(feed: &str, kind: &str, body: &str) -> String {
    let mut ticks = Vec::new();
    feed::by_name(feed).unwrap().decode(kind, body, &mut ticks).unwrap();
    ticks[0].symbol.clone().into_owned()
}
