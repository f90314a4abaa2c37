//! The list of a roster's events on Redis: a sorted set by revision.

use redis::Value;

use super::{RedisBroker, reply, scripts};
use crate::broker::BrokerError;
use crate::clock;
use crate::roster::{BadEvent, RosterEvent, RosterNews};

/// Events that one look at Redis brings.
const EVENTS_AT_ONCE: usize = 1_000;
/// Events that are put together at once; the next append takes the rest.
const COMPACTED_MAX: usize = 10_000;

impl RedisBroker {
    /// Appends events under the group's `prefix`, and puts old ones together when there are many.
    pub(super) async fn append(&self, prefix: &str, events: &[RosterEvent]) -> Result<u64, BrokerError> {
        if RosterEvent::APPEND_MAX < events.len() {
            let most = RosterEvent::APPEND_MAX;
            return Err(self.link.unexpected(format!("{} events in one append; at most {most} go", events.len())));
        }
        let mut call = scripts::ROSTER_APPEND.on(prefix);
        call.arg(RosterEvent::EVENTS_MAX);
        for event in events {
            call.arg(event.encode());
        }
        let answer = self.link.run(&scripts::ROSTER_APPEND, call).await?;
        let [outcome, revision, count] = self.expect(reply::array(answer), "no outcome of an append")?;
        let revision = self.expect(reply::count(&revision), "no revision")?;
        match reply::text(&outcome) {
            Some("appended" | "already") => {}
            Some("full") => return Err(self.full()),
            _ => return Err(self.link.unexpected(outcome)),
        }
        let count = usize::try_from(reply::count(&count).unwrap_or(0)).unwrap_or(usize::MAX);
        if RosterEvent::COMPACT_ABOVE < count
            && let Err(error) = self.compact(prefix, count - RosterEvent::KEPT).await
        {
            // The events are in the list, which is what was asked for. The next append tries again.
            tracing::warn!(%error, "the roster's old events could not be put together");
        }
        Ok(revision)
    }

    /// What happened after `since`, under the group's `prefix`.
    pub(super) async fn since(&self, prefix: &str, since: u64) -> Result<RosterNews, BrokerError> {
        let mut news = RosterNews { revision: since, ..RosterNews::default() };
        loop {
            let (is_restart, revision, events) = self.page(prefix, news.revision, EVENTS_AT_ONCE).await?;
            if is_restart {
                // Also in the middle: old events were put together while we read them.
                (news.events, news.is_restart) = (Vec::new(), true);
            }
            news.revision = revision;
            let is_last = events.len() < EVENTS_AT_ONCE;
            for event in events {
                news.events.push(RosterEvent::decode(&event).map_err(|bad| self.not_ours(&bad))?);
            }
            if is_last {
                return Ok(news);
            }
        }
    }

    async fn page(&self, prefix: &str, since: u64, most: usize) -> Result<(bool, u64, Vec<String>), BrokerError> {
        let mut call = scripts::ROSTER_SINCE.on(prefix);
        call.arg(since).arg(most);
        let answer = self.link.run(&scripts::ROSTER_SINCE, call).await?;
        let page = reply::array(answer).and_then(|[restart, revision, events]: [Value; 3]| {
            let events = reply::list(events)?;
            let events: Option<_> = events.iter().map(|event| reply::text(event).map(str::to_owned)).collect();
            Some((reply::count(&restart)? != 0, reply::count(&revision)?, events?))
        });
        self.expect(page, "no page of a roster")
    }

    /// Puts the oldest `count` events together.
    async fn compact(&self, prefix: &str, count: usize) -> Result<(), BrokerError> {
        let (_, upto, old) = self.page(prefix, 0, count.min(COMPACTED_MAX)).await?;
        let old: Result<Vec<RosterEvent>, BadEvent> = old.iter().map(|event| RosterEvent::decode(event)).collect();
        let old = old.map_err(|bad| self.not_ours(&bad))?;
        let mut call = scripts::ROSTER_COMPACT.on(prefix);
        call.arg(upto).arg(RosterEvent::snapshot(&old, clock::now()).encode());
        self.link.run(&scripts::ROSTER_COMPACT, call).await.map(drop)
    }

    fn full(&self) -> BrokerError {
        BrokerError::Unfit {
            place: self.link.place().to_owned(),
            problem: format!("the roster has {} events that cannot be put together", RosterEvent::EVENTS_MAX),
            fix: "remove by hand the event that cannot be read; nothing was changed".to_owned(),
        }
    }

    fn not_ours(&self, bad: &BadEvent) -> BrokerError {
        BrokerError::Unfit { place: self.link.place().to_owned(), problem: bad.to_string(), fix: bad.fix().to_owned() }
    }
}
