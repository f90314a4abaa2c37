//! The name of a group of listeners.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::queue::{BadQueueName, QueueName};

/// Listeners of one group share one list of symbols. Spelt like a queue's name, because it becomes part of keys too.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct GroupName(QueueName);

/// A group's name that cannot be part of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no group name: 1 to 100 letters, digits, `_`, `-` or `.`")]
pub struct BadGroupName(String);

impl GroupName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for GroupName {
    type Err = BadGroupName;

    fn from_str(name: &str) -> Result<Self, BadGroupName> {
        name.parse().map(Self).map_err(|_same: BadQueueName| BadGroupName(name.chars().take(100).collect()))
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_named_like_a_queue() {
        assert_eq!("binance.spot-2_a".parse::<GroupName>().unwrap().as_str(), "binance.spot-2_a");
        for bad in ["", "a b", "a{b}", &"x".repeat(101)] {
            assert!(bad.parse::<GroupName>().unwrap_err().to_string().contains("is no group name"), "{bad}");
        }
    }
}
