//! The name of a queue.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A queue's name, checked: it becomes part of keys, so it holds letters, digits and `_ - .` only.
///
/// The name is also the key of the pending list on Redis, as in Celery, so that other clients can share the queue.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QueueName(Box<str>);

/// A queue's name that cannot be a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no queue name: 1 to 100 letters, digits, `_`, `-` or `.`")]
pub struct BadQueueName(String);

impl QueueName {
    const LENGTH_MAX: usize = 100;

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for QueueName {
    type Err = BadQueueName;

    fn from_str(name: &str) -> Result<Self, BadQueueName> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let good = (1..=Self::LENGTH_MAX).contains(&name.len()) && name.chars().all(allowed);
        if good { Ok(Self(name.into())) } else { Err(BadQueueName(name.chars().take(Self::LENGTH_MAX).collect())) }
    }
}

impl TryFrom<String> for QueueName {
    type Error = BadQueueName;

    fn try_from(name: String) -> Result<Self, BadQueueName> {
        name.parse()
    }
}

impl From<QueueName> for String {
    fn from(name: QueueName) -> Self {
        name.0.into()
    }
}

impl fmt::Display for QueueName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
