//! One client's connection: reads requests, writes the outbox, pings.
//!
//! Reading, pongs and closing are the WebSocket library's. Market data is written past it, straight to the socket and
//! in large pieces; each piece is whole frames, and the library's own output is flushed first, so they never mix.

mod liveness;

use std::sync::Arc;
use std::time::Duration;

use common::clock;
use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::io::{AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{self, Message};
use tracing::debug;

use super::ExchangeLimits;
use super::allowance::Allowance;
use super::desk::Desk;
use super::http::Head;
use super::outbox::{Ending, Found, Frames, Outbox};
use super::protocol::{Answer, Asked, Conversation, Opening, Provider, Sent};
use super::publisher::Command;
use super::stats::Counters;
use liveness::Liveness;

/// How long a client may take to send its request.
const HANDSHAKE_MAX: Duration = Duration::from_secs(10);

/// Largest request of a client: a subscription to 1,024 streams with long names fits well.
const REQUEST_BYTES_MAX: usize = 256 << 10;

const READ_BUFFER_BYTES: usize = 8 << 10;

/// How long a client may take to answer a close.
const CLOSE_MAX: Duration = Duration::from_secs(1);

/// How often a muted connection, which does not read, looks whether its client has gone.
const MUTED_LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Longest reason of a close frame (RFC 6455: a control frame has at most 125 bytes, two are the code).
const REASON_BYTES_MAX: usize = 123;

const TOO_MANY_REQUESTS: &str = "Too many requests";

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) provider: Provider,
    pub(super) desk: Arc<Desk>,
    pub(super) limits: ExchangeLimits,
    pub(super) commands: mpsc::Sender<Command>,
    pub(super) counters: Arc<Counters>,
    pub(super) room: Arc<Notify>,
}

#[derive(Debug)]
struct Connection {
    id: u64,
    shared: Arc<Shared>,
    socket: WebSocketStream<TcpStream>,
    outbox: Arc<Outbox>,
    conversation: Box<dyn Conversation>,
    allowance: Allowance,
    liveness: Liveness,
    muted: bool,
    /// Being written.
    frames: Frames,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Departure {
    /// With a close frame after everything was sent.
    Clean,
    /// The client is gone, or broke the rules.
    Broken,
    /// By our will, without a word.
    Cut,
}

/// Serves a client until it leaves or is made to.
pub(super) async fn serve(id: u64, stream: TcpStream, shared: Arc<Shared>) {
    let counters = Arc::clone(&shared.counters);
    let Ok(Some(head)) = tokio::time::timeout(HANDSHAKE_MAX, Head::peek(&stream)).await else {
        Counters::add(&counters.refused, 1);
        return;
    };
    if !head.wants_websocket() {
        let answering = head.answer(stream, |asked| shared.provider.0.http(asked, &shared.desk));
        if tokio::time::timeout(HANDSHAKE_MAX, answering).await.is_err() {
            debug!("a plain request was not answered in time");
        }
        return;
    }
    let Some((socket, opening)) = shake_hands(stream, &shared).await else {
        Counters::add(&counters.refused, 1);
        return;
    };
    let Opening { conversation, envelope, streams } = opening;
    let outbox = Arc::new(Outbox::new(Arc::clone(&shared.room)));
    let commands = shared.commands.clone();
    let join = Command::Join { id, outbox: Arc::clone(&outbox), envelope, streams };
    if commands.send(join).await.is_err() {
        return; // the exchange has ended meanwhile
    }
    Counters::add(&counters.connections, 1);
    Counters::add(&counters.connections_total, 1);
    debug!(connection.id = id, "connection {id} opened");
    let limits = shared.limits;
    let mut connection = Connection {
        id,
        shared,
        socket,
        outbox,
        conversation,
        allowance: Allowance::new(limits.messages_per_second),
        liveness: Liveness::new(limits.pong_max),
        muted: false,
        frames: Frames::default(),
    };
    connection.greet().await;
    let departure = connection.run(limits.ping_interval).await;
    connection.depart(departure);
    // Dropped before the publisher hears of it: what it counts then is final.
    drop(connection);
    counters.connections.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    if commands.send(Command::Leave { id, clean: departure == Departure::Clean }).await.is_err() {
        debug!("connection {id} outlived the publisher");
    }
    debug!(connection.id = id, "connection {id} ended: {departure:?}");
}

/// Answers the client's HTTP request; `None` when it asks for nothing that is here.
async fn shake_hands(stream: TcpStream, shared: &Shared) -> Option<(WebSocketStream<TcpStream>, Opening)> {
    if let Err(error) = stream.set_nodelay(true) {
        debug!(%error, "cannot switch off Nagle's algorithm, messages may be late");
    }
    let mut opening = None;
    #[expect(clippy::result_large_err, reason = "the library's type")]
    let choose = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        match shared.provider.0.open(request, &shared.limits, &shared.desk) {
            Ok(opened) => {
                opening = Some(opened);
                Ok(response)
            }
            Err(refused) => {
                let mut refusal = ErrorResponse::new(Some(refused.reason));
                *refusal.status_mut() = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
                Err(refusal)
            }
        }
    };
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0)
        .max_message_size(Some(REQUEST_BYTES_MAX))
        .max_frame_size(Some(REQUEST_BYTES_MAX));
    let accepting = tokio_tungstenite::accept_hdr_async_with_config(stream, choose, Some(config));
    match tokio::time::timeout(HANDSHAKE_MAX, accepting).await {
        Ok(Ok(socket)) => opening.map(|opening| (socket, opening)),
        Ok(Err(error)) => {
            debug!(%error, "a client was refused");
            None
        }
        Err(_) => None,
    }
}

