//! An exchange that sends exactly what a test tells it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Frames that wait to be sent.
const FRAMES_MAX: usize = 64;

/// Serves one connection after the other, as long as the test's runtime lives.
pub(super) struct WebsocketServer {
    address: std::net::SocketAddr,
    frames: mpsc::Sender<Message>,
    subscribed: Arc<AtomicU64>,
}

impl WebsocketServer {
    /// Listens on a free port.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (frames, mut queued) = mpsc::channel(FRAMES_MAX);
        let subscribed = Arc::<AtomicU64>::default();
        let count = Arc::clone(&subscribed);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Ok(socket) = accept_async(stream).await else { continue };
                // The client may break a connection as it likes; the next one is served all the same.
                drop(serve(socket, &mut queued, &count).await);
            }
        });
        Self { address, frames, subscribed }
    }

    /// Where to connect.
    pub(super) fn url(&self) -> String {
        format!("ws://{}", self.address)
    }

    /// Connections that have subscribed so far.
    pub(super) fn subscribed(&self) -> u64 {
        self.subscribed.load(Ordering::SeqCst)
    }

    /// Sends a frame on the connection.
    pub(super) async fn send(&self, frame: Message) {
        self.frames.send(frame).await.expect("the server runs");
    }
}

/// Answers every request, and sends what it is told once there was one.
async fn serve(
    mut socket: WebSocketStream<TcpStream>,
    queued: &mut mpsc::Receiver<Message>,
    subscribed: &AtomicU64,
) -> Result<(), Error> {
    let mut is_subscribed = false;
    loop {
        tokio::select! {
            frame = socket.next() => match frame {
                None => return Ok(()),
                Some(frame) => if let Message::Text(request) = frame? {
                    let request: Value = serde_json::from_str(&request).unwrap_or_default();
                    let answer = format!(r#"{{"result":null,"id":{}}}"#, request["id"]);
                    socket.send(Message::text(answer)).await?;
                    is_subscribed = true;
                    subscribed.fetch_add(1, Ordering::SeqCst);
                },
            },
            Some(frame) = queued.recv(), if is_subscribed => socket.send(frame).await?,
        }
    }
}
