//! When markets trade: sessions per segment, with holidays and special sessions as data.
//!
//! What a provider itself says of its market beats this. Where nobody says anything, it tells a quiet market from a mute
//! connection, and an old price of a closed market from a stale one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;

use crate::clock::UnixMicros;

mod hours;
mod parse;
mod segment;
#[cfg(test)]
mod tests;

pub use hours::{Phase, Span};
pub use parse::{CalendarError, LineProblem};
pub use segment::Segment;

/// The days that are not as their weekday says, as far as they are built in.
const DATA: [&str; 2] = [include_str!("calendar/india.csv"), include_str!("calendar/us.csv")];
/// A session that ends, or begins, later than so many days from now is as good as one that never does.
const HORIZON_DAYS: usize = 31;

/// Sessions, holidays and special days of all segments.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Calendar {
    days: BTreeMap<(Segment, Date), Vec<Span>>,
    years: BTreeSet<(Segment, i16)>,
}

/// What a market does at a moment, and when that changes. `None` where it does not within a month.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarketState {
    /// Before the regular session: orders are collected (India), or trading is thin (US).
    Pre {
        /// When this phase ends.
        until: Option<UnixMicros>,
    },
    /// The regular session.
    Open {
        /// When this phase ends.
        until: Option<UnixMicros>,
    },
    /// After the regular session, thin trading.
    Post {
        /// When this phase ends.
        until: Option<UnixMicros>,
    },
    /// Nothing trades.
    Closed {
        /// When the next phase of any kind begins.
        opens_at: Option<UnixMicros>,
    },
}

/// What the calendar knows of a year.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// Its holidays and special days, as far as they were announced when the data was written.
    Full,
    /// Weekdays only: its holidays are not in the data, so it may say open on a day when nothing trades.
    WeekdaysOnly,
}

impl MarketState {
    /// Whether prices may move.
    pub fn is_trading(self) -> bool {
        match self {
            Self::Pre { .. } | Self::Open { .. } | Self::Post { .. } => true,
            Self::Closed { .. } => false,
        }
    }

    /// When it becomes another one.
    pub fn changes_at(self) -> Option<UnixMicros> {
        match self {
            Self::Pre { until } | Self::Open { until } | Self::Post { until } => until,
            Self::Closed { opens_at } => opens_at,
        }
    }
}

impl Calendar {
    /// What is known to the program itself.
    pub fn builtin() -> Self {
        let add = |calendar: Self, text| calendar.with(text).expect("a test reads the built-in data");
        DATA.into_iter().fold(Self::default(), add)
    }

    /// With the days of `text`, which replace those that are there. The format is that of the built-in data:
    ///
    /// ```text
    /// # a comment
    /// us_equity,2028,known,where the list of this year is from
    /// us_equity,2028-01-17,closed,Martin Luther King Jr. Day
    /// us_equity,2028-07-03,pre 04:00-09:30 open 09:30-13:00 post 13:00-17:00,early close
    /// ```
    ///
    /// Hours are of the segment's own time zone; `24:00` is the end of a day.
    ///
    /// # Errors
    /// With all problems of the text, each with its line.
    pub fn with(mut self, text: &str) -> Result<Self, CalendarError> {
        let entries = parse::read(text)?;
        self.days.extend(entries.days);
        self.years.extend(entries.years);
        Ok(self)
    }

    /// What the market does at this moment. A moment outside the calendar's years (-9999 to 9999) is closed for good.
    pub fn state(&self, segment: Segment, at: UnixMicros) -> MarketState {
        let Ok(now) = Timestamp::from_microsecond(at.0) else { return MarketState::Closed { opens_at: None } };
        let today = segment.zone().to_datetime(now).date();
        let mut current: Option<(Phase, UnixMicros)> = None;
        for date in today.series(jiff::ToSpan::day(1)).take(HORIZON_DAYS) {
            for (phase, from, to) in self.phases(segment, date) {
                match current {
                    None if at < from => return MarketState::Closed { opens_at: Some(from) },
                    None if at < to => current = Some((phase, to)),
                    None => {}
                    Some((same, end)) if same == phase && end == from => current = Some((same, to)),
                    Some((phase, end)) => return phase.state(Some(end)),
                }
            }
            // A phase that does not reach midnight cannot go on tomorrow.
            if let Some((phase, end)) = current
                && Some(end) != midnight(segment, date)
            {
                return phase.state(Some(end));
            }
        }
        current.map_or(MarketState::Closed { opens_at: None }, |(phase, _)| phase.state(None))
    }

    /// What is known of the segment's year at this moment.
    pub fn coverage(&self, segment: Segment, at: UnixMicros) -> Coverage {
        let year = Timestamp::from_microsecond(at.0).map(|at| segment.zone().to_datetime(at).year());
        let is_known = !segment.has_holidays() || year.is_ok_and(|year| self.years.contains(&(segment, year)));
        if is_known { Coverage::Full } else { Coverage::WeekdaysOnly }
    }

    /// The phases of a day in their order, without overlaps.
    fn phases(&self, segment: Segment, date: Date) -> Vec<(Phase, UnixMicros, UnixMicros)> {
        let spans = match self.days.get(&(segment, date)) {
            Some(special) => special.clone(),
            None => segment.regular(date),
        };
        let mut phases = Vec::with_capacity(spans.len());
        let mut free = UnixMicros(i64::MIN);
        for Span { phase, from, to } in spans {
            let (Some(from), Some(to)) = (from.on(segment, date), to.on(segment, date)) else { continue };
            // The hour that clocks skip may turn two times around.
            let from = from.max(free);
            if from < to {
                phases.push((phase, from, to));
                free = to;
            }
        }
        phases
    }
}

impl Phase {
    fn state(self, until: Option<UnixMicros>) -> MarketState {
        match self {
            Self::Pre => MarketState::Pre { until },
            Self::Open => MarketState::Open { until },
            Self::Post => MarketState::Post { until },
        }
    }
}

fn midnight(segment: Segment, date: Date) -> Option<UnixMicros> {
    hours::Minute::END.on(segment, date)
}
