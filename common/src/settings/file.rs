//! Settings from `tidemill.toml`.

use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeArray, DeInteger, DeTable, DeValue};

use super::described;
use super::environment::{Environment, read_secret};
use super::given::Layer;
use super::kind::Kind;
use super::problem::{Class, Problem, did_you_mean};
use super::table::{self, Setting};
use super::value::{Origin, Value};

/// The settings file's name.
pub const FILE_NAME: &str = "tidemill.toml";

/// A larger file is no settings file.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// A settings file that was found and read.
#[derive(Debug, Clone)]
pub struct SettingsFile {
    /// Where.
    pub path: PathBuf,
    /// Its content.
    pub text: String,
}

/// Finds and reads the settings file: `explicit` if given, else `tidemill.toml` here, else the user's own.
pub(super) fn find(explicit: Option<&Path>, environment: &Environment) -> Result<Option<SettingsFile>, Box<Problem>> {
    if let Some(path) = explicit {
        return read(path).map(Some);
    }
    let here = Some(PathBuf::from(FILE_NAME));
    let found = [here, environment.user_file()].into_iter().flatten().find(|path| path.is_file());
    found.map(|path| read(&path)).transpose()
}

fn read(path: &Path) -> Result<SettingsFile, Box<Problem>> {
    let unreadable = |problem: String| {
        let message = format!("cannot read the settings file {}: {problem}", path.display());
        Box::new(Problem::new(Class::Unreadable, message, None))
    };
    let size = std::fs::metadata(path).map_err(|error| unreadable(error.to_string()))?;
    if FILE_BYTES_MAX < size.len() {
        return Err(unreadable(format!("it has more than {FILE_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| unreadable(error.to_string()))?;
    Ok(SettingsFile { path: path.to_owned(), text })
}

impl SettingsFile {
    pub(super) fn layer(&self) -> Layer {
        let mut reader = Reader { file: self, layer: Layer::default() };
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        for error in &errors {
            let origin = error.span().map(|span| self.origin(span.start));
            let message = format!("{} is no TOML: {}", self.path.display(), error.message());
            reader.layer.problems.push(Problem::new(Class::Syntax, message, origin));
        }
        // What was recovered from a broken file would only make noise.
        if errors.is_empty() {
            reader.top(table.get_ref());
        }
        reader.layer
    }

    pub(super) fn origin(&self, offset: usize) -> Origin {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Origin::File {
            path: self.path.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
        }
    }
}

struct Reader<'f> {
    file: &'f SettingsFile,
    layer: Layer,
}

type Key<'f> = Spanned<std::borrow::Cow<'f, str>>;

impl Reader<'_> {
    fn top(&mut self, table: &DeTable<'_>) {
        for (key, value) in table {
            let name = key.get_ref().as_ref();
            if !table::TABLE.iter().any(|setting| setting.section() == name) && name != described::SECTION {
                self.entry("", key, value);
            } else if let (described::SECTION, DeValue::Table(inner)) = (name, value.get_ref()) {
                described::read_all(self.file, inner, &mut self.layer);
            } else if let DeValue::Table(inner) = value.get_ref() {
                self.section(name, inner);
            } else {
                let origin = self.file.origin(key.span().start);
                let message = format!("`{name}` is a section, not a setting");
                let problem = Problem::new(Class::BadValue, message, Some(origin));
                self.layer.problems.push(problem.with_fix(format!("write its settings under [{name}]")));
            }
        }
    }

    fn section(&mut self, section: &str, table: &DeTable<'_>) {
        for (key, value) in table {
            self.entry(section, key, value);
        }
    }

    fn entry(&mut self, section: &str, key: &Key<'_>, value: &Spanned<DeValue<'_>>) {
        let name = key.get_ref().as_ref();
        let full = |name: &str| if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
        if let Some(setting) = table::by_key(&full(name)) {
            return self.value(setting, value);
        }
        let origin = self.file.origin(key.span().start);
        let secret = name.strip_suffix("_file").and_then(|name| table::by_key(&full(name)));
        match (secret.filter(|setting| setting.is_secret()), value.get_ref()) {
            (Some(setting), DeValue::String(path)) => {
                read_secret(&mut self.layer, setting, &format!("{origin}"), Path::new(path.as_ref()));
            }
            _ => self.layer.problems.push(unknown(section, name, origin)),
        }
    }

    fn value(&mut self, setting: &'static Setting, value: &Spanned<DeValue<'_>>) {
        let origin = self.file.origin(value.span().start);
        if let Some(read) = value_of(setting.kind, value.get_ref()) {
            self.layer.accept(setting, read, origin);
        } else {
            let written = self.file.text.get(value.span()).unwrap_or_default();
            self.layer.refuse(setting, written, origin);
        }
    }
}

/// The value that is written, if a setting of this kind allows it.
pub(super) fn value_of(kind: Kind, written: &DeValue<'_>) -> Option<Value> {
    match (kind, written) {
        // A number in quotes is a mistake that would hide others.
        (Kind::Count { .. } | Kind::Flag | Kind::List | Kind::Masters | Kind::Aliases, DeValue::String(_)) => None,
        (kind, DeValue::String(text)) => kind.read(text),
        (Kind::Flag, DeValue::Boolean(on)) => Some(Value::Flag(*on)),
        (kind @ (Kind::Count { .. } | Kind::Bytes { .. } | Kind::Time { .. }), DeValue::Integer(number)) => {
            decimal(number).and_then(|text| kind.read(&text))
        }
        (kind @ Kind::Time { .. }, DeValue::Float(number)) => kind.read(number.as_str()),
        (kind, DeValue::Array(words)) => strings(words).and_then(|words| kind.read_words(words)),
        _ => None,
    }
}

fn decimal(number: &DeInteger<'_>) -> Option<String> {
    u64::from_str_radix(number.as_str(), number.radix()).ok().map(|number| number.to_string())
}

fn strings(words: &DeArray<'_>) -> Option<Vec<String>> {
    words.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect()
}

fn unknown(section: &str, name: &str, origin: Origin) -> Problem {
    let message = match section {
        "" => format!("unknown key `{name}`"),
        section => format!("unknown key `{name}` in [{section}]"),
    };
    let siblings = table::TABLE.iter().filter(|setting| setting.section() == section);
    let names = siblings.flat_map(|setting| setting.aliases.iter().copied().chain([setting.name()]));
    let sections = table::TABLE
        .iter()
        .map(Setting::section)
        .chain([described::SECTION])
        .filter(|other| section.is_empty() && !other.is_empty());
    let problem = Problem::new(Class::UnknownKey, message, Some(origin)).with_excerpt(name);
    match did_you_mean(name, names.chain(sections)) {
        Some(fix) => problem.with_fix(fix),
        None => problem,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layer(text: &str) -> Layer {
        SettingsFile { path: FILE_NAME.into(), text: text.to_owned() }.layer()
    }

    #[test]
    fn values_are_read_with_their_place() {
        let layer = layer("data_dir = \"d\"\n[worker]\nconcurrency = 0x10\nlease = 30\nretry_first = 0.5\n");
        assert!(layer.problems.is_empty(), "{:?}", layer.problems);
        let shown: Vec<String> =
            layer.given.iter().map(|given| format!("{} {} {}", given.setting.key, given.value, given.origin)).collect();
        assert_eq!(
            shown,
            [
                "data_dir \"d\" tidemill.toml:1:12",
                "worker.concurrency 16 tidemill.toml:3:15",
                "worker.lease \"30s\" tidemill.toml:4:9",
                "worker.retry_first \"500ms\" tidemill.toml:5:15",
            ]
        );
    }

    #[test]
    fn every_problem_names_key_place_and_what_is_allowed() {
        for (text, said) in [
            (
                "[listener]\nstocks_per_conection = 40",
                "tidemill.toml:2:1: unknown key `stocks_per_conection` in [listener] (did you mean `stocks_per_connection`?)",
            ),
            ("[wroker]\nlease = 1", "tidemill.toml:1:2: unknown key `wroker` (did you mean `worker`?)"),
            (
                "worker.concurrency = \"4\"",
                "tidemill.toml:1:22: `worker.concurrency` must be a whole number from 1 to 256, not `\"4\"`",
            ),
            (
                "worker = 4",
                "tidemill.toml:1:1: `worker` is a section, not a setting (write its settings under [worker])",
            ),
            ("[store]\nhistory = 1", "tidemill.toml:2:11: `store.history` must be true or false, not `1`"),
            (
                "[listener]\nsymbols = [\"A\", 1]",
                "tidemill.toml:2:11: `listener.symbols` must be a list of words, not `[\"A\", 1]`",
            ),
            (
                "[listener]\nmax_symbols = 1\nmax_stocks = 2",
                "tidemill.toml:2:15: `listener.max_symbols` is given twice: also by tidemill.toml:3:14 (keep one of them)",
            ),
        ] {
            let problems: Vec<String> = layer(text).problems.iter().map(Problem::to_string).collect();
            assert_eq!(problems, [said], "{text}");
        }
    }

    #[test]
    fn a_broken_file_is_reported_with_its_place() {
        let layer = layer("[worker\nconcurrency = 4");
        assert!(layer.given.is_empty());
        assert!(layer.problems.iter().all(|problem| problem.class == Class::Syntax && problem.origin.is_some()));
        assert!(!layer.problems.is_empty());
    }

    #[test]
    fn a_secret_is_never_in_a_problem() {
        for text in [
            "broker.url = \"rediss:/:CANARY@h\"",
            "broker = \"redis://:CANARY@h\"",
            "[broker]\nurll = \"redis://:CANARY@h\"",
            "[broker]\nurl = [\"redis://:CANARY@h\"]",
        ] {
            let layer = layer(text);
            assert!(!layer.problems.is_empty(), "{text}");
            assert!(!format!("{layer:?}").contains("CANARY"), "{text}: {layer:?}");
        }
    }
}
