//! Decides when data are overdue on a connection that is alive. Pure.
//!
//! A market that has just opened has its time: data are overdue only if they could be expected when the wait began, too.

use std::time::{Duration, Instant};

use common::clock::UnixMicros;

/// The age of the last data of one connection.
#[derive(Debug)]
pub(crate) struct DataAge {
    /// `None`: data are never overdue.
    age_max: Option<Duration>,
    /// When data came last, or when they last could not be expected; by both clocks.
    since: Instant,
    since_at: UnixMicros,
}

impl DataAge {
    /// Connected at `now`, which is `at` by the wall clock.
    pub(crate) fn new(age_max: Option<Duration>, now: Instant, at: UnixMicros) -> Self {
        Self { age_max, since: now, since_at: at }
    }

    /// Data came, or begin to be expected.
    pub(crate) fn restart(&mut self, now: Instant, at: UnixMicros) {
        (self.since, self.since_at) = (now, at);
    }

    /// When to ask [`overdue`](Self::overdue), if nothing comes until then.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.age_max.map(|age_max| self.since + age_max)
    }

    /// For how long nothing came, if that is too long and data were expected. Otherwise the wait begins anew when it is
    /// over.
    pub(crate) fn overdue(
        &mut self,
        now: Instant,
        at: UnixMicros,
        are_expected: impl Fn(UnixMicros) -> bool,
    ) -> Option<Duration> {
        let age_max = self.age_max.filter(|age_max| self.since + *age_max <= now)?;
        if are_expected(self.since_at) && are_expected(at) {
            return Some(age_max);
        }
        self.restart(now, at);
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    /// So many seconds after some moment, by both clocks.
    fn clocks() -> impl Fn(u32) -> (Instant, UnixMicros) {
        let start = common::clock::monotonic();
        move |secs| (start + Duration::from_secs(secs.into()), UnixMicros::from_secs(secs.into()).unwrap())
    }

    fn age(age_max: Option<Duration>, (now, at): (Instant, UnixMicros)) -> DataAge {
        DataAge::new(age_max, now, at)
    }

    #[test]
    fn data_are_overdue_after_their_time_in_an_open_market() {
        let clock = clocks();
        let mut age = age(Some(MINUTE), clock(0));
        let mut overdue = |secs| age.overdue(clock(secs).0, clock(secs).1, |_| true);
        assert_eq!((overdue(59), overdue(60)), (None, Some(MINUTE)));
    }

    #[test]
    fn data_restart_the_wait() {
        let clock = clocks();
        let mut age = age(Some(MINUTE), clock(0));
        age.restart(clock(50).0, clock(50).1);
        assert_eq!(age.deadline(), Some(clock(110).0));
        assert_eq!(age.overdue(clock(60).0, clock(60).1, |_| true), None);
    }

    #[test]
    fn a_market_that_opened_meanwhile_has_its_time() {
        let clock = clocks();
        let mut age = age(Some(MINUTE), clock(0));
        let is_open = |at| clock(59).1 <= at;
        let mut overdue = |secs| age.overdue(clock(secs).0, clock(secs).1, is_open);
        assert_eq!((overdue(60), overdue(119), overdue(120)), (None, None, Some(MINUTE)));
    }

    #[test]
    fn nothing_is_overdue_in_a_closed_market_or_without_a_limit() {
        let clock = clocks();
        let mut limited = age(Some(MINUTE), clock(0));
        let mut unlimited = age(None, clock(0));
        for secs in (0..3_600).step_by(60) {
            let (now, at) = clock(secs);
            assert_eq!(limited.overdue(now, at, |_| false), None);
            assert_eq!(unlimited.overdue(now, at, |_| true), None);
        }
        assert_eq!(unlimited.deadline(), None);
    }
}
