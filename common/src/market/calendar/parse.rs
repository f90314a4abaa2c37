//! Reads calendar files. All problems of a file are told at once.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::Date;

use super::hours::{Minute, Phase, Span};
use super::segment::Segment;

/// Years that a file may speak of.
const YEARS: std::ops::RangeInclusive<i16> = 1970..=2200;
/// Problems that are told in words; the rest is counted.
const TOLD_MAX: usize = 20;

/// What is wrong with a calendar file. Nothing of it was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CalendarError {
    /// By line.
    pub problems: Vec<LineProblem>,
}

/// What is wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineProblem {
    /// Its number, from 1.
    pub line: usize,
    /// In words.
    pub problem: String,
}

/// What a file says.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub(super) days: Vec<((Segment, Date), Vec<Span>)>,
    pub(super) years: Vec<(Segment, i16)>,
}

enum Entry {
    Day(Segment, Date, Vec<Span>),
    Year(Segment, i16),
}

pub(super) fn read(text: &str) -> Result<Entries, CalendarError> {
    let mut entries = Entries::default();
    let mut problems = Vec::new();
    let mut line_of_day: BTreeMap<(Segment, Date), usize> = BTreeMap::new();
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        match entry(content) {
            Ok(Entry::Year(segment, year)) => entries.years.push((segment, year)),
            Ok(Entry::Day(segment, date, spans)) => match line_of_day.insert((segment, date), line) {
                None => entries.days.push(((segment, date), spans)),
                Some(before) => {
                    let problem = format!("{} {date} stands in line {before} already", segment.name());
                    problems.push(LineProblem { line, problem });
                }
            },
            Err(problem) => problems.push(LineProblem { line, problem }),
        }
    }
    if problems.is_empty() { Ok(entries) } else { Err(CalendarError { problems }) }
}

fn entry(content: &str) -> Result<Entry, String> {
    let mut fields = content.splitn(4, ',').map(str::trim);
    let (Some(segment), Some(date), Some(hours)) = (fields.next(), fields.next(), fields.next()) else {
        return Err("not `segment,date,hours,why`".to_owned());
    };
    let segment = Segment::ALL.into_iter().find(|known| known.name() == segment).ok_or_else(|| {
        let known: Vec<_> = Segment::ALL.into_iter().map(Segment::name).collect();
        format!("there is no segment {segment:?}, only {}", known.join(", "))
    })?;
    let is_year = date.len() == 4 && date.bytes().all(|byte| byte.is_ascii_digit());
    if is_year || hours == "known" {
        let year = date.parse().ok().filter(|year| is_year && YEARS.contains(year));
        let (Some(year), "known") = (year, hours) else {
            return Err(format!(
                "`known` goes with a year such as 2028, hours with a day, not {date:?} with {hours:?}"
            ));
        };
        return Ok(Entry::Year(segment, year));
    }
    let day: Option<Date> = date.parse().ok().filter(|day: &Date| date.len() == 10 && YEARS.contains(&day.year()));
    let day = day.ok_or_else(|| format!("{date:?} is no day such as 2028-01-17"))?;
    Ok(Entry::Day(segment, day, spans(hours)?))
}

fn spans(hours: &str) -> Result<Vec<Span>, String> {
    if hours == "closed" {
        return Ok(Vec::new());
    }
    let words: Vec<&str> = hours.split_ascii_whitespace().collect();
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return Err(format!("{hours:?} is neither `closed` nor sessions such as `pre 09:00-09:15 open 09:15-15:30`"));
    }
    let mut spans: Vec<Span> = Vec::new();
    for pair in words.chunks_exact(2) {
        let span = span(pair[0], pair[1])?;
        if spans.last().is_some_and(|before| span.from < before.to) {
            return Err(format!("`{} {}` begins before the session in front of it ends", pair[0], pair[1]));
        }
        spans.push(span);
    }
    Ok(spans)
}

fn span(phase: &str, times: &str) -> Result<Span, String> {
    let phase = match phase {
        "pre" => Phase::Pre,
        "open" => Phase::Open,
        "post" => Phase::Post,
        _ => return Err(format!("there is no session {phase:?}, only pre, open, post")),
    };
    let (from, to) = times
        .split_once('-')
        .and_then(|(from, to)| Some((minute(from)?, minute(to)?)))
        .ok_or_else(|| format!("{times:?} is not from when to when, such as 09:15-15:30"))?;
    if to <= from {
        return Err(format!("{times} ends before it begins; a session past midnight goes on in the next day's line"));
    }
    Ok(Span { phase, from, to })
}

fn minute(text: &str) -> Option<Minute> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(hour) && digits(minute)).then(|| Minute::new(hour.parse().ok()?, minute.parse().ok()?)).flatten()
}

impl fmt::Display for CalendarError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, LineProblem { line, problem }) in self.problems.iter().take(TOLD_MAX).enumerate() {
            write!(f, "{}line {line}: {problem}", if index == 0 { "" } else { "\n" })?;
        }
        match self.problems.len().saturating_sub(TOLD_MAX) {
            0 => Ok(()),
            more => write!(f, "\nand {more} more"),
        }
    }
}

impl std::error::Error for CalendarError {}
