//! What a setting's value may be, and how it is read from text.

use std::net::SocketAddr;
use std::time::Duration;

use super::value::Value;
use super::{duration, size};
use crate::broker::shards::GroupName;
use crate::market::alias::INDICES;
use crate::market::{Aliases, master};
use crate::masters::Source;
use crate::queue::QueueName;

/// The type of a setting, with its range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Any text; empty means not set.
    Text,
    /// A folder or file.
    Path,
    /// A URL of one of these schemes.
    Url(&'static [&'static str]),
    /// As [`Url`](Self::Url); empty means not set.
    OptionalUrl(&'static [&'static str]),
    /// Text that is secret as a whole; empty means not set.
    Hidden,
    /// A queue's name.
    Queue,
    /// A group's name; empty means not set.
    Group,
    /// Address and port to listen on; empty means not set.
    Listen,
    /// A whole number.
    Count {
        /// Least allowed.
        min: u64,
        /// Most allowed.
        max: u64,
    },
    /// A number of bytes.
    Bytes {
        /// Least allowed.
        min: u64,
        /// Most allowed.
        max: u64,
    },
    /// A duration.
    Time {
        /// Least allowed.
        min: Duration,
        /// Most allowed.
        max: Duration,
    },
    /// On or off.
    Flag,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// Words, separated by commas.
    List,
    /// Symbol masters: `FEED=ADDRESS`, separated by commas.
    Masters,
    /// Other names of underlyings: `OLD=NEW`, separated by commas.
    Aliases,
    /// A log level, or a filter such as `info,worker=debug`.
    LogFilter,
}

/// Levels as the log knows them.
const LEVELS: &[&str] = &["off", "error", "warn", "info", "debug", "trace"];

/// Levels of Celery's `--loglevel` that have another name here.
const CELERY_LEVELS: &[(&str, &str)] = &[("warning", "warn"), ("critical", "error"), ("fatal", "error")];

impl Kind {
    /// Reads `text`. `None` when it is not [`allowed`](Self::allowed).
    pub fn read(self, text: &str) -> Option<Value> {
        let text = text.trim();
        match self {
            Self::Text => Some(Value::Text(text.to_owned())),
            Self::Path => (!text.is_empty()).then(|| Value::Text(text.to_owned())),
            Self::Url(schemes) => is_url(text, schemes).then(|| Value::Secret(text.into())),
            Self::OptionalUrl(schemes) => {
                (text.is_empty() || is_url(text, schemes)).then(|| Value::Secret(text.into()))
            }
            Self::Hidden => Some(Value::Hidden(text.into())),
            Self::Queue => text.parse::<QueueName>().ok().map(|name| Value::Text(name.as_str().to_owned())),
            Self::Group => (text.is_empty() || text.parse::<GroupName>().is_ok()).then(|| Value::Text(text.to_owned())),
            Self::Listen => {
                (text.is_empty() || text.parse::<SocketAddr>().is_ok()).then(|| Value::Text(text.to_owned()))
            }
            Self::Count { min, max } => {
                let number = text.replace('_', "").parse().ok()?;
                (min..=max).contains(&number).then_some(Value::Count(number))
            }
            Self::Bytes { min, max } => {
                let bytes = size::parse(text)?;
                (min..=max).contains(&bytes).then_some(Value::Bytes(bytes))
            }
            Self::Time { min, max } => {
                let duration = duration::parse(text)?;
                (min..=max).contains(&duration).then_some(Value::Time(duration))
            }
            Self::Flag => match text.to_ascii_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => Some(Value::Flag(true)),
                "false" | "no" | "off" | "0" => Some(Value::Flag(false)),
                _ => None,
            },
            Self::Choice(words) => {
                let word = text.to_ascii_lowercase();
                words.iter().find(|allowed| **allowed == word).map(|_| Value::Text(word))
            }
            Self::List | Self::Masters | Self::Aliases => self.read_words(words(text)),
            Self::LogFilter => log_filter(text).map(Value::Text),
        }
    }

    /// Reads the words of a list. `None` where one of them is not allowed, or where the setting is no list.
    pub(super) fn read_words(self, words: Vec<String>) -> Option<Value> {
        let allowed = if self == Self::Masters {
            words.iter().all(|word| word.parse::<Source>().is_ok())
        } else if self == Self::Aliases {
            Aliases::parse(words.iter().map(String::as_str)).is_ok()
        } else {
            self == Self::List
        };
        allowed.then_some(Value::List(words))
    }

    /// What may stand there, to follow "must be".
    pub fn allowed(self) -> String {
        match self {
            Self::Text => "text".to_owned(),
            Self::Path => "a path".to_owned(),
            Self::Url(schemes) | Self::OptionalUrl(schemes) => format!("a URL that starts with {}", schemes.join(", ")),
            Self::Hidden => "text that is never shown".to_owned(),
            Self::Queue | Self::Group => "a name of 1 to 100 letters, digits, `_`, `-` or `.`".to_owned(),
            Self::Listen => "an address with its port, such as `127.0.0.1:9465`".to_owned(),
            Self::Count { min, max } => format!("a whole number from {min} to {max}"),
            Self::Bytes { min, max } => {
                format!("a size from {} to {}, such as `4MiB`", size::format(min), size::format(max))
            }
            Self::Time { min, max } => format!(
                "a duration from {} to {}, such as `500ms`, `3s`, `2m` or bare seconds",
                duration::format(min),
                duration::format(max)
            ),
            Self::Flag => "true or false".to_owned(),
            Self::Choice(words) => format!("one of {}", words.join(", ")),
            Self::List => "a list of words".to_owned(),
            Self::Masters => format!(
                "a list of `FEED=ADDRESS`, FEED one of {}, ADDRESS an http(s) URL or a file",
                master::feeds().collect::<Vec<_>>().join(", ")
            ),
            Self::Aliases => format!("a list of `OLD=NEW`, `EXCHANGE:OLD=NEW` or the word `{INDICES}`"),
            Self::LogFilter => format!("a level ({}) or a filter such as `info,worker=debug`", LEVELS.join(", ")),
        }
    }
}

