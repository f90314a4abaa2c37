//! Hours of a day, in a segment's own time.

use std::fmt;

use jiff::civil::Date;

use super::Segment;
use crate::clock::UnixMicros;

/// A kind of trading session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Before the regular session.
    Pre,
    /// The regular session.
    Open,
    /// After the regular session.
    Post,
}

/// A session of a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// What kind.
    pub phase: Phase,
    /// Its first minute.
    pub from: Minute,
    /// The minute after its last one.
    pub to: Minute,
}

/// Minutes since midnight by the wall clock, 0 to 1,440.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Minute(u16);

impl Minute {
    /// Midnight at the start of the day.
    pub const START: Self = Self(0);
    /// Midnight at the end of the day.
    pub const END: Self = Self(24 * 60);

    /// `None` beyond the end of the day.
    pub const fn new(hour: u16, minute: u16) -> Option<Self> {
        let is_fine = hour < 24 && minute < 60 || hour == 24 && minute == 0;
        if is_fine { Some(Self(hour * 60 + minute)) } else { None }
    }

    /// When it is on this day. A time that clocks skip is the one after the skip, a time that comes twice the first.
    pub(super) fn on(self, segment: Segment, date: Date) -> Option<UnixMicros> {
        let (date, minute) = if self == Self::END { (date.tomorrow().ok()?, 0) } else { (date, self.0) };
        let hour = i8::try_from(minute / 60).ok()?;
        let minute = i8::try_from(minute % 60).ok()?;
        let at = segment.zone().to_timestamp(date.at(hour, minute, 0, 0)).ok()?;
        Some(UnixMicros(at.as_microsecond()))
    }
}

impl Span {
    /// `const`, so that regular hours are checked when the program is built.
    pub(super) const fn new(
        phase: Phase,
        (from_hour, from_minute): (u16, u16),
        (to_hour, to_minute): (u16, u16),
    ) -> Self {
        let from = Minute::new(from_hour, from_minute).expect("a time of the day");
        let to = Minute::new(to_hour, to_minute).expect("a time of the day");
        assert!(from.0 < to.0, "a session ends after it begins");
        Self { phase, from, to }
    }
}

impl fmt::Display for Minute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}
