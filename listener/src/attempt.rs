//! One attempt to open a connection: epoch, place in the queue of attempts, credential, errands, handshake.

use std::sync::Arc;

use common::clock;
use common::feed::{Endpoints, Failure, FeedSession, Reading, Remedy, SessionRequest, Topic};
use common::market::Epoch;
use tokio::time;

use crate::dial;
use crate::ending::End;
use crate::errand;
use crate::shard::Shard;
use crate::wire::Wire;

/// A connection that is up, before its first frame.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) protocol: Box<dyn FeedSession>,
    /// What it was opened for.
    pub(crate) topics: Arc<[Topic]>,
    pub(crate) wire: Wire,
    pub(crate) epoch: Epoch,
    /// What the errands brought back.
    pub(crate) readings: Vec<Reading<'static>>,
}

impl Shard {
    /// Opens a connection for the topics that are wanted now.
    pub(crate) async fn open(&self) -> Result<Opened, End> {
        let options = &self.context.options;
        // Before connecting: while the broker is away there would be nobody to answer the provider's pings.
        let epoch = self.context.epochs.next().await;
        time::sleep_until(self.context.gate.reserve(clock::monotonic()).into()).await;
        self.cell.update(|state| state.attempts += 1);
        let credential = self.credential().await?;
        let http = options.http_endpoint();
        let topics = Arc::clone(&self.topics.borrow());
        let catalog = options.catalog.current();
        let request = SessionRequest {
            endpoints: Endpoints { socket: options.socket_endpoint(), http: &http },
            topics: &topics,
            credential: credential.as_ref(),
            catalog: &catalog,
            now: clock::now(),
        };
        let mut protocol = options.feed.session(&request).map_err(End::Failed)?;
        let mut readings = Vec::new();
        let errands = errand::run(&mut *protocol, &mut readings).await?;
        if let Some(failure) = readings.iter().find_map(failure) {
            return Err(End::Failed(failure));
        }
        let bytes_max = options.feed.limits().message_bytes_max;
        let wire = dial::dial(&*protocol, bytes_max, options.link.connect_max)
            .await
            .map_err(|end| classed(end, options.feed.credential().is_some() && errands == 0))?;
        Ok(Opened { protocol, topics, wire, epoch, readings })
    }
}

/// A handshake that is refused for want of rights wants another credential, if it `shows_credential`. After an errand it
/// does not: the errand has shown it and was served, so what is refused is the one-time address that it brought back.
fn classed(end: End, shows_credential: bool) -> End {
    let End::Http { status: status @ (401 | 403), .. } = end else { return end };
    if !shows_credential {
        return end;
    }
    let reason = format!("handshake refused with HTTP status {status}").into();
    End::Failed(Failure { remedy: Remedy::NewCredentials, reason })
}

fn failure(reading: &Reading<'_>) -> Option<Failure> {
    if let Reading::Failed(failure) = reading { Some(failure.clone()) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_handshake_that_shows_the_credential_can_ask_for_another_one() {
        let refused = |status| End::Http { status, retry_after: None };
        for status in [401, 403] {
            let wants_login = |end| matches!(end, End::Failed(Failure { remedy: Remedy::NewCredentials, .. }));
            assert!(wants_login(classed(refused(status), true)));
            assert_eq!(classed(refused(status), false), refused(status), "a used code is no bad token");
        }
        assert_eq!(classed(refused(429), true), refused(429));
    }
}
