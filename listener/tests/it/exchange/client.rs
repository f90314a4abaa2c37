//! A client that speaks as Binance documents.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use super::running::PATIENCE;

pub(super) struct Client {
    pub(super) socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    requests: u64,
}

impl Client {
    pub(super) async fn connect(url: &str) -> Self {
        let (socket, _) = tokio_tungstenite::connect_async(url).await.unwrap();
        Self { socket, requests: 0 }
    }

    /// Sends a request and returns the next answer to it, passing over data.
    pub(super) async fn ask(&mut self, method: &str, streams: &[&str]) -> Value {
        self.requests += 1;
        let id = self.requests;
        self.send(&json!({"method": method, "params": streams, "id": id}).to_string()).await;
        loop {
            let frame: Value = serde_json::from_str(&self.text().await).unwrap();
            if frame["id"] == json!(id) {
                return frame;
            }
        }
    }

    pub(super) async fn subscribe(&mut self, streams: &[&str]) {
        let answer = self.ask("SUBSCRIBE", streams).await;
        assert_eq!(answer["result"], Value::Null, "{answer}");
    }

    pub(super) async fn send(&mut self, text: &str) {
        self.socket.send(Message::text(text)).await.unwrap();
    }

    /// The next message, whatever it is; `None` at the end of the connection.
    pub(super) async fn message(&mut self) -> Option<Result<Message, Error>> {
        tokio::time::timeout(PATIENCE, self.socket.next()).await.expect("the exchange stays silent")
    }

    /// The next text frame.
    pub(super) async fn text(&mut self) -> String {
        loop {
            match self.message().await {
                Some(Ok(Message::Text(text))) => return text.to_string(),
                Some(Ok(Message::Ping(_))) => {}
                other => panic!("expected a text frame, got {other:?}"),
            }
        }
    }

    /// The next text frames.
    pub(super) async fn texts(&mut self, count: usize) -> Vec<String> {
        let mut texts = Vec::with_capacity(count);
        while texts.len() < count {
            texts.push(self.text().await);
        }
        texts
    }

    pub(super) async fn json(&mut self) -> Value {
        serde_json::from_str(&self.text().await).unwrap()
    }

    /// Closes as the protocol wants and returns the texts that were still on their way.
    pub(super) async fn close(mut self) -> Vec<String> {
        self.socket.close(None).await.unwrap();
        let mut texts = Vec::new();
        while let Some(Ok(message)) = self.message().await {
            if let Message::Text(text) = message {
                texts.push(text.to_string());
            }
        }
        texts
    }

    /// Whether nothing arrives for a while: a bound on silence, not a pause for something to happen.
    pub(super) async fn is_silent(&mut self, window: Duration) -> bool {
        match tokio::time::timeout(window, self.socket.next()).await {
            Err(_) => true,
            Ok(Some(Ok(_))) => false,
            Ok(ended) => panic!("the connection ended: {ended:?}"),
        }
    }
}
