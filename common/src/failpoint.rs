//! Edges in the life of a task at which a process can be made to die, for trials.
//!
//! Without the feature `failpoints` they cost nothing and do nothing. With it, `FAILPOINT=commit.after=abort@20` lets a
//! process abort when it comes to the end of a commit for the 20th time; `panic` panics there instead.

use std::fmt;

/// An edge: what has been done is durable or not, and the next step would be taken by somebody else.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Point {
    /// A listener has read messages and given them to nobody.
    Received,
    /// It is about to hand messages to the broker.
    EnqueueBefore,
    /// The broker has them, and nobody here has noted it.
    EnqueueAfter,
    /// The spool has them.
    SpoolAfter,
    /// A worker holds a batch.
    TakeAfter,
    /// Its rows are committed, and it is not settled.
    CommitAfter,
    /// It is about to be committed row by row.
    EachBefore,
    /// It is committed row by row, and not settled.
    EachAfter,
    /// It is settled.
    SettleAfter,
}

impl Point {
    /// All of them, in the order of a task's life.
    pub const ALL: [Self; 9] = [
        Self::Received,
        Self::EnqueueBefore,
        Self::EnqueueAfter,
        Self::SpoolAfter,
        Self::TakeAfter,
        Self::CommitAfter,
        Self::EachBefore,
        Self::EachAfter,
        Self::SettleAfter,
    ];

    /// Its name.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Received => "received",
            Self::EnqueueBefore => "enqueue.before",
            Self::EnqueueAfter => "enqueue.after",
            Self::SpoolAfter => "spool.after",
            Self::TakeAfter => "take.after",
            Self::CommitAfter => "commit.after",
            Self::EachBefore => "each.before",
            Self::EachAfter => "each.after",
            Self::SettleAfter => "settle.after",
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The process has come to an edge.
#[cfg(not(feature = "failpoints"))]
#[inline]
pub fn reach(_point: Point) {}

#[cfg(feature = "failpoints")]
pub use armed::reach;

#[cfg(feature = "failpoints")]
mod armed {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::Point;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Action {
        Abort,
        Panic,
    }

    #[derive(Debug)]
    struct Armed {
        point: Point,
        action: Action,
        /// The visit at which it acts.
        visit: u64,
        visits: AtomicU64,
    }

    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    /// The process has come to an edge.
    ///
    /// # Panics
    /// When it was told to.
    #[expect(clippy::panic, reason = "asked for")]
    pub fn reach(point: Point) {
        let armed = ARMED.get_or_init(|| parse(std::env::var_os("FAILPOINT")?.to_str()?));
        let Some(armed) = armed.as_ref().filter(|armed| armed.point == point) else { return };
        if armed.visits.fetch_add(1, Ordering::Relaxed) + 1 != armed.visit {
            return;
        }
        match armed.action {
            Action::Abort => std::process::abort(),
            Action::Panic => panic!("told to panic at {point}"),
        }
    }

    fn parse(text: &str) -> Option<Armed> {
        let (name, what) = text.split_once('=')?;
        let (action, visit) = what.split_once('@').unwrap_or((what, "1"));
        let action = match action {
            "abort" => Action::Abort,
            "panic" => Action::Panic,
            _ => return None,
        };
        let point = Point::ALL.into_iter().find(|point| point.as_str() == name)?;
        Some(Armed { point, action, visit: visit.parse().ok()?, visits: AtomicU64::new(0) })
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn an_edge_an_action_and_a_visit_are_read() {
            let armed = parse("commit.after=abort@20").unwrap();
            assert_eq!((armed.point, armed.action, armed.visit), (Point::CommitAfter, Action::Abort, 20));
            assert_eq!(parse("received=panic").unwrap().visit, 1);
            for unread in ["", "nowhere=abort", "received=sing", "received=abort@x"] {
                assert!(parse(unread).is_none(), "{unread}");
            }
        }
    }
}
