//! `/livez` and `/readyz` for load balancers and orchestrators, on an address of their own.
//!
//! Everything a client can do is bounded: connections at once, the time and the size of a request's head. An answer
//! holds states and reasons, never a secret.

use std::fmt::Debug;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use crate::clock;
use crate::outage::Outage;
use crate::shutdown::Shutdown;

/// Connections at once; more wait in the kernel's queue.
const CONNECTIONS_MAX: usize = 64;

/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 4 << 10;

/// Headers of a request.
const HEADERS_MAX: usize = 32;

/// From the connection to the end of the answer.
const REQUEST_MAX: Duration = Duration::from_secs(5);

/// Before the next attempt to accept, when the system has no file descriptor left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(500);

/// What a part says of itself.
pub trait Readiness: Send + Sync + Debug {
    /// Why it is not ready, one reason per line; empty when it is.
    fn reasons(&self) -> Vec<String>;
}

/// The address cannot be listened to.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} for health checks")]
pub struct HealthError {
    /// As it was configured.
    address: SocketAddr,
    #[source]
    source: std::io::Error,
}

/// Waits for questions. Bound before anything else starts, so that a port in use is said at once.
#[derive(Debug)]
pub struct HealthServer {
    listener: TcpListener,
}

impl HealthServer {
    /// Listens on `address`.
    pub async fn bind(address: SocketAddr) -> Result<Self, HealthError> {
        match TcpListener::bind(address).await {
            Ok(listener) => Ok(Self { listener }),
            Err(source) => Err(HealthError { address, source }),
        }
    }

    /// Where it listens: the port is chosen by the system when it was configured as 0.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listener.local_addr().ok()
    }

    /// Answers until it is dropped: a stopping process says that it is not ready, to its end.
    pub async fn run(self, readiness: Arc<dyn Readiness>, services: Shutdown) {
        let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let mut outage = Outage::default();
        loop {
            let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    let readiness = Arc::clone(&readiness);
                    services.spawn("health", async move {
                        // Who is too slow, or has gone, gets no answer.
                        drop(timeout(REQUEST_MAX, answer(stream, &*readiness)).await);
                        drop(place);
                    });
                }
                Err(error) => {
                    if let Some(notice) = outage.failed(clock::monotonic()) {
                        tracing::warn!(tries = notice.tries, "cannot accept a health check: {error}");
                    }
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }
}

async fn answer(mut stream: TcpStream, readiness: &dyn Readiness) -> std::io::Result<()> {
    let mut head = Vec::with_capacity(512);
    let (status, body) = loop {
        match parse(&head) {
            Asked::More if head.len() < HEAD_BYTES_MAX => {}
            Asked::More | Asked::Nonsense => break ("400 Bad Request", "no request\n".to_owned()),
            Asked::Of(path) => break reply(path, readiness),
        }
        let room = HEAD_BYTES_MAX - head.len();
        if (&mut stream).take(room as u64).read_buf(&mut head).await? == 0 {
            return Ok(());
        }
    };
    let length = body.len();
    let answer = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\
         Cache-Control: no-store\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Of(Path),
    More,
    Nonsense,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Path {
    Live,
    Ready,
    Other,
}

fn parse(head: &[u8]) -> Asked {
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(head) {
        Ok(httparse::Status::Partial) => return Asked::More,
        Err(_) => return Asked::Nonsense,
        Ok(httparse::Status::Complete(_)) => {}
    }
    let path = request.path.unwrap_or_default();
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    Asked::Of(match (request.method, path) {
        (Some("GET" | "HEAD"), "/livez") => Path::Live,
        (Some("GET" | "HEAD"), "/readyz") => Path::Ready,
        _ => Path::Other,
    })
}

fn reply(path: Path, readiness: &dyn Readiness) -> (&'static str, String) {
    match path {
        Path::Live => ("200 OK", "ok\n".to_owned()),
        Path::Other => ("404 Not Found", "ask for /livez or /readyz\n".to_owned()),
        Path::Ready => {
            let reasons = readiness.reasons();
            if reasons.is_empty() {
                return ("200 OK", "ok\n".to_owned());
            }
            // One line each, whatever a server has said.
            let lines = reasons.iter().map(|reason| format!("{}\n", reason.replace(char::is_control, " ")));
            ("503 Service Unavailable", lines.collect())
        }
    }
}

#[cfg(test)]
mod tests;
