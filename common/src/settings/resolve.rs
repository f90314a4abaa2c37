//! Weighs the layers against each other: flag, then environment, then file, then default.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

use super::environment::Environment;
use super::file::SettingsFile;
use super::flags::Flags;
use super::given::Layer;
use super::kind::Kind;
use super::problem::{Class, Problem, SettingsError};
use super::table::{Setting, TABLE};
use super::typed::Settings;
use super::value::{Origin, Value};

/// A setting's value that won, and where it came from.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Which setting.
    pub setting: &'static Setting,
    /// Its value.
    pub value: Value,
    /// Who said so.
    pub origin: Origin,
}

/// All values with their origins, in the order of the table.
#[derive(Debug, Clone)]
pub struct Resolved {
    entries: Vec<Entry>,
}

/// The settings, as the program uses them and as people look at them.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// Typed.
    pub settings: Settings,
    /// With origins.
    pub resolved: Resolved,
}

/// Where settings come from.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// The command line.
    pub flags: Flags,
    /// The environment.
    pub environment: Environment,
    /// The settings file, if there is one.
    pub file: Option<SettingsFile>,
}

/// Reads all sources. Every problem is found before any is reported.
pub fn resolve(sources: &Sources) -> Result<Loaded, SettingsError> {
    let file = sources.file.as_ref().map(SettingsFile::layer).unwrap_or_default();
    let layers = [file, sources.environment.foreign_layer(), sources.environment.own_layer(), sources.flags.layer()];
    let mut problems = Vec::new();
    let mut spoiled = Vec::new();
    let mut feeds = Vec::new();
    let mut resolved = Resolved::defaults();
    for Layer { given, problems: found, feeds: described, spoiled: keys } in layers {
        feeds.extend(described);
        problems.extend(found);
        spoiled.extend(keys);
        for given in given {
            resolved.set(given.setting.key, given.value, given.origin);
        }
    }
    resolved.fill_in_data_dir();
    let settings = Settings { feeds, ..Settings::from_resolved(&resolved) };
    problems.extend(contradictions(&settings, &resolved, &spoiled));
    if problems.is_empty() { Ok(Loaded { settings, resolved }) } else { Err(SettingsError { problems }) }
}

/// Values that are good alone but not together. Spoiled keys have had their say.
fn contradictions(settings: &Settings, resolved: &Resolved, spoiled: &[&str]) -> Vec<Problem> {
    let retry = settings.worker.retry;
    let pairs = [("worker.retry_longest", "worker.retry_first", retry.first <= retry.longest)];
    let mut problems = Vec::new();
    for (larger, smaller, holds) in pairs {
        if holds || spoiled.contains(&larger) || spoiled.contains(&smaller) {
            continue;
        }
        let (high, low) = (resolved.entry(larger), resolved.entry(smaller));
        // The place that somebody has touched is the one to look at.
        let (touched, other) = if high.origin == Origin::Default { (low, high) } else { (high, low) };
        let message = format!(
            "`{larger}` ({}) must not be smaller than `{smaller}` ({}, {} by {})",
            high.value, low.value, other.setting.key, other.origin
        );
        problems.push(Problem::new(Class::Contradiction, message, Some(touched.origin.clone())));
    }
    problems
}

impl Resolved {
    fn defaults() -> Self {
        let entry = |setting: &'static Setting| Entry {
            setting,
            value: setting.kind.read(setting.default).expect("a test reads every default of the table"),
            origin: Origin::Default,
        };
        Self { entries: TABLE.iter().map(entry).collect() }
    }

    fn set(&mut self, key: &str, value: Value, origin: Origin) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.setting.key == key) {
            entry.value = value;
            entry.origin = origin;
        }
    }

    /// The embedded files live in `data_dir` unless their URLs say otherwise.
    fn fill_in_data_dir(&mut self) {
        let folder = self.text("data_dir");
        for entry in self.entries.iter_mut().filter(|entry| entry.origin == Origin::Default) {
            if matches!(entry.setting.kind, Kind::Url(_)) {
                entry.value = Value::Secret(entry.setting.default.replace("{data_dir}", &folder).into());
            }
        }
    }

    /// All, in the order of the table.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The keys whose values differ in `other`.
    pub fn changed(&self, other: &Self) -> Vec<&'static str> {
        let pairs = self.entries.iter().zip(&other.entries);
        pairs.filter(|(one, other)| !one.value.is_same(&other.value)).map(|(one, _)| one.setting.key).collect()
    }

    /// The entry of this key.
    pub(super) fn entry(&self, key: &str) -> &Entry {
        let found = self.entries.iter().find(|entry| entry.setting.key == key);
        found.expect("the table has every key that `Settings` names; each start and each test reads them all")
    }

    pub(super) fn text(&self, key: &str) -> String {
        let Value::Text(text) = &self.entry(key).value else { return String::new() };
        text.clone()
    }

    pub(super) fn secret(&self, key: &str) -> SecretString {
        let (Value::Secret(text) | Value::Hidden(text)) = &self.entry(key).value else {
            return SecretString::default();
        };
        text.clone()
    }

    /// The file that a secret was read from.
    pub(super) fn secret_file(&self, key: &str) -> Option<PathBuf> {
        let Origin::SecretFile { path, .. } = &self.entry(key).origin else { return None };
        Some(path.clone())
    }

    pub(super) fn count<T: TryFrom<u64>>(&self, key: &str) -> T {
        let number = match &self.entry(key).value {
            Value::Count(number) | Value::Bytes(number) => T::try_from(*number).ok(),
            Value::Text(_) | Value::Secret(_) | Value::Hidden(_) | Value::Time(_) | Value::Flag(_) | Value::List(_) => {
                None
            }
        };
        number.expect("the table gives it a range within the type; a test reads the largest values")
    }

    pub(super) fn time(&self, key: &str) -> Duration {
        let Value::Time(time) = &self.entry(key).value else { return Duration::ZERO };
        *time
    }

    pub(super) fn flag(&self, key: &str) -> bool {
        matches!(self.entry(key).value, Value::Flag(true))
    }

    pub(super) fn list(&self, key: &str) -> Vec<String> {
        let Value::List(words) = &self.entry(key).value else { return Vec::new() };
        words.clone()
    }
}

#[cfg(test)]
mod tests;
