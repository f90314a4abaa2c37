//! What the user is told when something is wrong: always the same fields in the same order.
//!
//! The first line says the thing in the user's words. Then *what* it means, *why* it is so, what is *safe* (what
//! happened to the data), how to *fix* it, and a *note*. A code makes it searchable.

use std::fmt;

mod code;
mod from;

pub(crate) use code::Code;

use crate::output::printable;

/// One error, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnostic {
    /// Which error.
    pub(crate) code: Code,
    /// The thing in one line, lower case, no full stop.
    pub(crate) title: String,
    /// Where, e.g. `tidemill.toml:14:1`.
    pub(crate) place: Option<String>,
    /// The user's text at that place.
    pub(crate) excerpt: Option<String>,
    /// Labelled lines, in the order of [`Field`].
    fields: Vec<(Field, String)>,
}

/// The labels, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Field {
    What,
    Why,
    Safe,
    Fix,
    Note,
}

impl Diagnostic {
    /// An error with nothing but its title.
    pub(crate) fn new(code: Code, title: impl Into<String>) -> Self {
        Self { code, title: title.into(), place: None, excerpt: None, fields: Vec::new() }
    }

    /// What it means.
    pub(crate) fn what(self, text: impl Into<String>) -> Self {
        self.with(Field::What, text)
    }

    /// Why it is so.
    pub(crate) fn why(self, text: impl Into<String>) -> Self {
        self.with(Field::Why, text)
    }

    /// What happened to the data.
    pub(crate) fn safe(self, text: impl Into<String>) -> Self {
        self.with(Field::Safe, text)
    }

    /// What to do; one command where possible.
    pub(crate) fn fix(self, text: impl Into<String>) -> Self {
        self.with(Field::Fix, text)
    }

    /// What else is good to know.
    pub(crate) fn note(self, text: impl Into<String>) -> Self {
        self.with(Field::Note, text)
    }

    /// The fix, if there is one.
    pub(crate) fn the_fix(&self) -> Option<&str> {
        self.fields.iter().find(|(field, _)| *field == Field::Fix).map(|(_, text)| text.as_str())
    }

    /// The reason, if there is one.
    pub(crate) fn the_why(&self) -> Option<&str> {
        self.fields.iter().find(|(field, _)| *field == Field::Why).map(|(_, text)| text.as_str())
    }

    fn with(mut self, field: Field, text: impl Into<String>) -> Self {
        self.fields.push((field, text.into()));
        self.fields.sort_by_key(|(field, _)| *field);
        self
    }
}

impl Field {
    fn label(self) -> &'static str {
        match self {
            Self::What => "what",
            Self::Why => "why",
            Self::Safe => "safe",
            Self::Fix => "fix",
            Self::Note => "note",
        }
    }
}

/// As the terminal shows it, several lines, the last without its end.
impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error[{}]: {}", self.code, printable(&self.title))?;
        if let Some(place) = &self.place {
            write!(f, "\n  --> {}", printable(place))?;
        }
        if let Some(excerpt) = &self.excerpt {
            let carets = "^".repeat(excerpt.chars().count());
            write!(f, "\n   |\n   | {excerpt}\n   | {carets}")?;
        }
        for (field, text) in &self.fields {
            for (index, line) in text.lines().enumerate() {
                let label = if index == 0 { field.label() } else { "" };
                let mark = if index == 0 { '=' } else { ' ' };
                write!(f, "\n  {mark} {label:<5} {}", printable(line))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
