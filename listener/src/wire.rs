//! One open WebSocket: reading never waits for writing.

use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::{FutureExt, SinkExt, StreamExt};
use tokio::net::TcpStream;
use tokio::time;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

use crate::ending::End;

/// How long a goodbye may take.
const GOODBYE_MAX: Duration = Duration::from_millis(500);

/// An open connection. Pongs are queued by the library when it reads a ping and leave with the next read.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    unflushed: bool,
}

impl Wire {
    pub(crate) fn new(stream: WebSocketStream<MaybeTlsStream<TcpStream>>) -> Self {
        Self { stream, unflushed: false }
    }

    /// Queues a message; it leaves while we read. A server that reads nothing ends the session when the write buffer
    /// is full.
    pub(crate) fn send(&mut self, message: Message) -> Result<(), End> {
        // Not asking `poll_ready` first: the library buffers what the socket does not take, up to its named limit.
        self.stream.start_send_unpin(message).map_err(End::from_socket)?;
        self.unflushed = true;
        Ok(())
    }

    /// The next frame. Cancel-safe.
    pub(crate) async fn next(&mut self) -> Result<Message, End> {
        poll_fn(|context| self.poll_next(context)).await
    }

    /// The next frame if it is already here.
    pub(crate) fn next_ready(&mut self) -> Option<Result<Message, End>> {
        self.next().now_or_never()
    }

    /// Sends a pong that nobody asked for, the only sign of life that a blocked reader can give.
    pub(crate) async fn show_life(&mut self) -> Result<(), End> {
        self.send(Message::Pong(Bytes::new()))?;
        time::timeout(GOODBYE_MAX, self.stream.flush()).await.unwrap_or(Ok(())).map_err(End::from_socket)
    }

    /// Says goodbye and gives the peer a moment to answer. Best effort: the connection is over either way.
    pub(crate) async fn close(mut self, end: &End) {
        let code = end.goodbye();
        let goodbye = async {
            // Fails when the peer has closed first: then the library's answer leaves with the next read.
            drop(self.stream.send(Message::Close(Some(CloseFrame { code, reason: "".into() }))).await);
            // Unread bytes would turn our close into a reset; they are no longer counted as received.
            while let Some(Ok(_)) = self.stream.next().await {}
        };
        drop(time::timeout(GOODBYE_MAX, goodbye).await);
    }

    fn poll_next(&mut self, context: &mut Context<'_>) -> Poll<Result<Message, End>> {
        if self.unflushed
            && let Poll::Ready(flushed) = self.stream.poll_flush_unpin(context)
        {
            self.unflushed = false;
            flushed.map_err(End::from_socket)?;
        }
        self.stream.poll_next_unpin(context).map(|frame| match frame {
            Some(Ok(frame)) => Ok(frame),
            Some(Err(error)) => Err(End::from_socket(error)),
            None => Err(End::closed(None)),
        })
    }
}
