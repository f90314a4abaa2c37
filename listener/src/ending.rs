//! Why a session ended, in words, and how gently to come back. Pure.

use std::fmt;
use std::time::Duration;

use common::feed::{Failure, Remedy};
use tokio_tungstenite::tungstenite::error::{CapacityError, ProtocolError};
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::{Error, http};

use crate::retreat::Pace;

#[cfg(test)]
mod tests;

/// The end of a session or of an attempt to open one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    /// We were asked to stop.
    Shutdown,
    /// The URL cannot be connected to.
    BadUrl(String),
    /// The name has no address.
    Unresolved(String),
    /// No TCP connection.
    Unreachable(String),
    /// No TLS session.
    Tls(String),
    /// The server answered the handshake with this status.
    Http { status: u16, retry_after: Option<Duration> },
    /// Connecting took longer than this.
    Slow(Duration),
    /// The server said goodbye.
    Closed { code: u16, text: String },
    /// The connection ended without a goodbye.
    Dropped(String),
    /// No frame of any kind for this long.
    Silent(Duration),
    /// The market is open and no data came for this long, though the connection is alive.
    Mute(Duration),
    /// The server does not read what we send.
    Stalled,
    /// A message larger than the feed's limit.
    TooLarge { bytes: usize, bytes_max: usize },
    /// A text frame that is no UTF-8.
    NotUtf8,
    /// The peer does not speak WebSocket as it should.
    Protocol(String),
    /// The provider announced that it will cut the connection.
    Announced(String),
    /// The provider cuts connections of this age.
    Aged,
    /// This process slept for longer than a lease.
    Slept,
    /// The wanted symbols changed, and only a new connection can follow.
    Changed,
    /// Another session carries the streams now.
    Retired,
    /// The provider reported an error of the whole connection.
    Failed(Failure),
    /// A request before connecting had no answer.
    Errand(String),
    /// There is no token to connect with.
    NoToken(String),
    /// The epoch is used up and the broker gives no other.
    NoEpoch,
}

/// What to do after an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Then {
    /// Connect again.
    Reconnect(Pace),
    /// The provider wants another token.
    LogIn,
    /// A person must act.
    Stop,
    /// The listener ends.
    Finish,
}

/// Foreign text is shown up to this length.
const TEXT_CHARS_MAX: usize = 200;

impl End {
    /// From what the WebSocket library reported while the session was up.
    pub(crate) fn from_socket(error: Error) -> Self {
        match error {
            Error::Capacity(CapacityError::MessageTooLong { size, max_size }) => {
                Self::TooLarge { bytes: size, bytes_max: max_size }
            }
            Error::Utf8(_) => Self::NotUtf8,
            Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => Self::Dropped("no close frame".into()),
            Error::Io(error) => Self::Dropped(error.to_string()),
            Error::WriteBufferFull(_) => Self::Stalled,
            Error::ConnectionClosed | Error::AlreadyClosed => Self::closed(None),
            error @ (Error::Capacity(_)
            | Error::Protocol(_)
            | Error::AttackAttempt
            | Error::Tls(_)
            | Error::Url(_)
            | Error::Http(_)
            | Error::HttpFormat(_)) => Self::Protocol(error.to_string()),
        }
    }

