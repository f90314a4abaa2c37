//! Notices that a queue was emptied, or went back to an older state, under the processes that use it. Pure.
//!
//! A Redis that restarts without its data begins a ledger that balances from nothing. Who remembers the former one says
//! what is missing.

use serde::{Deserialize, Serialize};

use crate::broker::Census;
use crate::clock::UnixMicros;
use crate::queue::QueueName;

/// What was found, all findings of this life together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wiped {
    /// Which queue.
    pub queue: QueueName,
    /// When the newest finding was made.
    pub at: UnixMicros,
    /// Tasks accepted before, as far as is known.
    pub known_accepted: u64,
    /// Those of them that had been settled or purged when last looked at.
    pub known_settled: u64,
    /// Accepted tasks that are gone, at most: some may have been settled after the last look.
    pub lost_max: u64,
}

/// Remembers the last look at a queue.
#[derive(Debug)]
pub struct WipeWatch {
    queue: QueueName,
    last: Option<Seen>,
    found: Option<Wiped>,
}

#[derive(Debug, Clone, Copy)]
struct Seen {
    generation: Option<u64>,
    accepted: u64,
    ended: u64,
    /// What this process itself had got accepted by then.
    own: u64,
}

impl WipeWatch {
    /// Nothing is known of the queue yet.
    pub fn new(queue: QueueName) -> Self {
        Self { queue, last: None, found: None }
    }

    /// Takes in a look. `own` is how many tasks this process has got accepted: before the census was asked for, and now.
    /// `Some` with what is missing by this look alone, when that is new.
    pub fn look(&mut self, census: &Census, own: [u64; 2], at: UnixMicros) -> Option<Wiped> {
        let [own_before, own_now] = own;
        let ledger = &census.ledger;
        let ended = ledger.settled + ledger.purged;
        let now = Seen { generation: census.generation, accepted: ledger.accepted, ended, own: own_before };
        let then = self.last.replace(now)?;
        let own_since = own_now.saturating_sub(then.own);
        let is_emptied = then.generation.is_some() && then.generation != now.generation;
        let [known_accepted, lost_max] = if is_emptied {
            let known = then.accepted + own_since.saturating_sub(now.accepted);
            [known, known.saturating_sub(then.ended)]
        } else if now.accepted < then.accepted {
            let known = then.accepted + own_since;
            [known, known - now.accepted]
        } else {
            return None;
        };
        let wiped = Wiped { queue: self.queue.clone(), at, known_accepted, known_settled: then.ended, lost_max };
        self.found = Some(match self.found.take() {
            Some(earlier) => Wiped {
                known_accepted: earlier.known_accepted + wiped.known_accepted,
                known_settled: earlier.known_settled + wiped.known_settled,
                lost_max: earlier.lost_max + wiped.lost_max,
                ..wiped.clone()
            },
            None => wiped.clone(),
        });
        Some(wiped)
    }

    /// All that was found since this process started.
    pub fn found(&self) -> Option<&Wiped> {
        self.found.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::Ledger;

    const AT: UnixMicros = UnixMicros(7);

    fn census(generation: Option<u64>, accepted: u64, settled: u64) -> Census {
        Census { ledger: Ledger { accepted, settled, ..Ledger::default() }, generation, ..Census::default() }
    }

    fn watch() -> WipeWatch {
        WipeWatch::new("ticks".parse().unwrap())
    }

    #[test]
    fn a_queue_that_lives_on_is_no_finding() {
        let mut watch = watch();
        for census in [census(None, 0, 0), census(Some(1), 10, 0), census(Some(1), 10, 10), census(Some(1), 12, 10)] {
            assert_eq!(watch.look(&census, [12; 2], AT), None);
        }
        assert_eq!(watch.found(), None);
    }

    #[test]
    fn what_was_accepted_and_not_settled_is_lost_with_an_emptied_queue() {
        for new in [census(None, 0, 0), census(Some(2), 5, 5)] {
            let mut watch = watch();
            watch.look(&census(Some(1), 100, 60), [100; 2], AT);
            // Three more were accepted before it was emptied, `new.accepted` after that.
            let own = 103 + new.ledger.accepted;
            let wiped = watch.look(&new, [own; 2], AT).unwrap();
            assert_eq!((wiped.known_accepted, wiped.known_settled, wiped.lost_max), (103, 60, 43));
            assert_eq!(watch.look(&census(Some(2), 9, 9), [own + 4; 2], AT), None, "it is told once");
            assert_eq!(watch.found(), Some(&wiped));
        }
    }

    #[test]
    fn a_queue_that_went_back_to_an_older_state_has_lost_what_came_since() {
        let mut watch = watch();
        watch.look(&census(Some(1), 100, 60), [0; 2], AT);
        let wiped = watch.look(&census(Some(1), 70, 20), [0; 2], AT).unwrap();
        assert_eq!(wiped.lost_max, 30);
        watch.look(&census(Some(2), 0, 0), [0; 2], AT).unwrap();
        assert_eq!(watch.found().unwrap().lost_max, 80, "findings add up");
    }
}
