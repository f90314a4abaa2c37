//! One WebSocket session from the open socket to its end. A thin loop: frames in, messages out, a timer for the rest.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::time::Instant;

use common::clock::{self, UnixMicros};
use common::failpoint::{Point, reach};
use common::feed::{FeedLimits, FeedSession, Incoming, Outgoing, Reading, Topic};
use common::presence::{ConnectionState, Link};
use tokio::sync::watch;
use tokio::time;
use tokio_tungstenite::tungstenite::{Bytes, Message as Frame};
use tracing::{info, warn};

use crate::attempt::Opened;
use crate::backlog::Message;
use crate::data_age::DataAge;
use crate::element::ElementWriter;
use crate::ending::{End, readable};
use crate::fence::Mark;
use crate::liveness::{Liveness, Pulse};
use crate::market_watch::MarketWatch;
use crate::numbering::Numbering;
use crate::shard::Shard;
use crate::signals::{Signals, Wish};
use crate::subscription::{Due, Subscription};
use crate::wire::Wire;

mod digest;

/// Frames read in one go before timers and other tasks get their turn.
const BURST_FRAMES_MAX: usize = 256;
/// Streams named in a log line or in the status when they stay unconfirmed.
const NAMED_MAX: usize = 10;

/// An open session.
#[derive(Debug)]
pub(crate) struct Session<'a> {
    shard: &'a Shard,
    signals: Arc<Signals>,
    wanted: watch::Receiver<Arc<[Topic]>>,
    /// What was asked for.
    topics: Arc<[Topic]>,
    limits: FeedLimits,
    protocol: Box<dyn FeedSession>,
    wire: Wire,
    writer: ElementWriter,
    numbering: Numbering,
    liveness: Liveness,
    subscription: Subscription,
    /// What is still to be sent, and when the provider allows the next message.
    outbox: VecDeque<Outgoing>,
    send_at: Instant,
    gathered: Gathered,
    market: MarketWatch,
    fence: Mark,
    data_age: DataAge,
    /// What is to be taken in before the first frame.
    brought: Vec<Reading<'static>>,
    /// Whether the status tells of unconfirmed streams.
    resigned: bool,
}

/// Read, but not yet handed over.
#[derive(Debug, Default)]
struct Gathered {
    messages: Vec<Message>,
    received: u64,
    errors: u64,
    last_frame_at: Option<UnixMicros>,
    last_message_at: Option<UnixMicros>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(shard: &'a Shard, opened: Opened, signals: Arc<Signals>) -> Self {
        let Opened { mut protocol, topics, wire, epoch, readings } = opened;
        let options = &shard.context.options;
        let limits = options.feed.limits();
        let now = clock::monotonic();
        let outbox = VecDeque::from(protocol.opening());
        let market = MarketWatch::new(Arc::clone(&options.calendar), options.feed, &topics, &options.catalog.current());
        let mut subscription = Subscription::new(&topics, options.link.confirm_max);
        if outbox.is_empty() {
            subscription.asked(now); // the URL has asked
        }
        Self {
            shard,
            signals,
            wanted: shard.topics.clone(),
            topics,
            limits,
            protocol,
            wire,
            writer: ElementWriter::new(options.feed.name(), shard.conn),
            numbering: Numbering::new(epoch, options.link.seq_max),
            liveness: Liveness::new(limits.silence_max, limits.ping_interval, now),
            subscription,
            outbox,
            send_at: now,
            gathered: Gathered::default(),
            market,
            fence: shard.context.fence.mark(),
            data_age: DataAge::new(options.link.data_age_max.or(limits.data_age_max), now, clock::now()),
            resigned: false,
            brought: readings,
        }
    }

    /// Runs until the session ends, and says why.
    pub(crate) async fn run(mut self) -> End {
        let end = match self.work().await {
            Ok(never) => match never {},
            Err(end) => end,
        };
        if let Some(reason) = end.rejects() {
            self.reject(reason);
        }
        // Under `Block` there may be no room, but what was read is not given up: at most one burst above the limit.
        self.shard.context.intake.push_beyond_limit(&mut self.gathered.messages);
        self.show_gathered();
        self.wire.close(&end).await;
        end
    }

