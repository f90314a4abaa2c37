//! A hole in a provider's stream, as a task of its own: as durable as the ticks around it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::UnixMicros;

/// The kind of a gap's task. No feed may call its own messages so.
pub const GAP_KIND: &str = "gap";

/// What the body of a gap's task holds. What is not known is null, never zero.
///
/// ```json
/// {"symbol":"BTCUSDT","stream":"btcusdt@trade","kind":"trade","from":101,"to":104,"missing":4,
///  "since":1763726400000000,"until":1763726400250000,"reason":"sequence"}
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap<'a> {
    /// The symbol, as the provider spells it, where the hole is in the stream of one symbol.
    #[serde(default)]
    pub symbol: Option<Cow<'a, str>>,
    /// The stream, as the feed calls it; `*` for all streams of the connection.
    pub stream: Cow<'a, str>,
    /// What the feed calls the messages that are missing; `*` for all kinds.
    pub kind: Cow<'a, str>,
    /// The provider's number of the first missing message.
    #[serde(default)]
    pub from: Option<i64>,
    /// The provider's number of the last missing message.
    #[serde(default)]
    pub to: Option<i64>,
    /// How many messages are missing.
    #[serde(default)]
    pub missing: Option<u64>,
    /// When the last message before the hole was received.
    #[serde(default)]
    pub since: Option<UnixMicros>,
    /// When the first message behind the hole was received.
    pub until: UnixMicros,
    /// How it came about.
    pub reason: GapReason,
}

/// How a hole came about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapReason {
    /// The provider's numbers jump within one session.
    Sequence,
    /// Between the end of a session and the first message of the next one.
    Reconnect,
    /// We gave messages up under the overflow policy.
    Shed,
}

impl GapReason {
    /// As the wire and the table spell it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Sequence => "sequence",
            Self::Reconnect => "reconnect",
            Self::Shed => "shed",
        }
    }
}

impl fmt::Display for GapReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl<'a> Gap<'a> {
    /// Reads the body of its task.
    pub fn decode(body: &'a str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(body)
    }

    /// The body of its task: one JSON object.
    pub fn to_body(&self) -> String {
        serde_json::to_string(self).expect("text and numbers always serialise to memory")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &str = concat!(
        r#"{"symbol":"BTCUSDT","stream":"btcusdt@trade","kind":"trade","from":101,"to":104,"missing":4,"#,
        r#""since":1763726400000000,"until":1763726400250000,"reason":"sequence"}"#
    );

    #[test]
    fn the_body_is_frozen() {
        let gap = Gap {
            symbol: Some("BTCUSDT".into()),
            stream: "btcusdt@trade".into(),
            kind: "trade".into(),
            from: Some(101),
            to: Some(104),
            missing: Some(4),
            since: Some(UnixMicros(1_763_726_400_000_000)),
            until: UnixMicros(1_763_726_400_250_000),
            reason: GapReason::Sequence,
        };
        assert_eq!(gap.to_body(), BODY);
        assert_eq!(Gap::decode(BODY).unwrap(), gap);
    }

    #[test]
    fn a_hole_of_unknown_size_has_no_numbers() {
        let body = r#"{"stream":"*","kind":"*","until":5,"reason":"reconnect","later_field":1}"#;
        let gap = Gap::decode(body).unwrap();
        assert_eq!((gap.symbol, gap.from, gap.to, gap.missing, gap.since), (None, None, None, None, None));
    }

    #[test]
    fn every_reason_is_spelt_alike_on_the_wire_and_in_the_table() {
        for reason in [GapReason::Sequence, GapReason::Reconnect, GapReason::Shed] {
            assert_eq!(serde_json::to_string(&reason).unwrap(), format!("\"{reason}\""));
        }
    }
}
