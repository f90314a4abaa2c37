//! Keeps one shard's session alive, for ever.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use common::clock;
use common::feed::{Endpoints, FeedSession, Reading, SessionRequest, Topic};
use common::market::Epoch;
use common::presence::Link;
use common::shutdown::Shutdown;
use foldhash::fast::RandomState;
use tokio::time;
use tracing::{error, info, warn};

use crate::board::Cell;
use crate::dial;
use crate::ending::{End, Then};
use crate::epochs::Epochs;
use crate::errand;
use crate::gate::Gate;
use crate::intake::Intake;
use crate::options::ListenerOptions;
use crate::retreat::{Pace, Retreat};
use crate::session::Session;
use crate::wire::Wire;

/// What all shards of a process share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) options: ListenerOptions,
    pub(crate) intake: Arc<Intake>,
    pub(crate) epochs: Epochs,
    pub(crate) gate: Gate,
    pub(crate) shutdown: Shutdown,
    /// One for the process: a message replaces those of its connection's earlier sessions too.
    pub(crate) merge_hash: RandomState,
}

/// One connection's share of the symbols.
#[derive(Debug)]
pub(crate) struct Shard {
    pub(crate) context: Arc<Context>,
    pub(crate) conn: u32,
    pub(crate) topics: Vec<Topic>,
    pub(crate) cell: Arc<Cell>,
    /// Symbols that are shown here as refused, whatever the provider says.
    pub(crate) refused: BTreeMap<Box<str>, Box<str>>,
    pub(crate) first_delay: Duration,
}

/// A connection that is up, before its first frame.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) protocol: Box<dyn FeedSession>,
    pub(crate) wire: Wire,
    pub(crate) epoch: Epoch,
    /// What the errands brought back.
    pub(crate) readings: Vec<Reading<'static>>,
}

impl Shard {
    /// Runs until the listener stops. Nothing else ends it.
    pub(crate) async fn run(self) {
        let times = self.context.options.link;
        let mut retreat = Retreat::new(times.reconnect, times.stable_after);
        self.cell.update(|state| state.refused.clone_from(&self.refused));
        if self.context.shutdown.run_until(time::sleep(self.first_delay)).await.is_none() {
            return;
        }
        let mut was_up = false;
        loop {
            let (lived, end) = self.live_once(was_up).await;
            was_up |= lived.is_some();
            let pace = match end.then() {
                Then::Finish => return,
                Then::Reconnect(pace) => pace,
                Then::Stop => {
                    error!(conn = self.conn, "connection {} stays down until somebody acts: {end}", self.conn);
                    self.show(Link::Stopped, &end, None);
                    self.context.shutdown.begun().await;
                    return;
                }
            };
            let delay = retreat.delay(lived.unwrap_or_default(), pace, |most| fastrand::u64(0..=most));
            self.announce(&end, delay, pace);
            if self.context.shutdown.run_until(time::sleep(delay)).await.is_none() {
                return;
            }
        }
    }

    /// One attempt: how long the session was up (`None` when it never was), and why it ended.
    async fn live_once(&self, was_up: bool) -> (Option<Duration>, End) {
        let opened = match self.context.shutdown.run_until(Box::pin(self.open())).await {
            None => return (None, End::Shutdown),
            Some(Err(end)) => return (None, end),
            Some(Ok(opened)) => opened,
        };
        let connected_at = clock::monotonic();
        info!(conn = self.conn, epoch = opened.epoch.get(), "connection {} is open", self.conn);
        self.cell.update(|state| {
            state.state = Link::Subscribing;
            state.reconnects += u64::from(was_up);
            state.next_attempt_at = None;
        });
        let end = Session::new(self, opened).run().await;
        (Some(connected_at.elapsed()), end)
    }

    async fn open(&self) -> Result<Opened, End> {
        let options = &self.context.options;
        // Before connecting: while the broker is away there would be nobody to answer the provider's pings.
        let epoch = self.context.epochs.next().await;
        time::sleep_until(self.context.gate.reserve(clock::monotonic()).into()).await;
        let http = options.http_endpoint();
        let request = SessionRequest {
            endpoints: Endpoints { socket: options.socket_endpoint(), http: &http },
            topics: &self.topics,
            credential: options.credential.as_ref(),
            catalog: &options.catalog,
            now: clock::now(),
        };
        let mut protocol = options.feed.session(&request).map_err(End::Failed)?;
        let mut readings = Vec::new();
        errand::run(&mut *protocol, &mut readings).await?;
        let bytes_max = options.feed.limits().message_bytes_max;
        let wire = dial::dial(&*protocol, bytes_max, options.link.connect_max).await?;
        Ok(Opened { protocol, wire, epoch, readings })
    }

    fn announce(&self, end: &End, delay: Duration, pace: Pace) {
        let (conn, delay_ms) = (self.conn, delay.as_millis());
        warn!(conn, delay_ms, ?pace, "connection {conn} ended: {end}; next attempt in {delay_ms} ms");
        self.show(Link::Reconnecting, end, Some(delay));
    }

    fn show(&self, link: Link, end: &End, delay: Option<Duration>) {
        self.cell.update(|state| {
            state.state = link;
            state.confirmed = 0;
            state.reason = Some(end.to_string());
            state.next_attempt_at = delay.map(|delay| clock::now().after(delay));
        });
    }
}
