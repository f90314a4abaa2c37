//! A listener with a real feed on the simulated exchange.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use common::feed::Feed;
use common::queue::Task;
use common::shutdown::Shutdown;
use common::testing::eventually;
use listener::ListenerOptions;
use listener::exchange::{self, ExchangeOptions, ExchangeReport, ExchangeSource, Rate, StatsHandle, WalkOptions};
use tokio::task::JoinHandle;

use crate::memory_broker::MemoryBroker;

/// Connections are opened a second apart, and the machine may be busy.
const PATIENCE: Duration = Duration::from_mins(2);

/// Enough for all connections to be open while it is sent.
const MESSAGES: u64 = 16_000;
const PER_SECOND: NonZeroU32 = NonZeroU32::new(2_000).unwrap();

/// What arrived.
#[derive(Debug, Default)]
pub(crate) struct Arrived {
    /// Connections that carried something.
    pub(crate) conns: BTreeSet<u32>,
    /// Symbols as the feed's decoder names them.
    pub(crate) symbols: BTreeSet<String>,
    /// Messages by kind.
    pub(crate) kinds: BTreeMap<String, u64>,
}

/// An exchange of 250 symbols that runs.
pub(crate) struct OnExchange {
    pub(crate) url: String,
    pub(crate) address: SocketAddr,
    pub(crate) symbols: Vec<String>,
    stats: StatsHandle,
    shutdown: Shutdown,
    serving: JoinHandle<ExchangeReport>,
}

impl OnExchange {
    pub(crate) async fn start(provider: &str, credential: Option<&str>) -> Self {
        let walk =
            WalkOptions { rate: Rate::PerSecond(PER_SECOND), messages: Some(MESSAGES), ..WalkOptions::default() };
        let options = ExchangeOptions::new(ExchangeSource::Walk(walk)).of(provider.parse().unwrap());
        let options = ExchangeOptions { credential: credential.map(str::to_owned), ..options };
        let (exchange, shutdown) = (exchange::bind(options).await.unwrap(), Shutdown::new());
        let (url, address, symbols) = (exchange.url(), exchange.address(), exchange.symbols().to_vec());
        let stats = exchange.stats();
        let serving = tokio::spawn(exchange.run(shutdown.clone()));
        Self { url, address, symbols, stats, shutdown, serving }
    }

    /// Options for all its symbols, 50 to a connection.
    pub(crate) fn options(&self, feed: &'static dyn Feed) -> ListenerOptions {
        let mut options = ListenerOptions::new(feed, "ticks".parse().unwrap(), self.symbols.clone());
        options.endpoint = Some(self.url.clone());
        options.shards.connection_delay = Duration::from_millis(1);
        options.beat_interval = Duration::from_millis(20);
        options
    }

    /// Runs a listener until all that the exchange sends is in the broker, and reads it as a worker would.
    pub(crate) async fn everything_arrives(self, options: ListenerOptions) -> Arrived {
        let (broker, feed) = (MemoryBroker::fresh(), options.feed);
        let listening = tokio::spawn(listener::run(options, Arc::clone(&broker) as _, self.shutdown.clone()));
        let wanted = usize::try_from(MESSAGES).unwrap();
        eventually("all messages in the broker", PATIENCE, async || wanted <= broker.tasks()).await;
        let sent = self.stats.now();
        self.shutdown.begin();
        let summary = listening.await.unwrap().unwrap();
        self.serving.await.unwrap();
        assert_eq!((sent.sent_total, summary.accepted), (MESSAGES, MESSAGES), "{summary:?}");
        assert!(broker.state().rejected.is_empty(), "{:?}", broker.state().rejected);
        read(&broker, feed)
    }

    /// Runs a listener that is not let in, until it says so.
    pub(crate) async fn turns_away(self, options: ListenerOptions, reason: &str) {
        let broker = MemoryBroker::fresh();
        let listening = tokio::spawn(listener::run(options, Arc::clone(&broker) as _, self.shutdown.clone()));
        let said = || broker.listener().and_then(|state| state.connections.into_iter().find_map(|conn| conn.reason));
        eventually("refused", PATIENCE, async || said().is_some_and(|said| said.contains(reason))).await;
        self.shutdown.begin();
        listening.await.unwrap().unwrap();
        self.serving.await.unwrap();
        assert_eq!(broker.tasks(), 0);
    }
}

fn read(broker: &MemoryBroker, feed: &dyn Feed) -> Arrived {
    let mut arrived = Arrived::default();
    for element in &broker.state().tasks {
        let task = Task::decode(element).unwrap();
        let mut ticks = Vec::new();
        feed.decode(&task.kind, task.body.get(), &mut ticks).unwrap();
        arrived.conns.insert(task.conn);
        arrived.symbols.extend(ticks.into_iter().map(|tick| tick.symbol.into_owned()));
        *arrived.kinds.entry(task.kind.to_string()).or_default() += 1;
    }
    arrived
}
