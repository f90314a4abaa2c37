//! Recorded connections and what is known of them. They lie beside the project, not in it.

use std::path::PathBuf;

use serde_json::Value;

/// A recording that is at hand.
pub(super) struct Recording {
    /// Where it is.
    pub(super) path: String,
    /// What was counted in it by other means.
    pub(super) expected: Value,
}

impl Recording {
    /// A recording of Binance; `None`, said aloud, where it is not at hand. Under `CI=true` that is a failure.
    pub(super) fn find(name: &str) -> Option<Self> {
        let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/captures/binance");
        let (path, table) = (folder.join(name), folder.join("EXPECTED.json"));
        let missing = [&path, &table].into_iter().find(|file| !file.is_file());
        if let Some(missing) = missing {
            let is_ci = std::env::var_os("CI").is_some_and(|ci| ci == "true");
            assert!(!is_ci, "{} is missing", missing.display());
            eprintln!("{} is not at hand, nothing is replayed", missing.display());
            return None;
        }
        let table = std::fs::read_to_string(table).expect("it can be read");
        let mut table: Value = serde_json::from_str(&table).expect("it is JSON");
        Some(Self { path: path.display().to_string(), expected: table[name].take() })
    }

    /// How often messages of these streams are in it.
    pub(super) fn messages(&self, streams: &str, names: &[&str]) -> u64 {
        names.iter().map(|name| self.number(&[streams, name])).sum()
    }

    /// An expected number.
    pub(super) fn number(&self, keys: &[&str]) -> u64 {
        self.value(keys).as_u64().expect("it is a number")
    }

    /// An expected text.
    pub(super) fn text(&self, keys: &[&str]) -> &str {
        self.value(keys).as_str().expect("it is text")
    }

    fn value(&self, keys: &[&str]) -> &Value {
        keys.iter().fold(&self.expected, |value, key| value.get(key).unwrap_or_else(|| panic!("no {key} in {value}")))
    }
}
