//! The whole way of Upstox' feed: an address per connection, Protocol Buffers, and every message once in the broker.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use common::feed;
use common::presence::{ConnectionState, Link, ListenerState};
use common::queue::Task;
use common::retry::Backoff;
use common::shutdown::Shutdown;
use common::testing::eventually;
use listener::exchange::{
    self, ExchangeControls, ExchangeOptions, ExchangeSource, ExchangeStats, Rate, StatsHandle, Target, WalkOptions,
};
use listener::{ListenerError, ListenerOptions, ListenerSummary};
use tokio::task::JoinHandle;

use crate::memory_broker::MemoryBroker;
use crate::server::PATIENCE;

const TOKEN: &str = "header.payload.signature";

/// A listener between the simulated exchange and a broker.
struct Way {
    broker: Arc<MemoryBroker>,
    controls: ExchangeControls,
    stats: StatsHandle,
    shutdown: Shutdown,
    listener: JoinHandle<Result<ListenerSummary, ListenerError>>,
}

impl Way {
    async fn start(walk: WalkOptions, admitted: &str, change: impl FnOnce(&mut ListenerOptions)) -> Self {
        let mut options = ExchangeOptions::new(ExchangeSource::Walk(walk)).of("upstox".parse().unwrap());
        options.credential = Some(admitted.to_owned());
        let exchange = exchange::bind(options).await.unwrap();
        let (controls, stats, shutdown) = (exchange.controls(), exchange.stats(), Shutdown::new());
        let feed = feed::by_name("upstox").unwrap();
        let mut options = ListenerOptions::new(feed, "ticks".parse().unwrap(), exchange.symbols().to_vec());
        options.endpoint = Some(exchange.url());
        options.credential = Some(TOKEN.into());
        options.shards.connection_delay = Duration::from_millis(1);
        options.beat_interval = Duration::from_millis(20);
        options.link.reconnect =
            Backoff { first: Duration::from_millis(1), longest: Duration::from_millis(20), times: None };
        change(&mut options);
        shutdown.spawn("exchange", exchange.run(shutdown.clone()));
        let broker = MemoryBroker::fresh();
        let stop = shutdown.clone();
        let listener = tokio::spawn(listener::run(options, Arc::clone(&broker) as _, stop));
        Self { broker, controls, stats, shutdown, listener }
    }

    /// Waits until the listener's state is as wanted.
    async fn until(&self, what: &str, wanted: impl Fn(&ListenerState) -> bool) -> Vec<ConnectionState> {
        let shown = || self.broker.listener();
        eventually(what, PATIENCE, async || shown().is_some_and(|state| wanted(&state))).await;
        shown().unwrap().connections
    }

    async fn until_sent(&self, what: &str, is_so: impl Fn(&ExchangeStats) -> bool) -> ExchangeStats {
        eventually(what, PATIENCE, async || is_so(&self.stats.now())).await;
        self.stats.now()
    }

    async fn stop(self) -> ListenerSummary {
        self.shutdown.begin();
        tokio::time::timeout(PATIENCE, self.listener).await.expect("it does not stop").unwrap().unwrap()
    }
}

fn walk(symbols: usize, messages: Option<u64>) -> WalkOptions {
    let rate = Rate::PerSecond(NonZeroU32::new(5_000).unwrap());
    WalkOptions { symbols, rate, messages, seed: 7, ..WalkOptions::default() }
}

fn all_live(state: &ListenerState) -> bool {
    !state.connections.is_empty() && state.connections.iter().all(|connection| connection.state == Link::Live)
}

#[tokio::test]
async fn two_hundred_and_fifty_instruments_over_two_connections_lose_no_message() {
    const MESSAGES: u64 = 20_000;
    let way = Way::start(walk(250, Some(MESSAGES)), TOKEN, |options| options.shards.symbols_per_connection = 125).await;
    let stats = way.until_sent("the walk is finished", |stats| stats.finished && stats.sent_total == MESSAGES).await;
    let tasks = || way.broker.tasks() as u64;
    eventually("every message in the broker", PATIENCE, async || tasks() == stats.sent_total).await;
    let connections = way.until("live", all_live).await;
    assert_eq!(connections.iter().map(|connection| connection.confirmed).collect::<Vec<_>>(), [125, 125]);
    assert_eq!((stats.sent, stats.connections_total), (BTreeMap::from([("full".to_owned(), MESSAGES)]), 2));

    let feed = feed::by_name("upstox").unwrap();
    let (mut met, mut kinds) = (BTreeSet::new(), BTreeMap::<String, u64>::new());
    for element in &way.broker.state().tasks {
        let task = Task::decode(element).unwrap();
        let mut ticks = Vec::new();
        feed.decode(&task.kind, task.body.get(), &mut ticks).unwrap();
        let [tick] = &*ticks else { unreachable!("one instrument per task: {ticks:?}") };
        let is_snapshot = !task.body.get().contains(r#""type""#);
        assert_eq!(is_snapshot, met.insert(tick.symbol.clone().into_owned()), "a snapshot first, then changes");
        let fields = tick.fields;
        assert!(fields.last_price.is_some() && fields.volume.is_some() && fields.open_price.is_some());
        assert_eq!(fields.bid_price.is_some(), task.kind == "full", "a message without a book says nothing of it");
        *kinds.entry(task.kind.clone().into_owned()).or_default() += 1;
    }
    assert_eq!(met.len(), 250);
    assert_eq!(kinds.keys().collect::<Vec<_>>(), ["full", "full_without_book"]);
    let summary = way.stop().await;
    assert_eq!((summary.received, summary.accepted), (MESSAGES, MESSAGES));
}

#[tokio::test]
async fn each_connection_is_opened_with_an_address_of_its_own() {
    let way = Way::start(walk(4, None), TOKEN, |options| options.shards.symbols_per_connection = 2).await;
    way.until("live", |state| state.connections.len() == 2 && all_live(state)).await;
    way.controls.cut(Target::Everyone).await.unwrap();
    let again = |state: &ListenerState| state.connections.iter().all(|connection| 1 <= connection.reconnects);
    way.until("live again, although a code is good only once", |state| again(state) && all_live(state)).await;
    assert_eq!(way.stats.now().connections_total, 4);
    way.stop().await;
}

#[tokio::test]
async fn a_refused_token_is_told_and_the_connection_comes_up_when_it_is_good() {
    let way = Way::start(walk(2, None), "another token", |_| {}).await;
    let told = |connection: &ConnectionState| {
        connection.reason.as_deref().is_some_and(|reason| reason.contains("UDAPI100050") && !reason.contains(TOKEN))
    };
    way.until("told", |state| state.connections.iter().any(told)).await;
    assert_eq!(way.stats.now().connections_total, 0);
    way.controls.set_credential(Some(TOKEN.to_owned()));
    way.until("live", all_live).await;
    way.stop().await;
}

#[tokio::test]
async fn an_instrument_that_upstox_does_not_know_stays_unconfirmed_and_is_named() {
    let way = Way::start(walk(2, None), TOKEN, |options| {
        options.symbols.push("NSE_EQ|INE999999999".to_owned());
        options.link.confirm_max = Duration::from_millis(300);
    })
    .await;
    let told = |connection: &ConnectionState| {
        connection.reason.as_deref() == Some("1 streams not confirmed: full:NSE_EQ|INE999999999")
    };
    let connections = way.until("told", |state| state.connections.iter().any(told)).await;
    assert_eq!((connections[0].confirmed, connections[0].symbols), (2, 3));
    way.stop().await;
}
