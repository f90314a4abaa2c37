//! Runs a session's errands: what a provider must be asked over HTTP before a connection can be opened.

use std::time::Duration;

use common::feed::{FeedSession, Reading};
use common::http::{self, HttpLimits};

use crate::ending::{End, readable};

/// Fyers' answer for 500 symbols has about 30 KiB.
const LIMITS: HttpLimits =
    HttpLimits { patience: Duration::from_secs(15), answer_bytes_max: 8 << 20, redirects_max: 3 };

/// Most errands of one session: the symbols of the largest plan in the smallest batches.
const ERRANDS_MAX: usize = 200;

/// Runs every errand of `protocol`, and says how many there were; what the answers mean is appended to `out`.
pub(crate) async fn run(protocol: &mut dyn FeedSession, out: &mut Vec<Reading<'static>>) -> Result<usize, End> {
    for done in 0..ERRANDS_MAX {
        let Some(request) = protocol.errand() else { return Ok(done) };
        let answer = http::send(request, LIMITS).await.map_err(|error| End::Errand(readable(&error.to_string())))?;
        protocol.returned(&answer, out);
        if out.iter().any(|reading| matches!(reading, Reading::Failed(_))) {
            return Ok(done + 1);
        }
    }
    Err(End::Errand(format!("more than {ERRANDS_MAX} requests before connecting")))
}
