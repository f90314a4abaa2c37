//! What a test found. Pure.

use common::feed::{self, DecodeError};
use common::market::{Catalog, Observation, Price};
use common::presence::{ConnectionState, Link};
use common::queue::Task;
use serde::Serialize;

use crate::exit::Exit;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Report {
    pub(super) schema: u32,
    pub(super) feed: &'static str,
    /// Where it connected, without secrets.
    pub(super) endpoint: String,
    pub(super) token: TokenFound,
    /// Those that were tried.
    pub(super) symbols: Vec<String>,
    pub(super) result: Verdict,
    /// As it was in the end; `None` when none was tried.
    pub(super) connection: Option<ConnectionState>,
    /// The first message.
    pub(super) first: Option<First>,
    /// Until the first message, or until nobody waited any longer.
    pub(super) took_ms: u64,
}

/// What may be shown of the token.
#[derive(Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum TokenFound {
    NotWanted,
    Fingerprint(String),
    /// What each source said.
    Missing(Vec<String>),
}

impl TokenFound {
    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Missing(_))
    }
}

/// What came of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Verdict {
    /// Data came and could be read.
    Works,
    /// Data came, and this program cannot read it.
    Unreadable,
    /// Connected, but no data in time.
    Silent,
    NotConnected,
}

impl Verdict {
    pub(super) fn of(connection: Option<&ConnectionState>, first: Option<&First>) -> Self {
        if let Some(first) = first {
            return if first.problem.is_some() { Self::Unreadable } else { Self::Works };
        }
        // A connection that ended again had been there if it ever brought a frame.
        let was_there = |connection: &ConnectionState| {
            matches!(connection.state, Link::Subscribing | Link::Live) || connection.last_frame_at.is_some()
        };
        if connection.is_some_and(was_there) { Self::Silent } else { Self::NotConnected }
    }

    pub(super) fn exit(self) -> Exit {
        match self {
            Self::Works => Exit::Ok,
            Self::Unreadable | Self::Silent => Exit::Degraded,
            Self::NotConnected => Exit::Failed,
        }
    }
}

/// The first data message.
#[derive(Debug, Default, Serialize)]
pub(super) struct First {
    /// What the feed calls it.
    pub(super) kind: String,
    pub(super) ticks: Vec<Seen>,
    /// Why the worker would pass over it: no error.
    pub(super) skipped: Option<&'static str>,
    /// Why it cannot be read.
    pub(super) problem: Option<String>,
}

/// One observation.
#[derive(Debug, Serialize)]
pub(super) struct Seen {
    pub(super) symbol: String,
    /// `None` where neither grammar nor master knows the symbol.
    pub(super) instrument: Option<String>,
    pub(super) last: Option<String>,
    pub(super) bid: Option<String>,
    pub(super) ask: Option<String>,
}

impl First {
    /// Reads a task as a worker does.
    pub(super) fn read(task: &[u8], catalog: &Catalog) -> Self {
        let task = match Task::decode(task) {
            Ok(task) => task,
            Err(error) => return Self { problem: Some(error.to_string()), ..Self::default() },
        };
        let mut first = Self { kind: task.kind.to_string(), ..Self::default() };
        let Some(feed) = feed::by_name(&task.feed) else {
            first.problem = Some(format!("this program has no feed {:?}", task.feed));
            return first;
        };
        let mut observations = Vec::new();
        match feed.decode(&task.kind, task.body.get(), &mut observations) {
            Ok(()) => {}
            Err(DecodeError::Skip(reason)) => first.skipped = Some(reason),
            Err(error @ (DecodeError::Malformed { .. } | DecodeError::Number { .. })) => {
                first.problem = Some(error.to_string());
            }
        }
        let seen = |Observation { symbol, fields, .. }: Observation<'_>| Seen {
            instrument: catalog.instrument(feed, &symbol).ok().map(|instrument| instrument.to_string()),
            symbol: symbol.into_owned(),
            last: digits(fields.last_price),
            bid: digits(fields.bid_price),
            ask: digits(fields.ask_price),
        };
        first.ticks = observations.into_iter().map(seen).collect();
        first
    }
}

/// All of them: a JSON number would be read as a float by most.
fn digits(price: Option<Price>) -> Option<String> {
    price.map(|price| price.get().to_string())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::feed::trial) fn task(kind: &str, body: &str) -> Vec<u8> {
        let head = r#"{"v":1,"feed":"binance","conn":1,"epoch":2171190000,"seq":0,"at":1763726400000000"#;
        format!(r#"{head},"kind":"{kind}","body":{body}}}"#).into_bytes()
    }

    #[test]
    fn a_message_that_no_worker_could_read_is_no_success() {
        let catalog = Catalog::default();
        for (kind, body, verdict) in [
            ("trade", r#"{"stream":"x@trade","data":{}}"#, Verdict::Unreadable),
            ("a_new_kind", r#"{"stream":"x@new","data":{}}"#, Verdict::Works),
        ] {
            let first = First::read(&task(kind, body), &catalog);
            assert_eq!(Verdict::of(None, Some(&first)), verdict, "{first:?}");
        }
        assert_eq!(Verdict::of(None, Some(&First::read(b"no task", &catalog))), Verdict::Unreadable);
    }

    #[test]
    fn a_connection_without_data_is_told_from_none() {
        assert_eq!(Verdict::of(None, None).exit(), Exit::Failed);
        for (state, exit) in [
            (Link::Connecting, Exit::Failed),
            (Link::Reconnecting, Exit::Failed),
            (Link::NeedsLogin, Exit::Failed),
            (Link::Subscribing, Exit::Degraded),
            (Link::Live, Exit::Degraded),
        ] {
            let mut connection = connection(state);
            assert_eq!(Verdict::of(Some(&connection), None).exit(), exit, "{state:?}");
            connection.last_frame_at = Some(common::clock::UnixMicros(1));
            assert_eq!(Verdict::of(Some(&connection), None).exit(), Exit::Degraded, "{state:?}");
        }
    }

    pub(in crate::feed::trial) fn connection(state: Link) -> ConnectionState {
        let record = r#"{"conn":1,"feed":"binance","state":"live","symbols":2,"confirmed":1,"messages":0,"errors":0,
            "last_frame_at":null,"last_message_at":null,"attempts":2,"reconnects":1,"reason":"the server closed it",
            "next_attempt_at":null,"refused":{"ETHUSDT":"no such symbol"}}"#;
        ConnectionState { state, ..serde_json::from_str(record).unwrap() }
    }
}