    /// From what the WebSocket library reported during the handshake.
    pub(crate) fn from_handshake(error: Error) -> Self {
        match error {
            Error::Http(response) => Self::http(&response),
            Error::Tls(error) => Self::Tls(error.to_string()),
            Error::Url(error) => Self::BadUrl(error.to_string()),
            Error::HttpFormat(error) => Self::BadUrl(error.to_string()),
            Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
                Some(tls) => Self::Tls(tls.to_string()),
                None => Self::Dropped(format!("during the handshake: {error}")),
            },
            error @ (Error::Capacity(_)
            | Error::Protocol(_)
            | Error::AttackAttempt
            | Error::Utf8(_)
            | Error::WriteBufferFull(_)
            | Error::ConnectionClosed
            | Error::AlreadyClosed) => Self::Protocol(error.to_string()),
        }
    }

    /// From the server's close frame; RFC 6455 section 7.4.1 names the codes.
    pub(crate) fn closed(frame: Option<&CloseFrame>) -> Self {
        let (code, text) = frame.map_or((1005, ""), |frame| (frame.code.into(), frame.reason.as_str()));
        Self::Closed { code, text: readable(text) }
    }

    fn http(response: &http::Response<Option<Vec<u8>>>) -> Self {
        let header = response.headers().get(http::header::RETRY_AFTER);
        let secs = header.and_then(|value| value.to_str().ok()).and_then(|text| text.trim().parse().ok());
        Self::Http { status: response.status().as_u16(), retry_after: secs.map(Duration::from_secs) }
    }

    /// What to do next.
    pub(crate) fn then(&self) -> Then {
        match self {
            Self::Shutdown => Then::Finish,
            // Our own wish: nobody is annoyed.
            Self::Aged | Self::Changed | Self::Retired | Self::Slept => Then::Reconnect(Pace::AtOnce),
            Self::BadUrl(_) | Self::Failed(Failure { remedy: Remedy::Stop, .. }) => Then::Stop,
            // A 5xx without a wish is a server that restarts; anything else is meant for us.
            Self::Http { status: 500..=599, retry_after: None } => Then::Reconnect(Pace::Usual),
            Self::Http { retry_after, .. } => Then::Reconnect(Pace::Slow { at_least: *retry_after }),
            Self::Failed(Failure { remedy: Remedy::NewCredentials, .. }) | Self::NoToken(_) => Then::LogIn,
            // Codes: 1008 policy, 1013 try again later, 3000 and above: the provider's own refusals.
            Self::Closed { code: 1008 | 1013 | 3000.., .. } => Then::Reconnect(Pace::Slow { at_least: None }),
            Self::Closed { .. }
            | Self::Unresolved(_)
            | Self::Unreachable(_)
            | Self::Tls(_)
            | Self::Slow(_)
            | Self::Dropped(_)
            | Self::Silent(_)
            | Self::Mute(_)
            | Self::Stalled
            | Self::TooLarge { .. }
            | Self::NotUtf8
            | Self::Protocol(_)
            | Self::Announced(_)
            | Self::Failed(Failure { remedy: Remedy::Retry, .. })
            | Self::Errand(_)
            | Self::NoEpoch => Then::Reconnect(Pace::Usual),
        }
    }

    /// What we tell the server.
    pub(crate) fn goodbye(&self) -> CloseCode {
        if let Self::Protocol(_) = self {
            return CloseCode::Protocol;
        }
        match self.rejects() {
            Some("too_large") => CloseCode::Size,
            Some("not_utf8") => CloseCode::Invalid,
            Some(_) | None => CloseCode::Normal,
        }
    }

    /// The reason to count when a frame was read that cannot become a task, and that caused the end.
    pub(crate) fn rejects(&self) -> Option<&'static str> {
        if matches!(self, Self::TooLarge { .. }) {
            return Some("too_large");
        }
        if *self == Self::NoEpoch {
            return Some("no_epoch");
        }
        (*self == Self::NotUtf8).then_some("not_utf8")
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shutdown => f.write_str("the listener stops"),
            Self::BadUrl(problem) => write!(f, "bad url: {problem}"),
            Self::Unresolved(problem) => write!(f, "name not resolved: {problem}"),
            Self::Unreachable(problem) => write!(f, "cannot connect: {problem}"),
            Self::Tls(problem) => write!(f, "no secure connection: {problem}"),
            Self::Http { status, .. } => write!(f, "server refused the WebSocket with HTTP status {status}"),
            Self::Slow(limit) => write!(f, "not connected within {limit:?}"),
            Self::Closed { code, text } if text.is_empty() => write!(f, "server closed: {code} {}", meaning(*code)),
            Self::Closed { code, text } => write!(f, "server closed: {code} {} ({text})", meaning(*code)),
            Self::Dropped(how) => write!(f, "connection lost: {how}"),
            Self::Silent(limit) => write!(f, "silent for {limit:?}"),
            Self::Mute(limit) => write!(f, "no data for {limit:?} while the market is open"),
            Self::Stalled => f.write_str("server does not read what we send"),
            Self::TooLarge { bytes, bytes_max } => write!(f, "message too large: {bytes} bytes of at most {bytes_max}"),
            Self::NotUtf8 => f.write_str("text frame that is no UTF-8"),
            Self::Protocol(problem) => write!(f, "protocol error: {problem}"),
            Self::Announced(text) => write!(f, "server announced its shutdown: {text}"),
            Self::Aged => f.write_str("it reached the age at which the provider cuts connections"),
            Self::Changed => f.write_str("the wanted symbols changed"),
            Self::Slept => f.write_str("this process slept for longer than a lease"),
            Self::Retired => f.write_str("another session carries the streams"),
            Self::Failed(Failure { reason, .. }) => write!(f, "provider reports: {reason}"),
            Self::Errand(problem) => write!(f, "no answer before connecting: {problem}"),
            Self::NoToken(problem) => f.write_str(problem),
            Self::NoEpoch => f.write_str("epoch used up and the broker gives no other"),
        }
    }
}

/// Foreign text on one line and of bounded length.
pub(crate) fn readable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(TEXT_CHARS_MAX).collect()
}

fn meaning(code: u16) -> &'static str {
    match code {
        1000 => "normal end",
        1001 => "going away",
        1002 => "protocol error",
        1003 => "unsupported data",
        1005 => "no reason given",
        1006 => "abnormal end",
        1007 => "invalid data",
        1008 => "policy violation",
        1009 => "message too big",
        1010 => "missing extension",
        1011 => "server error",
        1012 => "service restart",
        1013 => "try again later",
        1014 => "bad gateway",
        1015 => "TLS failure",
        3000..=3999 => "registered code",
        4000..=4999 => "provider's own code",
        _ => "unknown code",
    }
}
