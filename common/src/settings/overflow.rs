//! What a listener does when its buffer is full.

use std::fmt;
use std::str::FromStr;

/// What happens to a message that finds the buffer full.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Overflow {
    /// The oldest message that a newer one of its connection, key and kind replaces is given up; only when there is
    /// none, the oldest of all.
    #[default]
    Merge,
    /// Messages go to disk. Not built yet: a listener refuses it.
    Spool,
    /// The socket is not read until there is room. Nothing is given up here, but the provider may cut a slow reader, and
    /// its pings stay unread behind the data; we send unasked pongs meanwhile.
    Block,
    /// The oldest message is given up.
    DropOldest,
}

impl Overflow {
    const ALL: [Self; 4] = [Self::Merge, Self::Spool, Self::Block, Self::DropOldest];

    /// Its name in settings and counts.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Merge => "merge",
            Self::Spool => "spool",
            Self::Block => "block",
            Self::DropOldest => "drop_oldest",
        }
    }
}

impl fmt::Display for Overflow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text that names no overflow policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no overflow policy; there are merge, spool, block and drop_oldest")]
pub struct BadOverflow(String);

impl FromStr for Overflow {
    type Err = BadOverflow;

    fn from_str(text: &str) -> Result<Self, BadOverflow> {
        let found = Self::ALL.into_iter().find(|policy| policy.as_str() == text);
        found.ok_or_else(|| BadOverflow(text.chars().take(40).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_policy_is_read_by_its_own_name() {
        for policy in Overflow::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
        }
        let error = "newest".parse::<Overflow>().unwrap_err().to_string();
        assert_eq!(error, r#""newest" is no overflow policy; there are merge, spool, block and drop_oldest"#);
    }
}
