//! A WebSocket server that does what the test tells it.

use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::Deserialize;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_async};

/// Everything here happens within this time, or the test fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) struct Server {
    listener: TcpListener,
}

/// One connection of the listener.
pub(crate) struct Peer {
    socket: WebSocketStream<TcpStream>,
}

/// A subscribe message.
#[derive(Debug, Deserialize)]
pub(crate) struct Subscribe {
    pub(crate) id: Value,
    pub(crate) method: String,
    pub(crate) params: Vec<String>,
}

impl Server {
    pub(crate) async fn start() -> Self {
        Self { listener: TcpListener::bind("127.0.0.1:0").await.unwrap() }
    }

    pub(crate) fn url(&self) -> String {
        format!("ws://{}", self.listener.local_addr().unwrap())
    }

    /// The next TCP connection, before any handshake.
    pub(crate) async fn accept_raw(&self) -> TcpStream {
        timeout(PATIENCE, self.listener.accept()).await.expect("nobody connects").unwrap().0
    }

    /// The next connection.
    pub(crate) async fn accept(&self) -> Peer {
        Peer { socket: accept_async(self.accept_raw().await).await.unwrap() }
    }

    /// The next connection, its first subscribe message answered.
    pub(crate) async fn accept_subscribed(&self) -> Peer {
        let mut peer = self.accept().await;
        peer.confirm_one().await;
        peer
    }
}

impl Peer {
    /// The next frame of the listener, or the end.
    pub(crate) async fn frame(&mut self) -> Option<Result<Message, Error>> {
        timeout(PATIENCE, self.socket.next()).await.expect("the listener sends nothing")
    }

    pub(crate) async fn subscribe(&mut self) -> Subscribe {
        loop {
            if let Message::Text(text) = self.frame().await.expect("the listener hung up").unwrap() {
                let subscribe: Subscribe = serde_json::from_str(&text).unwrap();
                assert_eq!(subscribe.method, "SUBSCRIBE");
                return subscribe;
            }
        }
    }

    pub(crate) async fn confirm_one(&mut self) -> Subscribe {
        let subscribe = self.subscribe().await;
        self.text(&format!(r#"{{"result":null,"id":{}}}"#, subscribe.id)).await;
        subscribe
    }

    pub(crate) async fn text(&mut self, text: &str) {
        self.send(Message::text(text)).await;
    }

    pub(crate) async fn send(&mut self, message: Message) {
        timeout(PATIENCE, self.socket.send(message)).await.expect("the listener does not read").unwrap();
    }

    /// Trades of a symbol with ids in a range, in one flush.
    pub(crate) async fn trades(&mut self, symbol: &str, ids: std::ops::Range<u64>) {
        for id in ids {
            let fed = self.socket.feed(Message::text(trade(symbol, id)));
            timeout(PATIENCE, fed).await.expect("the listener does not read").unwrap();
        }
        timeout(PATIENCE, self.socket.flush()).await.expect("the listener does not read").unwrap();
    }

    pub(crate) async fn close(&mut self, code: u16, reason: &str) {
        let goodbye = CloseFrame { code: code.into(), reason: reason.to_owned().into() };
        self.send(Message::Close(Some(goodbye))).await;
    }

    /// Bytes past the WebSocket library.
    pub(crate) async fn raw(&mut self, bytes: &[u8]) {
        use tokio::io::AsyncWriteExt;
        self.socket.get_mut().write_all(bytes).await.unwrap();
    }

    /// Whether the listener answers a ping with its own payload.
    pub(crate) async fn ping(&mut self, payload: &'static str) {
        self.send(Message::Ping(payload.into())).await;
        loop {
            if let Message::Pong(answer) = self.frame().await.expect("the listener hung up").unwrap()
                && answer == payload
            {
                return;
            }
        }
    }

    /// The code that the listener says goodbye with.
    pub(crate) async fn goodbye(&mut self) -> u16 {
        loop {
            let frame = self.frame().await.expect("the listener hung up without a goodbye").unwrap();
            if let Message::Close(goodbye) = frame {
                return goodbye.unwrap().code.into();
            }
        }
    }

    /// Whether nothing has come.
    pub(crate) fn is_quiet(&mut self) -> bool {
        self.socket.next().now_or_never().is_none()
    }
}

/// A combined frame as the provider documents it.
pub(crate) fn trade(symbol: &str, id: u64) -> String {
    let (upper, lower) = (symbol.to_uppercase(), symbol.to_lowercase());
    format!(
        r#"{{"stream":"{lower}@trade","data":{{"e":"trade","E":1672515782136,"s":"{upper}","t":{id},"p":"0.001","q":"100","T":1672515782136,"m":true}}}}"#
    )
}
