//! The one way to ask a server over HTTP: a few requests before a connection, a token, a symbol master.
//!
//! Errors never name the address: it may hold a secret.

use std::time::Duration;

use tokio::task;
use ureq::Agent;

use crate::feed::{HttpAnswer, HttpMethod, HttpRequest};

/// What one request may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HttpLimits {
    /// From the first packet to the end of the answer.
    pub patience: Duration,
    /// Largest answer in bytes; a larger one is an error.
    pub answer_bytes_max: u64,
    /// Redirects that are followed. With none, a redirect is an answer like any other. Followed or not, a header
    /// `Authorization` stays at the first host.
    pub redirects_max: u32,
}

/// Why there is no answer. A status such as 404 or 500 is an answer.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// The address is no URL.
    #[error("the address is no URL")]
    BadAddress,
    /// Not connected, cut off, too slow, too large.
    #[error("{0}")]
    NoAnswer(String),
    /// A bug here.
    #[error("broke down by a bug: {0}")]
    Broke(String),
}

/// Without the address.
impl From<ureq::Error> for HttpError {
    fn from(error: ureq::Error) -> Self {
        if matches!(error, ureq::Error::BadUri(_)) { Self::BadAddress } else { Self::NoAnswer(error.to_string()) }
    }
}

/// Sends `request` and reads the whole answer.
///
/// # Cancel safety
/// Dropping the future leaves the request to end by itself within its patience.
pub async fn send(request: HttpRequest, limits: HttpLimits) -> Result<HttpAnswer, HttpError> {
    // ureq blocks; requests are few, so each may have a thread for its time.
    match task::spawn_blocking(move || exchange(request, limits)).await {
        Ok(answer) => Ok(answer?),
        Err(broken) => Err(HttpError::Broke(broken.to_string())),
    }
}

/// Reads the file at `url`: its bytes as they are sent, with the answer's status. Blocks: for a thread of its own.
pub fn download(url: &str, limits: HttpLimits) -> Result<(u16, Vec<u8>), HttpError> {
    let read = || -> Result<_, ureq::Error> {
        let mut answer = agent(limits).get(url).call()?;
        let status = answer.status().as_u16();
        Ok((status, answer.body_mut().with_config().limit(limits.answer_bytes_max).read_to_vec()?))
    };
    read().map_err(HttpError::from)
}

fn exchange(request: HttpRequest, limits: HttpLimits) -> Result<HttpAnswer, ureq::Error> {
    let agent = agent(limits);
    let mut answer = match (request.method, request.body) {
        (HttpMethod::Get, _) => with_headers(agent.get(&request.url), &request.headers).call()?,
        (HttpMethod::Post, body) => with_headers(agent.post(&request.url), &request.headers)
            .content_type("application/json")
            .send(body.unwrap_or_default())?,
    };
    let status = answer.status().as_u16();
    let bytes = answer.body_mut().with_config().limit(limits.answer_bytes_max).read_to_vec()?;
    Ok(HttpAnswer { status, body: String::from_utf8_lossy(&bytes).into_owned() })
}

fn agent(limits: HttpLimits) -> Agent {
    Agent::config_builder()
        .timeout_global(Some(limits.patience))
        .http_status_as_error(false) // who asks reads the server's own errors
        .max_redirects(limits.redirects_max)
        .redirect_auth_headers(ureq::config::RedirectAuthHeaders::Never)
        .user_agent(concat!("tidemill/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}

fn with_headers<B>(request: ureq::RequestBuilder<B>, headers: &[(&'static str, String)]) -> ureq::RequestBuilder<B> {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
}
