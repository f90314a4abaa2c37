//! A task and its wire form: one JSON object, one list element, readable in `redis-cli`.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::clock::UnixMicros;
use crate::market::{Epoch, OrderKey};

/// The newest version of the wire form. Optional fields may be added; a changed meaning needs the next number.
pub const WIRE_VERSION: u32 = 1;

/// One market-data message on a queue, borrowed from its wire form.
///
/// ```json
/// {"v":1,"feed":"binance","kind":"trade","conn":3,"epoch":2171190000,"seq":17,"at":1763726400000000,"attempt":0,
///  "body":{"stream":"btcusdt@trade","data":{}}}
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Task<'a> {
    /// Version of the wire form.
    pub v: u32,
    /// Name of the feed whose decoder reads the body.
    #[serde(borrow)]
    pub feed: Cow<'a, str>,
    /// What the feed calls this kind of message, e.g. `trade`.
    #[serde(borrow)]
    pub kind: Cow<'a, str>,
    /// The connection it came over, counted from 1 within the listener.
    pub conn: u32,
    /// The epoch of the shard's subscription.
    pub epoch: Epoch,
    /// The message's place within the epoch.
    pub seq: u32,
    /// When the listener received it: microseconds since 1970.
    pub at: UnixMicros,
    /// How often storing it has failed for a reason of its own.
    #[serde(default)]
    pub attempt: u32,
    /// The provider's message, kept whole.
    #[serde(borrow)]
    pub body: &'a RawValue,
}

/// An element of a queue that is no task of ours.
#[derive(Debug, thiserror::Error)]
pub enum BadTask {
    /// Not UTF-8, not JSON, or not our fields.
    #[error("not a task: {0}")]
    Malformed(#[from] serde_json::Error),
    /// Written by a newer program.
    #[error("wire version {0} is newer than this program reads ({WIRE_VERSION})")]
    UnknownVersion(u32),
    /// A seq of more than 30 bits.
    #[error("seq {0} is too large")]
    SeqTooLarge(u32),
}

impl<'a> Task<'a> {
    /// Reads a queue's element.
    pub fn decode(element: &'a [u8]) -> Result<Self, BadTask> {
        let task: Self = serde_json::from_slice(element)?;
        if WIRE_VERSION < task.v {
            return Err(BadTask::UnknownVersion(task.v));
        }
        OrderKey::new(task.epoch, task.seq).ok_or(BadTask::SeqTooLarge(task.seq))?;
        Ok(task)
    }

    /// Appends the wire form to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        serde_json::to_writer(out, self).expect("strings, numbers and raw JSON always serialise to memory");
    }

    /// The wire form.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.body.get().len() + 160);
        self.encode_into(&mut out);
        out
    }

    /// The order of this message among all of the deployment. `None` only for a task that was not decoded.
    pub fn order(&self) -> Option<OrderKey> {
        OrderKey::new(self.epoch, self.seq)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIRE: &str = concat!(
        r#"{"v":1,"feed":"binance","kind":"trade","conn":3,"epoch":2171190000,"seq":17,"at":1763726400000000,"#,
        r#""attempt":0,"body":{"stream":"btcusdt@trade","data":{"p":"61685.99000000"}}}"#
    );

    #[test]
    fn the_wire_form_is_frozen() {
        let body: &RawValue =
            serde_json::from_str(r#"{"stream":"btcusdt@trade","data":{"p":"61685.99000000"}}"#).unwrap();
        let task = Task {
            v: WIRE_VERSION,
            feed: "binance".into(),
            kind: "trade".into(),
            conn: 3,
            epoch: Epoch::new(2_171_190_000).unwrap(),
            seq: 17,
            at: UnixMicros(1_763_726_400_000_000),
            attempt: 0,
            body,
        };
        assert_eq!(String::from_utf8(task.encode()).unwrap(), WIRE);
    }

    #[test]
    fn what_is_encoded_is_decoded_unchanged() {
        let task = Task::decode(WIRE.as_bytes()).unwrap();
        assert_eq!(task.encode(), WIRE.as_bytes());
    }

    #[test]
    fn a_reader_ignores_fields_it_does_not_know() {
        let newer = WIRE.replacen('{', r#"{"trace":"00-ab","#, 1);
        assert_eq!(Task::decode(newer.as_bytes()).unwrap().seq, 17);
    }

    #[test]
    fn a_newer_version_is_refused_by_name() {
        let newer = WIRE.replace("\"v\":1", "\"v\":2");
        assert!(matches!(Task::decode(newer.as_bytes()), Err(BadTask::UnknownVersion(2))));
    }

    #[test]
    fn garbage_is_an_error_and_never_a_panic() {
        let deep = "[".repeat(100_000);
        for garbage in ["", "null", "{}", "\u{feff}{}", "{\"v\":\"1\"}", deep.as_str(), &WIRE[..WIRE.len() - 1]] {
            assert!(matches!(Task::decode(garbage.as_bytes()), Err(BadTask::Malformed(_))));
        }
        assert!(Task::decode(b"\xff\xfe").is_err());
        let endless = WIRE.replace("\"seq\":17", "\"seq\":4294967295");
        assert!(matches!(Task::decode(endless.as_bytes()), Err(BadTask::SeqTooLarge(_))));
    }
}
