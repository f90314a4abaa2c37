//! Settings: flag, then environment, then `tidemill.toml`, then default.
//!
//! One [table](TABLE) says what settings there are; [`Settings`] is what the program uses, [`Resolved`] what people look
//! at: each value with its origin. [`resolve()`] is pure but for files that hold a secret: tests give it maps and texts.
//!
//! Feeds that the file describes, `[feed.NAME]`, have a table of their own.
//!
//! To add a setting: a row in the table, a field in [`Settings`]; the reference page follows from the table.

use std::path::Path;

mod credentials;
mod described;
pub mod duration;
mod environment;
mod file;
mod flags;
mod given;
mod kind;
mod overflow;
mod problem;
mod redact;
mod reference;
mod resolve;
pub mod size;
mod table;
mod typed;
mod value;

pub use credentials::{CredentialSettings, TokenUrl};
pub use environment::Environment;
pub(crate) use environment::read_short;
pub use file::{FILE_NAME, SettingsFile};
pub use flags::Flags;
pub use kind::Kind;
pub use overflow::{BadOverflow, Overflow};
pub use problem::{Class, Problem, SettingsError, nearest};
pub(crate) use redact::MASK;
pub use redact::redacted;
pub use reference::reference;
pub use resolve::{Entry, Loaded, Resolved, Sources, resolve};
pub use table::{Setting, TABLE, by_key};
pub use typed::{
    BrokerSettings, HealthSettings, InstrumentSettings, ListenerSettings, LogFormat, LogSettings, MarketSettings,
    QueueSettings, Settings, StartSettings, StoreSettings, WorkerSettings,
};
pub use value::{Origin, Value};

/// Loads the settings of this process: `flags`, `environment`, and the settings file (`config` names it, else
/// `TIDEMILL_CONFIG`, else `tidemill.toml` here, else the user's own).
pub fn load(flags: Flags, environment: Environment, config: Option<&Path>) -> Result<Loaded, SettingsError> {
    let named = environment.get(Environment::CONFIG_VARIABLE).map(Path::new);
    match file::find(config.or(named), &environment) {
        Ok(file) => resolve(&Sources { flags, environment, file }),
        Err(problem) => {
            // The other sources may have problems too: say them all.
            let mut problems = vec![*problem];
            if let Err(more) = resolve(&Sources { flags, environment, file: None }) {
                problems.extend(more.problems);
            }
            Err(SettingsError { problems })
        }
    }
}
