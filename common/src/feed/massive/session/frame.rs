//! One element of a frame's array, as deep as routing needs.

use std::borrow::Cow;

use serde::Deserialize;

use crate::feed::loose::Loose;

/// A status message, or market data.
pub(super) enum Element<'f> {
    Status(Status<'f>),
    Event {
        /// Its name, e.g. `T`.
        kind: Cow<'f, str>,
        /// Its ticker; empty where none is found.
        key: Cow<'f, str>,
        /// `q`: grows with every event of its ticker and kind, though not by one.
        number: Option<Loose<'f>>,
    },
}

/// `{"ev":"status","status":"connected","message":"Connected Successfully"}`
pub(super) struct Status<'f> {
    name: Option<Cow<'f, str>>,
    message: Option<Cow<'f, str>>,
}

impl Status<'_> {
    /// What kind of status.
    pub(super) fn name(&self) -> &str {
        self.name.as_deref().unwrap_or_default()
    }

    /// The words for people.
    pub(super) fn message(&self) -> &str {
        self.message.as_deref().unwrap_or("no reason given")
    }
}

#[derive(Deserialize)]
struct Head<'f> {
    #[serde(borrow)]
    ev: Option<Loose<'f>>,
    #[serde(borrow)]
    status: Option<Loose<'f>>,
    #[serde(borrow)]
    message: Option<Loose<'f>>,
    #[serde(borrow)]
    sym: Option<Loose<'f>>,
    #[serde(borrow)]
    pair: Option<Loose<'f>>,
    #[serde(borrow, rename = "T")]
    ticker: Option<Loose<'f>>,
    /// A price, or the pair of a quote of currencies.
    #[serde(borrow)]
    p: Option<Loose<'f>>,
    #[serde(borrow)]
    q: Option<Loose<'f>>,
}

impl<'f> Element<'f> {
    /// `None` when `json` is no message of Massive's.
    pub(super) fn read(json: &'f str) -> Option<Self> {
        if !json.starts_with('{') {
            return None; // an array would be read as an object's fields in order
        }
        let Head { ev, status, message, sym, pair, ticker, p, q } = serde_json::from_str::<Head<'f>>(json).ok()?;
        let kind = ev?.text().filter(|kind| !kind.is_empty())?;
        if kind == "status" {
            let text = |value: Option<Loose<'f>>| value.and_then(Loose::text);
            return Some(Self::Status(Status { name: text(status), message: text(message) }));
        }
        let key = [sym, pair, ticker, p].into_iter().flatten().find_map(Loose::text);
        Some(Self::Event { kind, key: key.unwrap_or_default(), number: q })
    }
}
