//! Plain HTTP on the exchange's port: providers hand out addresses, tokens and lists of instruments that way.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time;

/// Longest head of a request.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Longest body of a request: 500 symbols fit well.
const BODY_BYTES_MAX: usize = 1 << 20;

/// Headers of a request.
const HEADERS_MAX: usize = 64;

/// How often a head that has not arrived whole is looked at again.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// A plain request.
#[derive(Debug)]
pub(super) struct HttpAsked<'a> {
    pub(super) method: &'a str,
    /// Path and query.
    pub(super) target: &'a str,
    headers: &'a [(String, String)],
    pub(super) body: &'a str,
    /// The exchange's own address, `HOST:PORT` as the client wrote it.
    pub(super) host: &'a str,
}

impl HttpAsked<'_> {
    /// The value of a header, by its name in any case.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HttpReply {
    pub(super) status: u16,
    pub(super) body: String,
}

impl HttpReply {
    pub(super) fn not_found() -> Self {
        Self { status: 404, body: r#"{"error":"there is nothing here"}"#.to_owned() }
    }
}

/// The head of a request that waits in a socket, without taking it out.
#[derive(Debug)]
pub(super) struct Head {
    method: String,
    target: String,
    headers: Vec<(String, String)>,
    bytes: usize,
}

impl Head {
    /// Looks at the socket until the head is there; `None` when none comes.
    pub(super) async fn peek(stream: &TcpStream) -> Option<Self> {
        let mut buffer = vec![0; HEAD_BYTES_MAX];
        loop {
            let seen = stream.peek(&mut buffer).await.ok().filter(|seen| 0 < *seen)?;
            match Self::parse(&buffer[..seen]) {
                Ok(Some(head)) => return Some(head),
                Ok(None) if seen < HEAD_BYTES_MAX => time::sleep(LOOK_INTERVAL).await,
                Ok(None) | Err(_) => return None,
            }
        }
    }

    fn parse(bytes: &[u8]) -> Result<Option<Self>, httparse::Error> {
        let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
        let mut request = httparse::Request::new(&mut headers);
        let httparse::Status::Complete(bytes) = request.parse(bytes)? else { return Ok(None) };
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = request.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect();
        let (method, target) = (request.method.unwrap_or_default(), request.path.unwrap_or("/"));
        Ok(Some(Self { method: method.to_owned(), target: target.to_owned(), headers, bytes }))
    }

    pub(super) fn wants_websocket(&self) -> bool {
        self.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket"))
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// Takes the request out of the socket and answers it.
    pub(super) async fn answer(self, mut stream: TcpStream, reply: impl FnOnce(&HttpAsked<'_>) -> HttpReply) {
        let length = self.header("content-length").and_then(|value| value.trim().parse().ok()).unwrap_or(0_usize);
        let mut request = vec![0; self.bytes + length.min(BODY_BYTES_MAX)];
        if stream.read_exact(&mut request).await.is_err() {
            return;
        }
        let body = String::from_utf8_lossy(request.get(self.bytes..).unwrap_or_default());
        let asked = HttpAsked {
            method: &self.method,
            target: &self.target,
            headers: &self.headers,
            body: &body,
            host: self.header("host").unwrap_or_default(),
        };
        let HttpReply { status, body } = reply(&asked);
        let head = format!(
            "HTTP/1.1 {status} Simulated\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
            body.len()
        );
        // A client that has gone needs no answer.
        drop(stream.write_all(format!("{head}{body}").as_bytes()).await);
        drop(stream.shutdown().await);
    }
}
