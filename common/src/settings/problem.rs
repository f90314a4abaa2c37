//! What is wrong with the settings. All problems are found before any is reported.

use std::fmt;

use super::value::Origin;

/// Kinds of problems.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// A key or variable that is no setting.
    UnknownKey,
    /// A value of the wrong type or out of range.
    BadValue,
    /// One setting is given twice in one place.
    Twice,
    /// The settings file is no TOML.
    Syntax,
    /// A file cannot be read.
    Unreadable,
    /// Two values that do not go together.
    Contradiction,
}

/// One problem. Holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What kind.
    pub class: Class,
    /// The problem in a sentence, naming the key.
    pub message: String,
    /// Where the value stands.
    pub origin: Option<Origin>,
    /// The text that stands there, unless it may be secret.
    pub excerpt: Option<String>,
    /// What helps.
    pub fix: Option<String>,
}

impl Problem {
    /// A problem without excerpt and fix.
    pub(super) fn new(class: Class, message: String, origin: Option<Origin>) -> Self {
        Self { class, message, origin, excerpt: None, fix: None }
    }

    pub(super) fn with_excerpt(mut self, text: &str) -> Self {
        self.excerpt = Some(excerpt(text));
        self
    }

    pub(super) fn with_fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(origin) = &self.origin {
            write!(f, "{origin}: ")?;
        }
        f.write_str(&self.message)?;
        if let Some(fix) = &self.fix {
            write!(f, " ({fix})")?;
        }
        Ok(())
    }
}

/// The settings cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", list(.problems))]
pub struct SettingsError {
    /// All of them, in the order of precedence from low to high; never empty.
    pub problems: Vec<Problem>,
}

impl SettingsError {
    /// Whether every problem is a flag's: then the command line is to blame, not the configuration.
    pub fn is_usage(&self) -> bool {
        self.problems.iter().all(|problem| matches!(problem.origin, Some(Origin::Flag(_))))
    }
}

fn list(problems: &[Problem]) -> String {
    let lines: Vec<String> = problems.iter().map(Problem::to_string).collect();
    lines.join("; ")
}

/// Longest excerpt of somebody's text, in characters.
const EXCERPT_MAX: usize = 60;

/// `text` on one line, cut to a readable length, control characters escaped.
pub(super) fn excerpt(text: &str) -> String {
    let mut shown: String = text.chars().take(EXCERPT_MAX).flat_map(printable).collect();
    if text.chars().nth(EXCERPT_MAX).is_some() {
        shown.push('…');
    }
    shown
}

fn printable(c: char) -> Vec<char> {
    if c.is_control() { c.escape_default().collect() } else { vec![c] }
}

/// "did you mean `x`?" for the candidate most like `word`, when one is like it.
pub(super) fn did_you_mean<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

/// The candidate most like `word`, if any is alike enough to be what was meant.
pub fn nearest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    /// Less alike than this is no typo. In thousandths of the Jaro-Winkler likeness.
    const LIKENESS_MIN: u32 = 820;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::float_arithmetic, reason = "0 to 1000")]
    let likeness = |candidate: &str| (strsim::jaro_winkler(word, candidate) * 1000.0) as u32;
    let best = candidates.max_by_key(|candidate| likeness(candidate))?;
    (LIKENESS_MIN <= likeness(best)).then_some(best)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typos_find_their_word_and_strangers_do_not() {
        let known = ["concurrency", "batch_tasks", "lease"];
        assert_eq!(nearest("concurency", known.into_iter()), Some("concurrency"));
        assert_eq!(nearest("batch_task", known.into_iter()), Some("batch_tasks"));
        assert_eq!(nearest("zebra", known.into_iter()), None);
        assert_eq!(nearest("lease", [].into_iter()), None);
    }

    #[test]
    fn an_excerpt_cannot_move_the_cursor() {
        assert_eq!(excerpt("a\u{1b}[2Jb\nc"), "a\\u{1b}[2Jb\\nc");
        assert_eq!(excerpt(&"x".repeat(100)).chars().count(), 61);
    }
}
