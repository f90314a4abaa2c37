//! Settings from environment variables.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::given::Layer;
use super::problem::{Class, Problem, did_you_mean};
use super::table::{self, PREFIX, Setting};
use super::value::Origin;

/// Variables of ours that are no settings.
const OTHERS: &[&str] = &[Environment::CONFIG_VARIABLE, Environment::TOKEN_VARIABLE];

/// A secret's file is short: a longer one is a wrong path.
const SECRET_BYTES_MAX: u64 = 64 << 10;

/// Environment variables, as far as settings look at them. Tests give a map.
#[derive(Debug, Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Environment {
    fn from(pairs: [(K, V); N]) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl Environment {
    /// Names the settings file, as `--config` does.
    pub const CONFIG_VARIABLE: &'static str = "TIDEMILL_CONFIG";

    /// Holds the provider's token, unless `credentials.variable` names another.
    pub const TOKEN_VARIABLE: &'static str = "TIDEMILL_TOKEN";

    /// This process' variables. One that is no UTF-8 is read with replacement characters, so that its setting refuses
    /// it by name instead of overlooking it.
    pub fn of_process() -> Self {
        let text = |raw: std::ffi::OsString| raw.to_string_lossy().into_owned();
        Self(std::env::vars_os().map(|(name, value)| (text(name), text(value))).collect())
    }

    /// A variable's value; an empty one counts as not set, as containers often pass it.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The user's own settings file, whether or not it exists.
    pub(super) fn user_file(&self) -> Option<PathBuf> {
        let home = || self.get("HOME").map(|home| Path::new(home).join(".config"));
        let folder = self.get("XDG_CONFIG_HOME").map(PathBuf::from).or_else(home)?;
        Some(folder.join("tidemill").join("tidemill.toml"))
    }

    /// Variables that others define, such as `REDIS_URL`: they give way to our own.
    pub(super) fn foreign_layer(&self) -> Layer {
        self.layer(|name| !name.starts_with(PREFIX))
    }

    /// Our own variables.
    pub(super) fn own_layer(&self) -> Layer {
        self.layer(|name| name.starts_with(PREFIX))
    }

    fn layer(&self, wanted: impl Fn(&str) -> bool) -> Layer {
        let mut layer = Layer::default();
        for (name, value) in self.0.iter().filter(|(name, value)| wanted(name) && !value.is_empty()) {
            match table::by_variable(name) {
                Some((setting, false)) => layer.read(setting, value, Origin::Environment(name.clone())),
                Some((setting, true)) => read_secret(&mut layer, setting, name, Path::new(value)),
                None if !name.starts_with(PREFIX) || OTHERS.contains(&name.as_str()) => {}
                None if is_service_link(name) => {}
                None => layer.problems.push(unknown(name)),
            }
        }
        layer
    }
}

/// Reads the value from a file that holds nothing else.
pub(super) fn read_secret(layer: &mut Layer, setting: &'static Setting, named_by: &str, path: &Path) {
    let origin = Origin::SecretFile { named_by: named_by.to_owned(), path: path.to_owned() };
    match read_short(path) {
        Ok(text) => layer.read(setting, text.trim_end_matches(['\n', '\r']), origin),
        Err(problem) => {
            let message = format!("`{}` cannot be read from {}: {problem}", setting.key, path.display());
            layer.problems.push(Problem::new(Class::Unreadable, message, Some(origin)));
            layer.spoiled.push(setting.key);
        }
    }
}

/// The text of a file of at most 64 KiB.
pub(crate) fn read_short(path: &Path) -> Result<String, String> {
    use std::io::Read;
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut text = String::new();
    let bytes = file.take(SECRET_BYTES_MAX + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
    if u64::try_from(bytes).is_ok_and(|bytes| bytes <= SECRET_BYTES_MAX) {
        Ok(text)
    } else {
        Err(format!("more than {SECRET_BYTES_MAX} bytes"))
    }
}

fn unknown(name: &str) -> Problem {
    let known: Vec<String> = table::TABLE.iter().map(Setting::variable).collect();
    let problem = Problem::new(
        Class::UnknownKey,
        format!("unknown variable `{name}`"),
        Some(Origin::Environment(name.to_owned())),
    );
    // All share the prefix, which would make them all alike.
    let words = known.iter().filter_map(|variable| variable.strip_prefix(PREFIX));
    match did_you_mean(&name[PREFIX.len()..].to_ascii_uppercase(), words) {
        Some(fix) => problem.with_fix(fix.replacen('`', &format!("`{PREFIX}"), 1)),
        None => problem,
    }
}

/// Kubernetes gives every container such variables for a service named `tidemill...`, e.g. `TIDEMILL_PORT_80_TCP`.
fn is_service_link(name: &str) -> bool {
    let port = |rest: &str| rest.is_empty() || rest.starts_with(|c: char| c == '_' && rest.len() > 1);
    !name.contains("__")
        && (name.ends_with("_SERVICE_HOST")
            || name.split_once("_SERVICE_PORT").is_some_and(|(_, rest)| port(rest))
            || name.split_once("_PORT").is_some_and(|(_, rest)| port(rest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_variable_is_a_problem_with_a_suggestion() {
        let layer = Environment::from([("TIDEMILL_WORKER__CONCURENCY", "8")]).own_layer();
        let problem = &layer.problems[0];
        assert_eq!(problem.message, "unknown variable `TIDEMILL_WORKER__CONCURENCY`");
        assert_eq!(problem.fix.as_deref(), Some("did you mean `TIDEMILL_WORKER__CONCURRENCY`?"));
    }

    #[test]
    fn what_kubernetes_and_others_set_is_left_alone() {
        let layer = Environment::from([
            ("TIDEMILL_GATEWAY_SERVICE_HOST", "10.0.0.1"),
            ("TIDEMILL_SERVICE_PORT_HTTP", "80"),
            ("TIDEMILL_PORT", "tcp://10.0.0.1:80"),
            ("TIDEMILL_PORT_80_TCP_ADDR", "10.0.0.1"),
            ("TIDEMILL_CONFIG", "x.toml"),
            ("TIDEMILL_WORKER__LEASE", ""),
            ("PATH", "/bin"),
        ])
        .own_layer();
        assert!(layer.problems.is_empty() && layer.given.is_empty(), "{:?}", layer.problems);
    }

    #[test]
    fn a_secret_is_read_from_its_file_without_the_line_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "redis://:CANARY@cache\n").unwrap();
        let layer = Environment::from([("TIDEMILL_BROKER__URL_FILE", path.to_str().unwrap())]).own_layer();
        assert_eq!(layer.given[0].value.to_string(), "\"redis://:***@cache\"");
        assert!(!format!("{layer:?}").contains("CANARY"));
    }

    #[test]
    fn a_secret_given_twice_or_from_a_missing_file_is_a_problem() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("url");
        std::fs::write(&path, "redis://cache").unwrap();
        let path = path.to_str().unwrap();
        let twice = Environment::from([("TIDEMILL_BROKER__URL_FILE", path), ("TIDEMILL_BROKER__URL", "redis://h")]);
        assert_eq!(twice.own_layer().problems[0].class, Class::Twice);
        let missing = Environment::from([("REDIS_URL_FILE", "/nowhere/url")]).foreign_layer();
        assert_eq!(missing.problems[0].class, Class::Unreadable);
    }
}
