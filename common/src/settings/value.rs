//! A setting's value, and where it came from.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::{duration, redact, size};

/// A value that its setting allows.
#[derive(Debug, Clone)]
pub enum Value {
    /// Text, a word, a name or a path.
    Text(String),
    /// A URL that may hold a password.
    Secret(SecretString),
    /// Text that is secret as a whole.
    Hidden(SecretString),
    /// A number.
    Count(u64),
    /// Bytes.
    Bytes(u64),
    /// A duration.
    Time(Duration),
    /// On or off.
    Flag(bool),
    /// Words.
    List(Vec<String>),
}

impl Value {
    /// Whether both say the same; secrets are compared, not shown.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Secret(one) | Self::Hidden(one), Self::Secret(other) | Self::Hidden(other)) => {
                one.expose_secret() == other.expose_secret()
            }
            (one, other) => one.to_string() == other.to_string(),
        }
    }
}

/// As TOML, secrets masked.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => quoted(f, text),
            Self::Secret(text) | Self::Hidden(text) if text.expose_secret().is_empty() => quoted(f, ""),
            Self::Secret(url) => quoted(f, &redact::redacted(url.expose_secret())),
            Self::Hidden(_) => quoted(f, redact::MASK),
            Self::Count(number) => number.fmt(f),
            Self::Bytes(bytes) => quoted(f, &size::format(*bytes)),
            Self::Time(time) => quoted(f, &duration::format(*time)),
            Self::Flag(on) => on.fmt(f),
            Self::List(words) => {
                f.write_str("[")?;
                for (index, word) in words.iter().enumerate() {
                    if 0 < index {
                        f.write_str(", ")?;
                    }
                    quoted(f, &shown(word))?;
                }
                f.write_str("]")
            }
        }
    }
}

/// A word as people may see it: what follows `=` may be a URL with a password.
fn shown(word: &str) -> Cow<'_, str> {
    match word.split_once('=') {
        Some((name, url)) if url.contains("://") => format!("{name}={}", redact::redacted(url)).into(),
        _ => word.into(),
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    fmt::Display::fmt(&toml::Value::String(text.to_owned()), f)
}

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// This flag on the command line.
    Flag(&'static str),
    /// This environment variable.
    Environment(String),
    /// A file that holds nothing but the value.
    SecretFile {
        /// The environment variable, or the key of the settings file, that names it.
        named_by: String,
        /// The file.
        path: PathBuf,
    },
    /// The settings file.
    File {
        /// Which.
        path: PathBuf,
        /// From 1.
        line: usize,
        /// In characters, from 1.
        column: usize,
    },
    /// Nobody said anything.
    Default,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "flag {flag}"),
            Self::Environment(variable) => write!(f, "environment {variable}"),
            Self::SecretFile { named_by, path } => write!(f, "file {}, named by {named_by}", path.display()),
            Self::File { path, line, column } => write!(f, "{}:{line}:{column}", path.display()),
            Self::Default => f.write_str("default"),
        }
    }
}
