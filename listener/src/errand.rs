//! Runs a session's errands: what a provider must be asked over HTTP before a connection can be opened.

use std::time::Duration;

use common::feed::{FeedSession, HttpAnswer, HttpMethod, HttpRequest, Reading};
use common::http;
use tokio::task;

use crate::ending::{End, readable};

/// One request, from the first packet to the end of its answer.
const ERRAND_MAX: Duration = Duration::from_secs(15);

/// Largest answer. Fyers' answer for 500 symbols has about 30 KiB.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// Most errands of one session: the symbols of the largest plan in the smallest batches.
const ERRANDS_MAX: usize = 200;

/// Runs every errand of `protocol`; what the answers mean is appended to `out`.
pub(crate) async fn run(protocol: &mut dyn FeedSession, out: &mut Vec<Reading<'static>>) -> Result<(), End> {
    for _ in 0..ERRANDS_MAX {
        let Some(request) = protocol.errand() else { return Ok(()) };
        let answer = send(request).await?;
        protocol.returned(&answer, out);
        if out.iter().any(|reading| matches!(reading, Reading::Failed(_))) {
            return Ok(());
        }
    }
    Err(End::Errand(format!("more than {ERRANDS_MAX} requests before connecting")))
}

async fn send(request: HttpRequest) -> Result<HttpAnswer, End> {
    // ureq blocks; errands are few, so each may have a thread for its time.
    match task::spawn_blocking(move || exchange(request)).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(End::Errand(readable(&http::without_url(&error)))),
        Err(broken) => Err(End::Errand(format!("broke down by a bug: {broken}"))),
    }
}

fn exchange(request: HttpRequest) -> Result<HttpAnswer, ureq::Error> {
    let agent = http::agent(ERRAND_MAX);
    let mut answer = match (request.method, request.body) {
        (HttpMethod::Get, _) => with_headers(agent.get(&request.url), &request.headers).call()?,
        (HttpMethod::Post, body) => with_headers(agent.post(&request.url), &request.headers)
            .content_type("application/json")
            .send(body.unwrap_or_default())?,
    };
    let status = answer.status().as_u16();
    let bytes = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_vec()?;
    Ok(HttpAnswer { status, body: String::from_utf8_lossy(&bytes).into_owned() })
}

fn with_headers<B>(request: ureq::RequestBuilder<B>, headers: &[(&'static str, String)]) -> ureq::RequestBuilder<B> {
    headers.iter().fold(request, |request, (name, value)| request.header(*name, value))
}
