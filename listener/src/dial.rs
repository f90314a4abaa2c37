//! Opens a WebSocket, step by step, so that a failure has a name: name, TCP, TLS, handshake.

use std::io;
use std::time::Duration;

use common::feed::FeedSession;
use secrecy::ExposeSecret;
use tokio::net::{TcpStream, lookup_host};
use tokio::time;
use tokio_tungstenite::client_async_tls_with_config;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use crate::ending::End;
use crate::wire::Wire;

/// Received bytes are read in pieces of this size; allocated per connection.
const READ_BUFFER_BYTES: usize = 64 << 10;
/// What we may have sent and the server has not read. Subscriptions of 1,024 streams take about 32 KiB.
const WRITE_BUFFER_BYTES_MAX: usize = 1 << 20;

/// Connects to where the session says within `limit`.
pub(crate) async fn dial(protocol: &dyn FeedSession, message_bytes_max: usize, limit: Duration) -> Result<Wire, End> {
    time::timeout(limit, open(protocol, message_bytes_max)).await.unwrap_or(Err(End::Slow(limit)))
}

/// Whether `url` can be connected to at all; what is wrong with it otherwise.
pub(crate) fn check(url: &str) -> Result<(), String> {
    target(url).map(drop)
}

async fn open(protocol: &dyn FeedSession, message_bytes_max: usize) -> Result<Wire, End> {
    let url = protocol.url();
    let (host, port) = target(&url).map_err(End::BadUrl)?;
    let mut request = url.into_client_request().map_err(End::from_handshake)?;
    for (name, value) in protocol.headers() {
        let (name, value) = header(&name, value.expose_secret()).map_err(End::BadUrl)?;
        request.headers_mut().append(name, value);
    }
    let tcp = connect(&host, port).await?;
    let (stream, _response) = client_async_tls_with_config(request, tcp, Some(config(message_bytes_max)), None)
        .await
        .map_err(End::from_handshake)?;
    Ok(Wire::new(stream))
}

/// Tries every address of the name, in the resolver's order. Resolved at each attempt: addresses change.
async fn connect(host: &str, port: u16) -> Result<TcpStream, End> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let addresses = lookup_host((bare, port)).await.map_err(|error| End::Unresolved(format!("{host}: {error}")))?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(tcp) => {
                // Our messages are few and small and must not wait for each other.
                tcp.set_nodelay(true).map_err(|error| End::Unreachable(error.to_string()))?;
                return Ok(tcp);
            }
            Err(error) => last = error,
        }
    }
    Err(End::Unreachable(format!("{host}:{port}: {last}")))
}

/// A header of the handshake; what is wrong with it otherwise, without its value.
fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), String> {
    let parsed: HeaderName = name.parse().map_err(|error| format!("header {name:?}: {error}"))?;
    let mut value: HeaderValue = value.parse().map_err(|error| format!("value of header {name:?}: {error}"))?;
    value.set_sensitive(true);
    Ok((parsed, value))
}

fn config(message_bytes_max: usize) -> WebSocketConfig {
    WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(0) // every message leaves at once
        .max_write_buffer_size(WRITE_BUFFER_BYTES_MAX)
        .max_message_size(Some(message_bytes_max))
        .max_frame_size(Some(message_bytes_max))
        .accept_unmasked_frames(false)
}

fn target(url: &str) -> Result<(String, u16), String> {
    let uri: Uri = url.parse().map_err(|error| format!("{error}"))?;
    let default_port = match uri.scheme_str() {
        Some("ws") => 80,
        Some("wss") => 443,
        Some(other) => return Err(format!("scheme {other:?} is neither ws nor wss")),
        None => return Err("it has no scheme; write ws:// or wss://".into()),
    };
    let host = uri.host().filter(|host| !host.is_empty()).ok_or("it has no host")?;
    Ok((host.to_owned(), uri.port_u16().unwrap_or(default_port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_port_are_read_without_login_path_and_query() {
        let read = |url| target(url).unwrap();
        assert_eq!(read("wss://me:secret@feed.example/ws?apikey=secret"), ("feed.example".into(), 443));
        assert_eq!(read("ws://[::1]:9443/stream"), ("[::1]".into(), 9443));
    }

    #[test]
    fn a_url_that_cannot_be_connected_to_is_told_why() {
        for (url, problem) in [
            ("http://x", r#"scheme "http" is neither ws nor wss"#),
            ("feed.example", "it has no scheme; write ws:// or wss://"),
        ] {
            assert_eq!(check(url), Err(problem.to_owned()));
        }
        assert!(check("wss://").is_err());
        assert!(check("wss://a b").is_err());
    }
}
