//! `tidemill config`: what is set, by whom, and whether it is right.

use clap::{Args, Subcommand};
use common::settings::{Entry, Flags, reference};
use serde_json::{Map, Value as Json, json};

use crate::cli::Global;
use crate::context::Context;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{print, print_json, print_line, printable};

/// Show and check the settings
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show every setting's value, passwords masked
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Check all settings without starting anything
    Check,
    /// Print the reference of all settings, as Markdown
    Reference,
}

/// Does what the verb says.
pub(crate) fn run(arguments: &Arguments, global: &Global) -> Result<Exit, Failure> {
    match &arguments.verb {
        Verb::Reference => print(&reference())?,
        Verb::Show { origin, json } => {
            let context = Context::load(global, Flags::new())?;
            let entries = context.resolved.entries();
            if *json { print_json(&as_json(entries))? } else { print(&as_toml(entries, *origin))? }
        }
        Verb::Check => {
            let context = Context::load(global, Flags::new())?;
            context.feed()?;
            print_line(&format!("{} settings, no problem", context.resolved.entries().len()))?;
        }
    }
    Ok(Exit::Ok)
}

/// As a settings file, with the origins as comments.
fn as_toml(entries: &[Entry], with_origin: bool) -> String {
    let mut section = "";
    let mut lines = Vec::new();
    for Entry { setting, value, origin } in entries {
        if setting.section() != section {
            section = setting.section();
            lines.push(format!("\n[{section}]"));
        }
        let line = format!("{} = {}", setting.name(), printable(&value.to_string()));
        lines.push(if with_origin { format!("{line:<48} # {origin}") } else { line });
    }
    lines.join("\n") + "\n"
}

fn as_json(entries: &[Entry]) -> Json {
    let settings: Map<String, Json> = entries
        .iter()
        .map(|entry| {
            let shown = json!({ "value": entry.value.to_string(), "origin": entry.origin.to_string() });
            (entry.setting.key.to_owned(), shown)
        })
        .collect();
    json!({ "schema": 1, "settings": settings })
}

#[cfg(test)]
mod tests {
    use common::settings::{Environment, Sources, resolve};

    use super::*;

    #[test]
    fn values_stand_beside_their_origins_and_passwords_nowhere() {
        let environment =
            Environment::from([("REDIS_URL", "redis://:CANARY@cache:6379"), ("TIDEMILL_WORKER__LEASE", "20")]);
        let loaded = resolve(&Sources { environment, ..Sources::default() }).unwrap();
        let shown = as_toml(loaded.resolved.entries(), true);
        let line = |start: &str| shown.lines().find(|line| line.starts_with(start)).unwrap().split_once(" #").unwrap();
        let lines = ["url", "lease", "drain"].map(|key| {
            let (value, origin) = line(key);
            (value.trim_end(), origin.trim())
        });
        let expected = [
            ("url = \"redis://:***@cache:6379\"", "environment REDIS_URL"),
            ("lease = \"20s\"", "environment TIDEMILL_WORKER__LEASE"),
            ("drain = \"20s\"", "default"),
        ];
        assert_eq!(lines, expected);
        assert!(!format!("{shown}{}", as_json(loaded.resolved.entries())).contains("CANARY"));
    }

    #[test]
    fn what_is_shown_can_be_read_again() {
        let loaded = resolve(&Sources::default()).unwrap();
        let file = common::settings::SettingsFile { path: "x".into(), text: as_toml(loaded.resolved.entries(), true) };
        let again = resolve(&Sources { file: Some(file), ..Sources::default() }).unwrap();
        assert_eq!(as_toml(loaded.resolved.entries(), false), as_toml(again.resolved.entries(), false));
    }

    #[test]
    fn the_page_of_settings_is_written_from_the_table() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/configuration.md");
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(page, reference(), "write it again: tidemill config reference > docs/configuration.md");
    }
}
