//! The reference page of the settings, written from the table.

use super::described::KEYS;
use super::table::{Setting, TABLE};

const HEAD: &str = "\
# Configuration

This page is written from the program's table of settings: `tidemill config reference` prints it.

A value is taken from the first of these that gives it:

1. a flag of the command
2. the environment: `TIDEMILL_SECTION__KEY`, e.g. `TIDEMILL_WORKER__CONCURRENCY=8`; then `REDIS_URL`, `DATABASE_URL`
   and `RUST_LOG`. An empty variable counts as not set
3. the settings file: `--config FILE`, else `TIDEMILL_CONFIG`, else `./tidemill.toml`, else
   `$XDG_CONFIG_HOME/tidemill/tidemill.toml` (`~/.config` where `XDG_CONFIG_HOME` is not set)
4. the default

`tidemill config show --origin` shows every value and where it came from; `tidemill config check` checks them all
without starting anything. An unknown key or variable is an error: a typo must not silently do nothing. (Variables that
Kubernetes sets for a service named `tidemill` are left alone.)

**Durations** are written `500ms`, `3s`, `2m`, `1h`, or as bare seconds. **Sizes** are written `4MiB`, `512KB`, or as
bare bytes. **Lists** are TOML arrays in the file, and words separated by commas elsewhere.

**Secrets.** A URL may hold a password. It can be kept in a file of its own: `TIDEMILL_BROKER__URL_FILE=/run/secrets/redis`
(`REDIS_URL_FILE`, `DATABASE_URL_FILE`), or `url_file = \"...\"` in the settings file. It is never a flag, because
everybody on the machine can read those, and it is never shown or logged. When the server refuses the login, the file is read
again: a changed password needs no restart. Another server, or a URL that stands in a variable, does.
";

const DESCRIBED: &str = "
## [feed.NAME]

Describes a feed that is not built in: JSON over a WebSocket. It can then be chosen like any other, `feed = \"NAME\"` under
`[listener]`. A name has up to 30 small letters, digits and `_`. Only the settings file can describe feeds. A guide with
examples: `docs/feeds/described.md`.

**JSON pointers** (RFC 6901) say where something lies: `/data/0/price`. What an event lacks is looked for in its whole frame.
**Places** are `{symbol}`, `{symbols}` and `{credential}`.

| key | default | meaning |
|---|---|---|
";

/// The page, as Markdown.
pub fn reference() -> String {
    let mut parts = vec![HEAD.to_owned()];
    let mut section = None;
    for setting in TABLE {
        if section != Some(setting.section()) {
            section = Some(setting.section());
            let title = match setting.section() {
                "" => "Top of the file".to_owned(),
                section => format!("[{section}]"),
            };
            parts.push(format!("\n## {title}\n\n| key | default | meaning |\n|---|---|---|\n"));
        }
        parts.push(row(setting));
    }
    parts.push(DESCRIBED.to_owned());
    for key in KEYS {
        let default = if key.default.is_empty() { "none".to_owned() } else { format!("`{}`", key.default) };
        let allowed = capitalised(&key.form.allowed());
        parts.push(format!("| `{}` | {default} | {}. {allowed}. |\n", key.name, key.doc));
    }
    parts.concat()
}

fn row(setting: &Setting) -> String {
    let default = match setting.default {
        "" => "none".to_owned(),
        default => format!("`{}`", default.replace("{data_dir}", "<data_dir>")),
    };
    let mut sentences = vec![setting.doc.to_owned(), capitalised(&setting.kind.allowed())];
    for (intro, names) in [("Also", setting.variables), ("Also written", setting.aliases)] {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        if !names.is_empty() {
            sentences.push(format!("{intro} {}", names.join(", ")));
        }
    }
    format!("| `{}` | {default} | {}. |\n", setting.name(), sentences.join(". "))
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
