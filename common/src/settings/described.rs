//! `[feed.NAME]`: feeds that the settings file describes.

mod keys;
mod read;

use toml::de::{DeTable, DeValue};

use super::file::SettingsFile;
use super::given::Layer;
use super::kind::Kind;
use super::problem::{Class, Problem, did_you_mean};
use crate::feed;
use crate::feed::described::{Description, Template, TimeUnit, Verdict};

pub(super) use keys::KEYS;
use keys::{Form, KINDS, SLOTS, UNITS};
use read::{Given, value};

/// The section that holds them all.
pub(super) const SECTION: &str = "feed";

/// Longest name of a feed.
const NAME_CHARS_MAX: usize = 30;

/// Reads all described feeds of the file.
pub(super) fn read_all(file: &SettingsFile, table: &DeTable<'_>, layer: &mut Layer) {
    for (key, value) in table {
        let name = key.get_ref().as_ref();
        let origin = file.origin(key.span().start);
        let DeValue::Table(inner) = value.get_ref() else {
            let message = format!("`{SECTION}.{name}` is a section, not a setting");
            let fix = format!("describe a feed under [{SECTION}.NAME]");
            layer.problems.push(Problem::new(Class::BadValue, message, Some(origin)).with_fix(fix));
            continue;
        };
        let mut section = Section { file, name, origin, given: Given::default(), problems: Vec::new() };
        section.read(inner);
        match section.describe() {
            Some(description) if section.problems.is_empty() => layer.feeds.push(description),
            _ => layer.problems.append(&mut section.problems),
        }
    }
}

/// One `[feed.NAME]`.
struct Section<'f> {
    file: &'f SettingsFile,
    name: &'f str,
    origin: super::value::Origin,
    given: Given,
    problems: Vec<Problem>,
}

impl Section<'_> {
    fn read(&mut self, table: &DeTable<'_>) {
        for (key, written) in table {
            let name = key.get_ref().as_ref();
            let Some(known) = KEYS.iter().find(|known| known.name == name) else {
                let origin = self.file.origin(key.span().start);
                let message = format!("unknown key `{name}` in [{SECTION}.{}]", self.name);
                let problem = Problem::new(Class::UnknownKey, message, Some(origin)).with_excerpt(name);
                let near = did_you_mean(name, KEYS.iter().map(|known| known.name));
                self.problems.push(near.into_iter().fold(problem, Problem::with_fix));
                continue;
            };
            match value(known.form, written.get_ref()) {
                Ok(read) => self.given.insert(known.name, read),
                Err(wanted) => {
                    // What is written may hold a secret: it is not shown.
                    let message = format!("`{SECTION}.{}.{name}`: {wanted}", self.name);
                    let origin = self.file.origin(written.span().start);
                    self.problems.push(Problem::new(Class::BadValue, message, Some(origin)));
                    self.given.spoil(known.name);
                }
            }
        }
    }

    fn problem(&mut self, class: Class, text: &str, fix: &str) {
        let message = format!("[{SECTION}.{}] {text}", self.name);
        self.problems.push(Problem::new(class, message, Some(self.origin.clone())).with_fix(fix));
    }

    /// What the parts are together. `None` when something is missing, which is a problem then.
    fn describe(&mut self) -> Option<Description> {
        self.check();
        let given = &self.given;
        let values = SLOTS.iter().filter_map(|(key, slot)| Some((*slot, given.pointer(key)?)));
        let unit = given.word("time_unit");
        let unit = UNITS.iter().find(|(word, _)| *word == unit).map_or(TimeUnit::Rfc3339, |(_, unit)| *unit);
        let kind = given.word("kind");
        let verdict = |rules: &str, symbols: &str| {
            let rules = given.rules(rules);
            (!rules.is_empty()).then(|| Verdict { rules, symbols: given.pointer(symbols) })
        };
        Some(Description {
            name: self.name.to_owned(),
            url: given.templates("url").pop()?,
            headers: given.headers("headers"),
            subscribe: given.templates("subscribe"),
            unsubscribe: given.templates("unsubscribe"),
            heartbeat: given.templates("heartbeat").pop(),
            heartbeat_interval: given.time("heartbeat_interval"),
            symbols_per_connection: given.count("symbols_per_connection"),
            symbols_per_message: given.count("symbols_per_message"),
            connections_max: Some(given.count("connections")).filter(|most| 0 < *most),
            message_interval: given.time("message_interval"),
            silence_max: given.time("silence"),
            events: given.pointer("events").unwrap_or_default(),
            only: given.rules("only"),
            symbol: given.pointer("symbol")?,
            values: values.collect(),
            time: given.pointer("time").map(|pointer| (pointer, unit)),
            confirm: verdict("confirm", "confirm_symbols"),
            refuse: verdict("refuse", "refuse_symbols"),
            refuse_reason: given.pointer("refuse_reason"),
            exchange: given.word("exchange").to_uppercase(),
            kind: KINDS.iter().find(|(word, _)| *word == kind)?.1,
        })
    }

    /// What a feed needs, and what does not go together.
    fn check(&mut self) {
        let is_word = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_lowercase())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        };
        if !is_word(self.name) || NAME_CHARS_MAX < self.name.len() {
            self.problem(Class::BadValue, "is no name for a feed", "use up to 30 small letters, digits and `_`");
        }
        if feed::table().iter().any(|built_in| built_in.name() == self.name) {
            self.problem(Class::Contradiction, "has the name of a built-in feed", "choose another name");
        }
        for (key, why) in keys::REQUIRED {
            if !self.given.has(key) {
                self.problem(Class::BadValue, &format!("lacks `{key}`"), why);
            }
        }
        if self.given.templates("url").iter().any(|url| !url.is_websocket()) {
            self.problem(Class::BadValue, "has an `url` that is no WebSocket's", "begin it with `wss://` or `ws://`");
        }
        if !SLOTS.iter().any(|(key, _)| self.given.has(key)) {
            let fix = "say where a value lies, at least `price = \"/...\"`";
            self.problem(Class::BadValue, "says of no value where it lies", fix);
        }
        let names_symbols = |key| self.given.templates(key).iter().any(Template::wants_symbols);
        if !names_symbols("subscribe") && !names_symbols("url") && !self.given.is_spoiled("subscribe") {
            let fix = "put `{symbol}` or `{symbols}` into `subscribe` or `url`";
            self.problem(Class::Contradiction, "never asks for a symbol", fix);
        }
        for (key, needs) in keys::NEEDS {
            if self.given.has(key) && !self.given.has(needs) {
                self.problem(Class::Contradiction, &format!("has `{key}` without `{needs}`"), "give both or neither");
            }
        }
    }
}

impl Form {
    /// What may stand there, to begin a sentence on the page of settings.
    pub(super) fn allowed(self) -> String {
        match self {
            Self::Plain(kind) => kind.allowed(),
            Self::Pointer => "a JSON pointer".to_owned(),
            Self::Template => "text; places are filled in".to_owned(),
            Self::Templates => "text or a list of texts; places are filled in".to_owned(),
            Self::Headers => "a table of names and texts; places are filled in".to_owned(),
            Self::Rules => "a table of JSON pointers and the values they must hold".to_owned(),
        }
    }
}

/// A value as any other setting's.
const fn plain(kind: Kind) -> Form {
    Form::Plain(kind)
}

#[cfg(test)]
mod tests;