/// What is due to be sent at the next beat; never, where there is none.
async fn due(beat: Option<&mut (tokio::time::Interval, Sent)>) -> Message {
    let Some((interval, sent)) = beat else { return std::future::pending().await };
    interval.tick().await;
    match sent {
        Sent::Text(text) => Message::text(text.as_str()),
        Sent::Binary(bytes) => Message::binary(bytes.clone()),
    }
}

impl Connection {
    async fn run(&mut self, ping_interval: Duration) -> Departure {
        let mut ping = tokio::time::interval(ping_interval);
        ping.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        ping.reset(); // not at once
        let mut beat = self.shared.provider.0.beat().map(|(every, sent)| (tokio::time::interval(every), sent));
        let outbox = Arc::clone(&self.outbox);
        loop {
            let done = tokio::select! {
                biased;
                () = outbox.is_cut() => Some(Departure::Cut),
                message = self.socket.next(), if !self.muted => self.receive(message).await,
                () = outbox.changed() => self.send().await,
                _ = ping.tick(), if !self.muted => self.ping().await,
                beat = due(beat.as_mut()), if !self.muted => self.socket.send(beat).await.is_err().then_some(Departure::Broken),
                () = tokio::time::sleep(MUTED_LOOK_INTERVAL), if self.muted => self.look().await,
            };
            if let Some(departure) = done {
                return departure;
            }
        }
    }

    /// A message of the client. Returns how the connection ends, if it does.
    async fn receive(&mut self, message: Option<Result<Message, tungstenite::Error>>) -> Option<Departure> {
        let Some(Ok(message)) = message else { return Some(Departure::Broken) };
        if !message.is_close() && !self.allowance.take(clock::monotonic()) {
            let ending = Ending { code: CloseCode::Policy.into(), reason: TOO_MANY_REQUESTS.to_owned() };
            self.close(ending).await;
            return Some(Departure::Broken);
        }
        match message {
            Message::Text(text) => self.request(Asked::Text(&text)).await,
            Message::Binary(bytes) => self.request(Asked::Binary(&bytes)).await,
            Message::Pong(payload) => {
                self.liveness.pong(&payload);
                None
            }
            Message::Close(_) => {
                self.await_end().await;
                Some(Departure::Clean)
            }
            // The library answers pings; raw frames are not read.
            Message::Ping(_) | Message::Frame(_) => None,
        }
    }

