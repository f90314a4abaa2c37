//! Rules of the layout, as a test: sizes, pure files, and one home for each technology.

use std::fs;
use std::path::{Path, PathBuf};

const LINES_MAX: usize = 400;

/// Files that import no runtime, no database and no logging.
const PURE: [&str; 7] = ["market", "queue", "roster", "ledger.rs", "outage.rs", "retry.rs", "clock.rs"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every Rust and Lua file below `folder` with its text.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return fs::read_to_string(folder).map(|text| (folder.to_owned(), text)).into_iter().collect();
    };
    let paths = entries.filter_map(Result::ok).map(|entry| entry.path());
    paths
        .flat_map(|path| {
            let is_source = path.extension().is_some_and(|end| end == "rs" || end == "lua");
            if path.is_dir() || is_source { sources(&path) } else { Vec::new() }
        })
        .collect()
}

/// Files of the product that hold one of `words`, outside their `home`.
fn strangers(words: &[&str], home: impl Fn(&Path) -> bool) -> Vec<PathBuf> {
    let product = ["src", "common/src", "listener/src", "worker/src"].map(|part| sources(&root().join(part)));
    let holds = |(path, text): &(PathBuf, String)| !home(path) && words.iter().any(|word| text.contains(word));
    product.concat().into_iter().filter(holds).map(|(path, _)| path).collect()
}

#[test]
fn no_source_file_is_longer_than_the_limit() {
    for part in ["src", "common", "listener", "worker", "tests"] {
        let parts = ["src", "tests", "benches"].map(|inner| sources(&root().join(part).join(inner))).concat();
        let own = if part == "src" || part == "tests" { sources(&root().join(part)) } else { parts };
        assert!(!own.is_empty(), "{part} has no sources");
        for (path, text) in own {
            assert!(text.lines().count() <= LINES_MAX, "{} has {} lines", path.display(), text.lines().count());
        }
    }
}

#[test]
fn the_vocabulary_stays_pure() {
    for file in PURE {
        let found = sources(&root().join("common/src").join(file)).into_iter().chain(match file.strip_suffix(".rs") {
            Some(_) => Vec::new(),
            None => sources(&root().join("common/src").join(format!("{file}.rs"))),
        });
        for (path, text) in found {
            for foreign in ["tokio::", "redis::", "diesel::", "tracing::"] {
                assert!(!text.contains(foreign), "{} uses {foreign}", path.display());
            }
        }
    }
}

#[test]
fn each_technology_has_one_home() {
    let under = |folder: &'static str| move |path: &Path| path.to_string_lossy().contains(folder);
    let none: [PathBuf; 0] = [];
    // What the parts can do alone is measured past the seams, of which the whole is more than the sum.
    let limits = under("common/src/limits/");
    let redis = |path: &Path| under("broker/redis")(path) || limits(path);
    assert_eq!(strangers(&["redis::cmd", "redis::Script", "Script::new("], redis), none);
    let database = |path: &Path| ["/store", "sqlite", "testing"].iter().any(|home| under(home)(path)) || limits(path);
    assert_eq!(strangers(&["use diesel", "diesel::"], database), none);
    assert_eq!(strangers(&["use ureq", "ureq::"], |path| path.ends_with("common/src/http.rs")), none);
}
