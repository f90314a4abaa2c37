//! Tasks that were given up, kept until a person decides. Never trimmed.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::clock::UnixMicros;

/// Names a dead letter; sorts by the time of death.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeadId(Uuid);

impl DeadId {
    /// A new name.
    pub fn fresh() -> Self {
        Self(Uuid::now_v7())
    }
}

impl FromStr for DeadId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        Uuid::try_parse(text).map(Self)
    }
}

impl fmt::Display for DeadId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_hyphenated().fmt(f)
    }
}

/// A task that was given up, with its original bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// Its name.
    pub id: DeadId,
    /// Why, in one word: `malformed`, `row`, `crash`, `unknown_ticker`, ...
    pub reason: Box<str>,
    /// SQLSTATE of the refusal, where a database refused it.
    pub code: Option<Box<str>>,
    /// What was said, in full.
    pub error: String,
    /// The symbol it was about, where that could be read.
    pub symbol: Option<Box<str>>,
    /// How often storing it was tried.
    pub attempts: u32,
    /// Who gave it up.
    pub worker: Box<str>,
    /// When.
    pub died_at: UnixMicros,
    /// The queue's element, byte for byte. In JSON: text, or an array of numbers when it is no UTF-8.
    #[serde(with = "bytes_as_text")]
    pub task: Vec<u8>,
}

/// Which dead letters are meant. All conditions must hold; none means all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadFilter {
    /// Only this one.
    pub id: Option<DeadId>,
    /// Only those with this reason.
    pub reason: Option<Box<str>>,
    /// Only those with this SQLSTATE.
    pub code: Option<Box<str>>,
    /// Only those about this symbol.
    pub symbol: Option<Box<str>>,
    /// Only those given up before this moment.
    pub died_before: Option<UnixMicros>,
}

impl DeadFilter {
    /// Whether `letter` is meant.
    pub fn matches(&self, letter: &DeadLetter) -> bool {
        self.id.is_none_or(|id| id == letter.id)
            && self.reason.as_ref().is_none_or(|reason| *reason == letter.reason)
            && self.code.as_ref().is_none_or(|code| Some(code) == letter.code.as_ref())
            && self.symbol.as_ref().is_none_or(|symbol| Some(symbol) == letter.symbol.as_ref())
            && self.died_before.is_none_or(|before| letter.died_at < before)
    }
}

/// A page of dead letters, oldest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DeadPage {
    /// The letters.
    pub letters: Vec<DeadLetter>,
    /// Where the next page starts; `None` at the end.
    pub next: Option<DeadId>,
}

/// Text stays readable; bytes that are no UTF-8 survive as an array of numbers.
mod bytes_as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Form {
        Text(String),
        Bytes(Vec<u8>),
    }

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => serializer.collect_seq(bytes), // said in the module's words: not text, so numbers
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        Ok(match Form::deserialize(deserializer)? {
            Form::Text(text) => text.into_bytes(),
            Form::Bytes(bytes) => bytes,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_original_bytes_survive_even_when_they_are_no_text() {
        for task in [&b"{\"v\":1}"[..], b"\xff\x00\xfe", b""] {
            let letter = DeadLetter {
                id: DeadId::fresh(),
                reason: "malformed".into(),
                code: None,
                error: "not a task".into(),
                symbol: None,
                attempts: 1,
                worker: "w1".into(),
                died_at: UnixMicros(1),
                task: task.to_vec(),
            };
            let text = serde_json::to_string(&letter).unwrap();
            assert_eq!(serde_json::from_str::<DeadLetter>(&text).unwrap(), letter);
        }
    }
}
