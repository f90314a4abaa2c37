//! The settings file, feeds described in it included.

#![no_main]

use common::settings::{SettingsFile, Sources, resolve};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let file = SettingsFile { path: "tidemill.toml".into(), text: text.to_owned() };
    match resolve(&Sources { file: Some(file), ..Sources::default() }) {
        Ok(loaded) => assert!(!loaded.resolved.entries().is_empty()),
        Err(error) => assert!(!error.problems.is_empty() && !error.to_string().is_empty()),
    }
});