fn is_url(text: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| text.len() > scheme.len() && text.starts_with(scheme))
}

/// The words of a comma-separated list.
fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Checks the levels of a filter and gives Celery's names ours. Span filters (`[...]`) are left as they are.
fn log_filter(text: &str) -> Option<String> {
    let directives: Option<Vec<String>> = words(text).iter().map(|directive| log_directive(directive)).collect();
    directives.filter(|directives| !directives.is_empty()).map(|directives| directives.join(","))
}

fn log_directive(directive: &str) -> Option<String> {
    if directive.contains('[') {
        return Some(directive.to_owned());
    }
    let (target, level) = match directive.split_once('=') {
        Some((target, level)) if !target.is_empty() => (Some(target), level),
        Some(_) => return None,
        None => (None, directive),
    };
    let level = level.to_ascii_lowercase();
    let renamed = CELERY_LEVELS.iter().find(|(theirs, _)| *theirs == level).map(|(_, ours)| *ours);
    let level = renamed.or_else(|| LEVELS.iter().copied().find(|known| *known == level))?;
    Some(target.map_or_else(|| level.to_owned(), |target| format!("{target}={level}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_hold_at_both_ends() {
        let kind = Kind::Count { min: 1, max: 5_000 };
        for (text, good) in
            [("1", true), ("5_000", true), ("0", false), ("5001", false), ("-1", false), ("four", false)]
        {
            assert_eq!(kind.read(text).is_some(), good, "{text}");
        }
        let kind = Kind::Time { min: Duration::from_secs(2), max: Duration::from_hours(1) };
        for (text, good) in [("2s", true), ("1999ms", false), ("60m", true), ("3601", false), ("soon", false)] {
            assert_eq!(kind.read(text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn a_url_needs_a_known_scheme_and_something_after_it() {
        let kind = Kind::Url(&["redis://", "sqlite:"]);
        assert!(Kind::OptionalUrl(&["redis://"]).read("").is_some() && kind.read("").is_none());
        for (text, good) in [("redis://h", true), ("redis://", false), ("http://h", false), ("sqlite:q.db", true)] {
            assert_eq!(kind.read(text).is_some(), good, "{text}");
        }
    }

    #[test]
    fn log_levels_of_both_worlds_are_read() {
        for (text, filter) in [
            ("INFO", Some("info")),
            ("warning", Some("warn")),
            ("CRITICAL", Some("error")),
            ("info,worker=debug", Some("info,worker=debug")),
            ("info,worker[batch]=trace", Some("info,worker[batch]=trace")),
            ("loud", None),
            ("", None),
            ("worker=loud", None),
            ("=info", None),
        ] {
            assert_eq!(log_filter(text).as_deref(), filter, "{text}");
        }
    }

    #[test]
    fn lists_drop_empty_words() {
        assert_eq!(words(" BTCUSDT, ETHUSDT,, "), ["BTCUSDT", "ETHUSDT"]);
        assert!(words("").is_empty());
    }
}