    async fn greet(&mut self) {
        let answer = self.conversation.greet();
        if answer != Answer::default() {
            // An exchange that has ended is noticed by the loop.
            drop(self.shared.commands.send(Command::Answer { id: self.id, answer }).await);
        }
    }

    async fn request(&mut self, message: Asked<'_>) -> Option<Departure> {
        let answer = self.conversation.receive(message);
        let sent = self.shared.commands.send(Command::Answer { id: self.id, answer }).await;
        sent.is_err().then_some(Departure::Broken)
    }

    /// Writes what has gathered.
    async fn send(&mut self) -> Option<Departure> {
        match self.outbox.take(&mut self.frames) {
            Found::Muted => {
                self.muted = true;
                None
            }
            Found::Ending(ending) => {
                self.close(ending).await;
                Some(Departure::Clean)
            }
            Found::Frames => {
                if std::mem::take(&mut self.muted) {
                    self.liveness.restart();
                }
                self.write().await
            }
        }
    }

    async fn write(&mut self) -> Option<Departure> {
        if self.frames.bytes.is_empty() {
            return None;
        }
        let Self { id, socket, frames, outbox, shared, .. } = self;
        let write = async {
            socket.flush().await?;
            socket.get_mut().write_all(&frames.bytes).await.map_err(tungstenite::Error::from)
        };
        let written = tokio::select! {
            biased;
            () = outbox.is_cut() => Err(Departure::Cut),
            written = write => written.map_err(|error| {
                debug!(connection.id = *id, %error, "connection {id} is broken");
                Departure::Broken
            }),
        };
        match written {
            Ok(()) => {
                shared.counters.sent(&frames.counts);
                frames.clear();
                // More may have gathered meanwhile; its notice is still there.
                None
            }
            Err(departure) => Some(departure),
        }
    }

    async fn ping(&mut self) -> Option<Departure> {
        let now = clock::monotonic();
        if self.liveness.is_dead(now) {
            return Some(Departure::Cut);
        }
        let payload = self.liveness.ping(clock::now(), now);
        let outbox = Arc::clone(&self.outbox);
        tokio::select! {
            biased;
            () = outbox.is_cut() => Some(Departure::Cut),
            sent = self.socket.send(Message::Ping(payload.into())) => sent.is_err().then_some(Departure::Broken),
        }
    }

    /// Whether the client of a muted connection has gone: a look at the socket, which takes nothing from it.
    #[expect(clippy::unused_async, reason = "an arm of the loop, as the others")]
    async fn look(&mut self) -> Option<Departure> {
        match self.socket.get_ref().ready(Interest::READABLE).now_or_never() {
            Some(Ok(ready)) if ready.is_read_closed() => Some(Departure::Broken),
            Some(Err(_)) => Some(Departure::Broken),
            Some(Ok(_)) | None => None,
        }
    }

    async fn close(&mut self, ending: Ending) {
        let mut reason = ending.reason;
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        let frame = CloseFrame { code: ending.code.into(), reason: reason.into() };
        let outbox = Arc::clone(&self.outbox);
        tokio::select! {
            () = outbox.is_cut() => {}
            closed = tokio::time::timeout(CLOSE_MAX, self.socket.close(Some(frame))) => {
                if matches!(closed, Ok(Ok(()))) {
                    self.await_end().await;
                }
            }
        }
    }

    /// Reads on until the closing handshake is complete, for a while.
    async fn await_end(&mut self) {
        let end = async { while let Some(Ok(_)) = self.socket.next().await {} };
        if tokio::time::timeout(CLOSE_MAX, end).await.is_err() {
            debug!(connection.id = self.id, "connection {} did not complete its closing handshake", self.id);
        }
    }

    /// Counts what did not get out. A cut connection ends with a reset, and what its client has not read is gone.
    fn depart(&mut self, departure: Departure) {
        Counters::add(&self.shared.counters.undelivered, self.frames.counts.total());
        if departure == Departure::Cut
            && let Err(error) = self.socket.get_ref().set_zero_linger()
        {
            debug!(%error, "the connection ends with a normal end of stream instead of a reset");
        }
    }
}
