//! Reading a WebSocket over loopback, without looking at what comes.

use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};

use futures_util::StreamExt;
use tokio::net::TcpStream;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::Role;

use super::{LimitError, PartLimit, Payload, Round, Rounds, Timing};
use crate::presence::process::thread_cpu_us;

const PART: &str = "websocket_read";

/// Sizes that RFC 6455 (section 5.2) writes in one byte, and in two more.
const SHORT_MAX: usize = 125;
const TEXT: u8 = 0x81;
const IN_TWO_BYTES: u8 = 126;

/// Bytes of frames that are written with one call, about.
const WRITTEN_BYTES: usize = 64 << 10;

/// Reads the frames of a sender that has nothing else to do. Its side is the server's.
///
/// # Errors
/// When loopback cannot be used.
pub async fn websocket(payload: &Payload, timing: Timing) -> Result<PartLimit, LimitError> {
    let frames = framed(payload)?;
    let mut rounds = Rounds::default();
    for _ in 0..timing.rounds {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(LimitError::of(PART))?;
        let address = listener.local_addr().map_err(LimitError::of(PART))?;
        let sending = frames.clone();
        let sender = std::thread::spawn(move || -> std::io::Result<u64> {
            let (mut stream, _) = listener.accept()?;
            // The reader ends it.
            while stream.write_all(&sending).is_ok() {}
            Ok(thread_cpu_us())
        });
        let stream = TcpStream::connect(address).await.map_err(LimitError::of(PART))?;
        let mut socket = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        let (mut round, mut ticks) = (Round::begin(0), 0_u64);
        while !round.is_over(timing) {
            for _ in 0..payload.frames.len() {
                socket
                    .next()
                    .await
                    .ok_or("the sender has ended")
                    .map_err(LimitError::of(PART))?
                    .map_err(LimitError::of(PART))?;
                ticks += 1;
            }
        }
        drop(socket);
        let sent_us = sender.join().map_err(|_panic| "the sender panicked").map_err(LimitError::of(PART))?;
        let sent_us = sent_us.map_err(LimitError::of(PART))?;
        // Both sides are this process.
        round.client_us += sent_us;
        rounds.add(&round, ticks, sent_us);
    }
    Ok(rounds.limit(PART))
}

/// The frames as an unmasked server sends them, repeated to a good size.
fn framed(payload: &Payload) -> Result<Vec<u8>, LimitError> {
    let mut bytes = Vec::new();
    while bytes.len() < WRITTEN_BYTES {
        for frame in &payload.frames {
            bytes.push(TEXT);
            if frame.len() <= SHORT_MAX {
                bytes.push(u8::try_from(frame.len()).map_err(LimitError::of(PART))?);
            } else {
                bytes.push(IN_TWO_BYTES);
                bytes.extend(u16::try_from(frame.len()).map_err(LimitError::of(PART))?.to_be_bytes());
            }
            bytes.extend_from_slice(frame.as_bytes());
        }
        if payload.frames.is_empty() {
            return Err(LimitError::of(PART)("nothing to send"));
        }
    }
    Ok(bytes)
}