    async fn work(&mut self) -> Result<std::convert::Infallible, End> {
        for reading in mem::take(&mut self.brought) {
            self.digest(reading, clock::now()).await?;
        }
        self.note_data();
        let (shard, signals) = (self.shard, Arc::clone(&self.signals));
        let (stop, retired) = (shard.stop.cancelled(), signals.retired());
        tokio::pin!(stop, retired);
        let timer = time::sleep_until(self.deadline().into());
        tokio::pin!(timer);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => return Err(End::Shutdown),
                () = &mut retired => return Err(End::Retired),
                () = signals.lead() => {
                    self.show_subscription();
                    self.show_market();
                }
                Ok(()) = self.wanted.changed() => {
                    self.follow_wishes();
                    timer.as_mut().reset(self.deadline().into());
                }
                () = &mut timer => {
                    self.on_time(clock::monotonic())?;
                    timer.as_mut().reset(self.deadline().into());
                }
                frame = self.wire.next() => self.burst(frame?).await?,
            }
        }
    }

    /// Takes in a frame and those that are already there behind it.
    async fn burst(&mut self, first: Frame) -> Result<(), End> {
        let mut ended = self.take_in(first).await;
        for _ in 1..BURST_FRAMES_MAX {
            if ended.is_err() {
                break;
            }
            match self.wire.next_ready() {
                None => break,
                Some(frame) => {
                    ended = match frame {
                        Ok(frame) => self.take_in(frame).await,
                        Err(end) => Err(end),
                    }
                }
            }
        }
        self.liveness.heard(clock::monotonic());
        self.note_data();
        self.hand_over().await?;
        ended
    }

    /// The age of the data begins anew with every message.
    fn note_data(&mut self) {
        if let (Some(at), false) = (self.gathered.last_message_at, self.gathered.messages.is_empty()) {
            self.data_age.restart(clock::monotonic(), at);
        }
    }

    async fn take_in(&mut self, frame: Frame) -> Result<(), End> {
        let at = clock::now();
        self.gathered.last_frame_at = Some(at);
        let content = match &frame {
            Frame::Text(text) => Incoming::Text(text.as_str()),
            Frame::Binary(bytes) => Incoming::Binary(bytes),
            Frame::Close(goodbye) => return Err(End::closed(goodbye.as_ref())),
            // The library has queued the pong; it leaves with the next read.
            Frame::Ping(_) | Frame::Pong(_) | Frame::Frame(_) => return Ok(()),
        };
        if let Some(recorder) = &self.shard.context.options.recorder {
            recorder.frame(self.shard.conn, at, content);
        }
        let mut readings = Vec::new();
        self.protocol.read(content, &mut readings);
        for reading in readings {
            if let Reading::Rejected(reason) = &reading {
                self.shard.context.samples.keep(reason, at, content);
            }
            self.digest(reading, at).await?;
        }
        Ok(())
    }

    async fn hand_over(&mut self) -> Result<(), End> {
        if !self.shard.context.fence.holds(self.fence, clock::monotonic()) {
            // Others carry these streams since; what was read meanwhile was never ours.
            self.gathered = Gathered::default();
            return Err(End::Slept);
        }
        self.show_gathered();
        if !self.gathered.messages.is_empty() {
            reach(Point::Received);
            self.shard.context.intake.push(&mut self.gathered.messages);
        }
        while !self.gathered.messages.is_empty() {
            self.wait_for_room().await?;
            self.shard.context.intake.push(&mut self.gathered.messages);
            // Nothing was read meanwhile, so the silence was ours.
            self.liveness.heard(clock::monotonic());
        }
        Ok(())
    }

    /// Only under the policy `Block`.
    async fn wait_for_room(&mut self) -> Result<(), End> {
        let context = &self.shard.context;
        loop {
            tokio::select! {
                biased;
                () = self.shard.stop.cancelled() => return Err(End::Shutdown),
                () = context.intake.room() => return Ok(()),
                () = time::sleep(self.limits.ping_interval) => self.wire.show_life().await?,
            }
        }
    }

    fn deadline(&self) -> Instant {
        let ping_at = self.liveness.ping_at().max(self.send_at);
        let send_at = (!self.outbox.is_empty()).then_some(self.send_at);
        let wanted = [send_at, self.subscription.deadline(), Some(self.liveness.dead_at()), self.data_age.deadline()];
        wanted.into_iter().flatten().fold(ping_at, Instant::min)
    }

    fn on_time(&mut self, now: Instant) -> Result<(), End> {
        let pulse = self.liveness.pulse(now);
        if pulse == Pulse::Dead {
            return Err(End::Silent(self.limits.silence_max));
        }
        // Where every symbol is refused, another connection would bring no more.
        let carries = self.subscription.carries();
        let are_expected = |at| carries && self.market.is_open(at) == Some(true);
        if let Some(age_max) = self.data_age.overdue(now, clock::now(), are_expected) {
            return Err(End::Mute(age_max));
        }
        match self.subscription.due(now) {
            Due::Nothing => {}
            Due::AskAgain => self.outbox.extend(self.protocol.opening()),
            Due::Resign(streams) => self.resign(&streams),
        }
        if now < self.send_at {
            return Ok(());
        }
        if pulse == Pulse::Ping {
            self.send(Frame::Ping(Bytes::new()), now)?;
            self.liveness.pinged(now);
            self.show_market();
            self.outbox.extend(self.protocol.heartbeat());
        } else if let Some(message) = self.outbox.pop_front() {
            self.send(outgoing(message), now)?;
        }
        if self.outbox.is_empty() {
            self.subscription.asked(now);
        }
        Ok(())
    }

    fn send(&mut self, frame: Frame, now: Instant) -> Result<(), End> {
        self.send_at = now + self.limits.message_interval;
        self.wire.send(frame)
    }

    fn resign(&mut self, streams: &[Box<str>]) {
        let text = format!("{} streams not confirmed: {}", streams.len(), named(streams));
        warn!(conn = self.shard.conn, "{text}");
        self.show(|state| state.reason = Some(text));
        self.resigned = true;
        self.signals.set_ready();
    }

    /// Carries what is wanted now: by messages if the protocol can, else by a new connection.
    fn follow_wishes(&mut self) {
        let wanted = Arc::clone(&self.wanted.borrow_and_update());
        let missing = |from: &[Topic], these: &[Topic]| -> Vec<Topic> {
            these.iter().filter(|topic| !from.contains(topic)).cloned().collect()
        };
        let (added, removed) = (missing(&self.topics, &wanted), missing(&wanted, &self.topics));
        if added.is_empty() && removed.is_empty() {
            return;
        }
        match self.protocol.change(&added, &removed) {
            None => self.signals.wish(Wish::Changed),
            Some(messages) => {
                self.outbox.extend(messages);
                self.subscription.change(&added, &removed);
                self.topics = wanted;
                self.show_subscription();
            }
        }
    }

    /// Shows something of the connection, unless a predecessor is still the one that people see.
    fn show(&self, change: impl FnOnce(&mut ConnectionState)) {
        if self.signals.leads() {
            self.shard.cell.update(change);
        }
    }

    fn show_subscription(&mut self) {
        let (settled, confirmed) = (self.subscription.is_settled(), self.subscription.confirmed() as u64);
        if settled {
            self.signals.set_ready();
        }
        let symbols = self.subscription.symbols() as u64;
        let mut became_live = false;
        self.show(|state| {
            state.symbols = symbols;
            became_live = settled && state.state != Link::Live;
            state.state = if settled { Link::Live } else { Link::Subscribing };
            state.confirmed = confirmed;
            state.refused.clone_from(self.subscription.refused());
        });
        if settled && mem::take(&mut self.resigned) {
            self.show(|state| state.reason = None);
        }
        if became_live {
            info!(conn = self.shard.conn, "subscribed {confirmed}/{symbols} symbols");
        }
    }

    fn show_market(&self) {
        let is_open = self.market.is_open(clock::now());
        self.show(|state| state.is_market_open = is_open);
    }

    fn show_gathered(&mut self) {
        let mut watch = self.shard.watch();
        watch.heard(self.gathered.last_message_at);
        let (received, errors) = (mem::take(&mut self.gathered.received), mem::take(&mut self.gathered.errors));
        self.shard.cell.update(|state| {
            state.messages += received;
            state.errors += errors;
            state.last_frame_at = self.gathered.last_frame_at.or(state.last_frame_at);
            state.last_message_at = self.gathered.last_message_at.or(state.last_message_at);
            state.continuity = watch.numbers.counts();
        });
        drop(watch);
    }
}

fn outgoing(message: Outgoing) -> Frame {
    match message {
        Outgoing::Text(text) => Frame::text(text),
        Outgoing::Binary(bytes) => Frame::binary(bytes),
    }
}

fn named(streams: &[Box<str>]) -> String {
    let shown = streams.iter().take(NAMED_MAX).map(|stream| readable(stream)).collect::<Vec<_>>().join(", ");
    match streams.len().checked_sub(NAMED_MAX) {
        None | Some(0) => shown,
        Some(more) => format!("{shown} and {more} more"),
    }
}
